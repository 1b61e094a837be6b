"""What became of an order; what the operator orders by hand; penalties waived, with their adjustments."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("order_minute", sa.Column("fate", sa.SmallInteger(), nullable=False, server_default="0"))
    op.create_table(
        "directive",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("kind", sa.String(), nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("strategy", sa.String(), nullable=True),
        sa.Column("target_w", sa.Integer(), nullable=True),
        sa.Column("until_minute", sa.BigInteger(), nullable=True),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("note", sa.String(), nullable=False),
        sa.Column("entered_s", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_table(
        "waiver",
        sa.Column("number", sa.Integer(), nullable=False),
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("house", sa.String(), nullable=False),
        sa.Column("amount", sa.BigInteger(), nullable=False),
        sa.Column("author", sa.String(), nullable=False),
        sa.Column("reason", sa.String(), nullable=False),
        sa.Column("entered_s", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(["house"], ["house.house"]),
        sa.PrimaryKeyConstraint("number"),
    )
    op.create_index("waiver_month", "waiver", ["month"], unique=False)
    _adjustments()


def _adjustments() -> None:
    """They are few rows: read, and written again into a table with one more column in its key."""
    bind = op.get_bind()
    rows = [dict(row) for row in bind.execute(sa.text("SELECT * FROM adjustment")).mappings()]
    op.drop_index("adjustment_undelivered", "adjustment")
    op.drop_table("adjustment")
    table = op.create_table(
        "adjustment",
        sa.Column("month", sa.String(), nullable=False),
        sa.Column("number", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("waiver", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("account", sa.String(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.Column("carried", sa.String(), nullable=True),
        sa.Column("delivered_s", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(["month", "number"], ["run.month", "run.number"]),
        sa.PrimaryKeyConstraint("month", "number", "waiver", "account"),
    )
    op.create_index(
        "adjustment_undelivered",
        "adjustment",
        ["account"],
        unique=False,
        sqlite_where=sa.text("delivered_s IS NULL"),
        postgresql_where=sa.text("delivered_s IS NULL"),
    )
    if rows:
        bind.execute(sa.insert(table), [{**row, "waiver": 0} for row in rows])
