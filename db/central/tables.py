"""The central's tables. A change here is a migration in `migrations/versions` and a new HEAD."""

from pathlib import Path

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    SmallInteger,
    String,
    Table,
    UniqueConstraint,
    text,
)

from db.engine import Schema

HEAD = "0004"

REGISTERS = ("epoch", "import_ws", "export_ws", "generation_ws")
# What the house measured: two rows are the same reading if these are equal.
MEASURED = (
    *REGISTERS,
    "closed_s",
    "covered_s",
    "max_w",
    "min_w",
    "voltage_mv",
    "current_ma",
    "power_factor_milli",
    "frequency_mhz",
    "suspect",
)

metadata = MetaData()

house = Table(
    "house",
    metadata,
    Column("house", String, primary_key=True),
    Column("position", Integer, nullable=False),  # the order in which the terms list them
    Column("name", String, nullable=False),
    Column("connection_w", Integer, nullable=False),
    Column("joined", BigInteger, nullable=False),
    Column("left", BigInteger, nullable=False),
)

# A month may have several rounds: its own, and one for each house that joined later.
contract_round = Table(
    "contract_round",
    metadata,
    Column("month", String, primary_key=True),
    Column("first_minute", BigInteger, primary_key=True, autoincrement=False),
    Column("end_minute", BigInteger, nullable=False),
    Column("houses", String, nullable=False),  # as JSON
    Column("opened_s", BigInteger, nullable=False),
    Column("closes_s", BigInteger, nullable=False),
    Column("opened_by", String, nullable=False),
    Column("final_s", BigInteger),
)

# Rows are only ever added; `number` is the order in which they were entered.
contract_entry = Table(
    "contract_entry",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("house", String, ForeignKey("house.house"), nullable=False),
    Column("month", String, nullable=False),
    Column("round_minute", BigInteger),  # the first minute of the round it was agreed in, if it was
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("role", String),  # empty, like the five below: no contract
    Column("max_w", Integer),
    Column("min_w", Integer),
    Column("price", BigInteger),
    Column("source", String),
    Column("obligation", String),
    Column("basis", String, nullable=False),
    Column("author", String, nullable=False),
    Column("note", String, nullable=False),
    Column("entered_s", BigInteger, nullable=False),
    ForeignKeyConstraint(["month", "round_minute"], ["contract_round.month", "contract_round.first_minute"]),
    UniqueConstraint("month", "round_minute", "house"),  # a house agrees once in a round (5.4)
)

# Rows are only ever added, as above.
tariff_entry = Table(
    "tariff_entry",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("national", BigInteger, nullable=False),
    Column("feed_in", BigInteger, nullable=False),
    Column("cap", String, nullable=False),
    Column("penalty_basis", String, nullable=False),
    Column("response_s", Integer, nullable=False),
    Column("deadband_w", Integer, nullable=False),
    Column("author", String, nullable=False),
    Column("note", String, nullable=False),
    Column("entered_s", BigInteger, nullable=False),
)

setting = Table(
    "setting",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", String, nullable=False),
)


def _meter_columns() -> list[Column[int]]:
    """What a meter minute holds besides its key; the order of `MEASURED`, then origin."""
    wide = {"epoch", "import_ws", "export_ws", "generation_ws"}
    return [
        Column(name, BigInteger if name in wide else Integer, nullable=False)
        for name in (*MEASURED, "origin")
    ]


meter_minute = Table(
    "meter_minute",
    metadata,
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("house", String, primary_key=True),
    *_meter_columns(),
    Column("revision", Integer, nullable=False),
    sqlite_with_rowid=False,
)

