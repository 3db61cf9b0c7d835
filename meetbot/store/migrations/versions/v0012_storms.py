"""Storms of mails, and indexes by which a day's and an hour's mails are found."""

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0008"


def upgrade() -> None:
    """Make the table and the indexes."""
    op.create_table(
        "storms",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("begun_at", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("by_rule", sa.Text(), nullable=False),
        sa.Column("ending", sa.Text(), nullable=True),
        sa.Column("ended_at", sa.BigInteger(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.Column("mails", sa.Text(), nullable=True),
        sa.Column("link", sa.BigInteger(), nullable=True),
        sa.Column("ended_link", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_storms")),
    )
    for column in ("link", "ended_link"):
        op.create_index(op.f(f"ix_storms_{column}"), "storms", [column], unique=False)
    for column in ("queued_at", "changed_at"):
        op.create_index(op.f(f"ix_outbox_{column}"), "outbox", [column], unique=False)
