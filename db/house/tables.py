"""The house's tables. A change here is a migration in `migrations/versions` and a new HEAD."""

from pathlib import Path

from sqlalchemy import BigInteger, Boolean, Column, Index, Integer, LargeBinary, MetaData, String, Table, text

from db.engine import Schema

HEAD = "0002"

metadata = MetaData()

meter_minute = Table(
    "meter_minute",
    metadata,
    Column("minute", Integer, primary_key=True, autoincrement=False),
    Column("house", String, nullable=False),
    Column("epoch", BigInteger, nullable=False),
    Column("import_ws", BigInteger, nullable=False),
    Column("export_ws", BigInteger, nullable=False),
    Column("generation_ws", BigInteger, nullable=False),
    Column("closed_s", Integer, nullable=False),
    Column("covered_s", Integer, nullable=False),
    Column("max_w", Integer, nullable=False),
    Column("min_w", Integer, nullable=False),
    Column("voltage_mv", Integer, nullable=False),
    Column("current_ma", Integer, nullable=False),
    Column("power_factor_milli", Integer, nullable=False),
    Column("frequency_mhz", Integer, nullable=False),
    Column("suspect", Integer, nullable=False),
    Column("origin", Integer, nullable=False),
    Column("revision", Integer, nullable=False),
    Column("acknowledged", Boolean, nullable=False),
)
Index(
    "meter_minute_pending",
    meter_minute.c.minute,
    sqlite_where=text("NOT acknowledged"),
    postgresql_where=text("NOT acknowledged"),
)

# What the house was sent or has to say (see `papers`).
paper = Table(
    "paper",
    metadata,
    Column("kind", String, primary_key=True),
    Column("key", String, primary_key=True),
    Column("at_s", BigInteger, nullable=False),
    Column("body", LargeBinary, nullable=False),
)

HOUSE = Schema(
    program="house client",
    application_id=0x4D474801,
    head=HEAD,
    metadata=metadata,
    migrations=Path(__file__).parent / "migrations",
)