# What a meter minute was before it was revised.
meter_minute_revision = Table(
    "meter_minute_revision",
    metadata,
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("house", String, primary_key=True),
    *_meter_columns(),
    Column("revision", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

# On which UTC days a house has meter minutes: finds its last or next row without a second index on minutes.
meter_day = Table(
    "meter_day",
    metadata,
    Column("house", String, primary_key=True),
    Column("day", Integer, primary_key=True, autoincrement=False),
    sqlite_with_rowid=False,
)

order_minute = Table(
    "order_minute",
    metadata,
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("house", String, primary_key=True),
    Column("raise_standing", Boolean, nullable=False),
    Column("target_w", Integer),
    Column("hold", Integer, nullable=False),
    Column("command_id", BigInteger, nullable=False),
    Column("acknowledged_s", BigInteger),
    Column("tie_closed", Boolean, nullable=False),
    Column("out_of_service", Boolean, nullable=False),
    Column("fate", SmallInteger, nullable=False, server_default="0"),  # 0: from before it was recorded
    sqlite_with_rowid=False,
)

# What the operator ordered by hand. Rows are only ever added; `number` is the order they were entered in.
directive = Table(
    "directive",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("kind", String, nullable=False),
    Column("house", String, nullable=False),  # empty: everybody
    Column("strategy", String),
    Column("target_w", Integer),
    Column("until_minute", BigInteger),
    Column("author", String, nullable=False),
    Column("note", String, nullable=False),
    Column("entered_s", BigInteger, nullable=False),
)

# One finished UTC day of one quantity, of houses whose values pack alike (see `seals`); a cache while the
# rows live.
sealed_day = Table(
    "sealed_day",
    metadata,
    Column("id", Integer, primary_key=True),
    Column("day", Integer, nullable=False),
    Column("quantity", Integer, nullable=False),
    Column("houses", String, nullable=False),
    Column("base", LargeBinary, nullable=False),
    Column("step", LargeBinary, nullable=False),
    Column("differenced", Boolean, nullable=False),
    Column("width", Integer, nullable=False),
    Column("packed", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
    Index("sealed_day_quantity", "day", "quantity"),
)

# --- bills ------------------------------------------------------------------------------------------

# One settlement of a month; run 1 made its bills, later ones adjustments. Bodies are msgpack (`billing`).
run = Table(
    "run",
    metadata,
    Column("month", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("made_s", BigInteger, nullable=False),
    Column("first_minute", Integer, nullable=False),
    Column("end_minute", Integer, nullable=False),
    Column("open_houses", String, nullable=False),  # as JSON
    Column("body", LargeBinary, nullable=False),
)

# The sums of one local day of a run.
run_day = Table(
    "run_day",
    metadata,
    Column("month", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
    ForeignKeyConstraint(["month", "number"], ["run.month", "run.number"]),
)

bill = Table(
    "bill",
    metadata,
    Column("month", String, primary_key=True),
    Column("house", String, primary_key=True),
    Column("kind", String, primary_key=True),
    Column("issued_s", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
    Column("delivered_s", BigInteger),
    Column("check_body", LargeBinary),  # what the house found
)
Index(
    "bill_undelivered",
    bill.c.house,
    sqlite_where=text("delivered_s IS NULL"),
    postgresql_where=text("delivered_s IS NULL"),
)

# What the operator waived of a house's penalties of a month. Rows are only ever added; what follows from them
# is posted as adjustments.
waiver = Table(
    "waiver",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("month", String, nullable=False),
    Column("house", String, ForeignKey("house.house"), nullable=False),
    Column("amount", BigInteger, nullable=False),
    Column("author", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("entered_s", BigInteger, nullable=False),
)
Index("waiver_month", waiver.c.month)

adjustment = Table(
    "adjustment",
    metadata,
    Column("month", String, primary_key=True),
    Column("number", Integer, primary_key=True, autoincrement=False),
    # 0: what the run changed; else what came of the waiver of this number
    Column("waiver", Integer, primary_key=True, autoincrement=False),
    Column("account", String, primary_key=True),
    Column("body", LargeBinary, nullable=False),
    Column("carried", String),  # the month with whose statement it was paid
    Column("delivered_s", BigInteger),
    ForeignKeyConstraint(["month", "number"], ["run.month", "run.number"]),
)
Index(
    "adjustment_undelivered",
    adjustment.c.account,
    sqlite_where=text("delivered_s IS NULL"),
    postgresql_where=text("delivered_s IS NULL"),
)

# What happened to the data of billed months, in the order noted.
change = Table(
    "change",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("month", String, nullable=False),
    Column("house", String, nullable=False),
    Column("cause", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("made_s", BigInteger, nullable=False),
    Column("author", String, nullable=False),
    Column("run", Integer),  # the number of the month's run that took it up
)

# --- readings beside the minutes --------------------------------------------------------------------

# Who corrected a minute, why, and the registers before (empty if there was no row) and after.
correction = Table(
    "correction",
    metadata,
    Column("number", Integer, primary_key=True),
    Column("house", String, nullable=False),
    Column("minute", Integer, nullable=False),
    Column("author", String, nullable=False),
    Column("reason", String, nullable=False),
    Column("entered_s", BigInteger, nullable=False),
    *(Column(f"old_{name}", BigInteger) for name in REGISTERS),
    *(Column(f"new_{name}", BigInteger, nullable=False) for name in REGISTERS),
)
Index("correction_house_minute", correction.c.house, correction.c.minute)

meter_swap = Table(
    "meter_swap",
    metadata,
    Column("house", String, primary_key=True),
    Column("at_s", BigInteger, primary_key=True, autoincrement=False),
    Column("body", LargeBinary, nullable=False),
)

CENTRAL = Schema(
    program="Central Power Monitor",
    application_id=0x4D474301,
    head=HEAD,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
)
