"""Settings of Meet spaces, the history of guest lists, and who edited events."""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"


def upgrade() -> None:
    """Add columns to occurrences and the table of edits."""
    op.add_column("meetings", sa.Column("space", sa.Text(), nullable=True))
    op.add_column("meetings", sa.Column("space_due_at", sa.BigInteger(), nullable=True))
    op.add_column("meetings", sa.Column("guest_list", sa.Text(), nullable=True))
    op.add_column("meetings", sa.Column("link", sa.Text(), nullable=True))
    op.create_table(
        "event_edits",
        sa.Column("key", sa.Text(), nullable=False),
        sa.Column("event_id", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=True),
        sa.Column("guest_key", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_event_edits")),
    )
    op.create_index(op.f("ix_event_edits_event_id"), "event_edits", ["event_id"], unique=False)
    op.create_index(op.f("ix_event_edits_at"), "event_edits", ["at"], unique=False)
    op.create_index(op.f("ix_copies_event_id"), "copies", ["event_id"], unique=False)
    op.create_index(
        op.f("ix_copies_recurring_event_id"), "copies", ["recurring_event_id"], unique=False
    )
