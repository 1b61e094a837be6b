"""Agreements as entries with their authors; bills, adjustments, corrections and meter swaps."""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_FOREVER = 4_223_371_680  # the minute after the year 9999: the house has not left


def upgrade() -> None:
    _houses_and_entries()
    _bills()
    _readings()


def _houses_and_entries() -> None:
    """Terms were few rows: they are read, and written again into the new tables."""
    houses, contracts, tariffs = (_rows(table) for table in ("house", "contract", "tariff"))
    for table in ("contract", "tariff", "house"):
        op.drop_table(table)
    op.create_table(
        "house",
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("connection_w", sa.Integer(), nullable=False),
        sa.Column("joined", sa.BigInteger(), nullable=False),
        sa.Column("left", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("house"),
    )
    op.create_table(
        "contract_round",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("first_minute", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("end_minute", sa.BigInteger(), nullable=False),
        sa.Column("houses", sa.String(), nullable=False),
        sa.Column("opened_s", sa.BigInteger(), nullable=False),
        sa.Column("closes_s", sa.BigInteger(), nullable=False),
        sa.Column("opened_by", sa.String(), nullable=False),
        sa.Column("final_s", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("month", "first_minute"),
    )
    op.create_table(
        "contract_entry",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("round_minute", sa.BigInteger(), nullable=True),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("role", sa.String(), nullable=True),
        sa.Column("max_w", sa.Integer(), nullable=True),
        sa.Column("min_w", sa.Integer(), nullable=True),
        sa.Column("price", sa.BigInteger(), nullable=True),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("obligation", sa.String(), nullable=True),
        sa.Column("basis", sa.String(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("entered_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["month", "round_minute"],
            ["contract_round.month", "contract_round.first_minute"],
        ),
        sa.UniqueConstraint("month", "round_minute", "house"),
        sa.ForeignKeyConstraint(["house"], ["house.house"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "tariff_entry",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("national", sa.BigInteger(), nullable=False),
        sa.Column("feed_in", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.String(), nullable=False),
        sa.Column("penalty_basis", sa.String(), nullable=False),
        sa.Column("response_s", sa.Integer(), nullable=False),
        sa.Column("deadband_w", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("entered_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    brought = {"author": "grid file", "note": "", "entered_s": 0}
    _insert("house", [{**house, "joined": 0, "left": _FOREVER} for house in houses])
    _insert("contract_entry", [{**row, **brought, "month": "", "basis": "grid file"} for row in contracts])
    _insert("tariff_entry", [{**row, **brought} for row in tariffs])


def _rows(table: str) -> list[dict[str, object]]:
    """A table's rows in the order of the terms."""
    rows = op.get_bind().execute(sa.text(f"SELECT * FROM {table} ORDER BY position"))
    return [dict(row) for row in rows.mappings()]


def _insert(table: str, rows: list[dict[str, object]]) -> None:
    """Insert one by one, so that they are numbered in their order; what has no column is left out."""
    bind = op.get_bind()
    new = sa.Table(table, sa.MetaData(), autoload_with=bind, resolve_fks=False)
    for row in rows:
        bind.execute(new.insert(), {name: value for name, value in row.items() if name in new.c})


def _bills() -> None:
    op.create_table(
        "run",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("made_s", sa.BigInteger(), nullable=False),
        sa.Column("first_minute", sa.Integer(), nullable=False),
        sa.Column("end_minute", sa.Integer(), nullable=False),
        sa.Column("open_houses", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("month", "number"),
    )
    op.create_table(
        "run_day",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["month", "number"],
            ["run.month", "run.number"],
        ),
        sa.PrimaryKeyConstraint("month", "number", "day"),
    )
    op.create_table(
        "bill",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("issued_s", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("delivered_s", sa.BigInteger(), nullable=True),
        sa.Column("check_body", sa.LargeBinary(), nullable=True),
        sa.PrimaryKeyConstraint("month", "house", "kind"),
    )
    op.create_table(
        "adjustment",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("carried", sa.String(), nullable=True),
        sa.Column("delivered_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["month", "number"],
            ["run.month", "run.number"],
        ),
        sa.PrimaryKeyConstraint("month", "number", "account"),
    )
    op.create_index(
        "adjustment_undelivered",
        "adjustment",
        ["account"],
        unique=False,
        sqlite_where=sa.text("delivered_s IS NULL"),
        postgresql_where=sa.text("delivered_s IS NULL"),
    )
    op.create_index(
        "bill_undelivered",
        "bill",
        ["house"],
        unique=False,
        sqlite_where=sa.text("delivered_s IS NULL"),
        postgresql_where=sa.text("delivered_s IS NULL"),
    )
    op.create_table(
        "change",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("cause", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("made_s", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("run", sa.Integer(), nullable=True),
        sa.PrimaryKeyConstraint("number"),
    )


def _readings() -> None:
    op.create_table(
        "correction",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("minute", sa.Integer(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entered_s", sa.BigInteger(), nullable=False),
        sa.Column("old_epoch", sa.BigInteger(), nullable=True),
        sa.Column("old_import_ws", sa.BigInteger(), nullable=True),
        sa.Column("old_export_ws", sa.BigInteger(), nullable=True),
        sa.Column("old_generation_ws", sa.BigInteger(), nullable=True),
        sa.Column("new_epoch", sa.BigInteger(), nullable=False),
        sa.Column("new_import_ws", sa.BigInteger(), nullable=False),
        sa.Column("new_export_ws", sa.BigInteger(), nullable=False),
        sa.Column("new_generation_ws", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("correction_house_minute", "correction", ["house", "minute"], unique=False)
    op.create_table(
        "meter_swap",
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("at_s", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("house", "at_s"),
    )
