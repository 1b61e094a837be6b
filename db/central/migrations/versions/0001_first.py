"""The first schema: terms, minutes, sealed days."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.create_table(
        "house",
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("position", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("connection_w", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("house"),
    )
    op.create_table(
        "meter_day",
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("house", "day"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meter_minute",
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("import_ws", sa.BigInteger(), nullable=False),
        sa.Column("export_ws", sa.BigInteger(), nullable=False),
        sa.Column("generation_ws", sa.BigInteger(), nullable=False),
        sa.Column("closed_s", sa.Integer(), nullable=False),
        sa.Column("covered_s", sa.Integer(), nullable=False),
        sa.Column("max_w", sa.Integer(), nullable=False),
        sa.Column("min_w", sa.Integer(), nullable=False),
        sa.Column("voltage_mv", sa.Integer(), nullable=False),
        sa.Column("current_ma", sa.Integer(), nullable=False),
        sa.Column("power_factor_milli", sa.Integer(), nullable=False),
        sa.Column("frequency_mhz", sa.Integer(), nullable=False),
        sa.Column("suspect", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "house"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "meter_minute_revision",
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("epoch", sa.BigInteger(), nullable=False),
        sa.Column("import_ws", sa.BigInteger(), nullable=False),
        sa.Column("export_ws", sa.BigInteger(), nullable=False),
        sa.Column("generation_ws", sa.BigInteger(), nullable=False),
        sa.Column("closed_s", sa.Integer(), nullable=False),
        sa.Column("covered_s", sa.Integer(), nullable=False),
        sa.Column("max_w", sa.Integer(), nullable=False),
        sa.Column("min_w", sa.Integer(), nullable=False),
        sa.Column("voltage_mv", sa.Integer(), nullable=False),
        sa.Column("current_ma", sa.Integer(), nullable=False),
        sa.Column("power_factor_milli", sa.Integer(), nullable=False),
        sa.Column("frequency_mhz", sa.Integer(), nullable=False),
        sa.Column("suspect", sa.Integer(), nullable=False),
        sa.Column("origin", sa.Integer(), nullable=False),
        sa.Column("revision", sa.Integer(), autoincrement=False, nullable=False),
        sa.PrimaryKeyConstraint("minute", "house", "revision"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "order_minute",
        sa.Column("minute", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("raise_standing", sa.Boolean(), nullable=False),
        sa.Column("target_w", sa.Integer(), nullable=True),
        sa.Column("hold", sa.Integer(), nullable=False),
        sa.Column("command_id", sa.BigInteger(), nullable=False),
        sa.Column("acknowledged_s", sa.BigInteger(), nullable=True),
        sa.Column("tie_closed", sa.Boolean(), nullable=False),
        sa.Column("out_of_service", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("minute", "house"),
        sqlite_with_rowid=False,
    )
    op.create_table(
        "sealed_day",
        sa.Column("day", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("quantity", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("base", sa.BigInteger(), nullable=False),
        sa.Column("step", sa.BigInteger(), nullable=False),
        sa.Column("differenced", sa.Boolean(), nullable=False),
        sa.Column("width", sa.Integer(), nullable=False),
        sa.Column("packed", sa.Boolean(), nullable=False),
        sa.Column("data", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("day", "quantity", "house"),
    )
    op.create_table(
        "setting",
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("value", sa.String(), nullable=False),
        sa.PrimaryKeyConstraint("name"),
    )
    op.create_table(
        "tariff",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("national", sa.BigInteger(), nullable=False),
        sa.Column("feed_in", sa.BigInteger(), nullable=False),
        sa.Column("cap", sa.String(), nullable=False),
        sa.Column("penalty_basis", sa.String(), nullable=False),
        sa.Column("response_s", sa.Integer(), nullable=False),
        sa.Column("deadband_w", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("position"),
    )
    op.create_table(
        "contract",
        sa.Column("position", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("valid_from", sa.BigInteger(), nullable=False),
        sa.Column("valid_to", sa.BigInteger(), nullable=False),
        sa.Column("max_w", sa.Integer(), nullable=False),
        sa.Column("min_w", sa.Integer(), nullable=False),
        sa.Column("price", sa.BigInteger(), nullable=False),
        sa.Column("source", sa.String(), nullable=True),
        sa.Column("obligation", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["house"],
            ["house.house"],
        ),
        sa.PrimaryKeyConstraint("position"),
    )
