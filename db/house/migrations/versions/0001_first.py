"""The first schema: the journal."""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
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
        sa.Column("acknowledged", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("minute"),
    )
    op.create_index(
        "meter_minute_pending",
        "meter_minute",
        ["minute"],
        unique=False,
        sqlite_where=sa.text("NOT acknowledged"),
        postgresql_where=sa.text("NOT acknowledged"),
    )
