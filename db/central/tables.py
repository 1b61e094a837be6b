"""The central's tables. A change here is a migration in `migrations/versions` and a new HEAD."""

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Column, ForeignKey, Integer, LargeBinary, MetaData, String, Table

from db.engine import Schema

HEAD = "0001"

# What the house measured: two rows are the same reading if these are equal.
MEASURED = (
    "epoch",
    "import_ws",
    "export_ws",
    "generation_ws",
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
)

contract = Table(
    "contract",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("house", String, ForeignKey("house.house"), nullable=False),
    Column("role", String, nullable=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("max_w", Integer, nullable=False),
    Column("min_w", Integer, nullable=False),
    Column("price", BigInteger, nullable=False),
    Column("source", String),
    Column("obligation", String, nullable=False),
)

tariff = Table(
    "tariff",
    metadata,
    Column("position", Integer, primary_key=True, autoincrement=False),
    Column("valid_from", BigInteger, nullable=False),
    Column("valid_to", BigInteger, nullable=False),
    Column("national", BigInteger, nullable=False),
    Column("feed_in", BigInteger, nullable=False),
    Column("cap", String, nullable=False),
    Column("penalty_basis", String, nullable=False),
    Column("response_s", Integer, nullable=False),
    Column("deadband_w", Integer, nullable=False),
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
    sqlite_with_rowid=False,
)

# One finished UTC day of one quantity of one house (see `seals`); a cache while the rows live.
sealed_day = Table(
    "sealed_day",
    metadata,
    Column("day", Integer, primary_key=True, autoincrement=False),
    Column("quantity", Integer, primary_key=True, autoincrement=False),
    Column("house", String, primary_key=True),
    Column("base", BigInteger, nullable=False),
    Column("step", BigInteger, nullable=False),
    Column("differenced", Boolean, nullable=False),
    Column("width", Integer, nullable=False),
    Column("packed", Boolean, nullable=False),
    Column("data", LargeBinary, nullable=False),
)

CENTRAL = Schema(
    program="Central Power Monitor",
    application_id=0x4D474301,
    head=HEAD,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
)
