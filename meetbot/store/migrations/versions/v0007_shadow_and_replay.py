"""What rules in shadow find, and when each occurrence was last judged in each phase."""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"


def upgrade() -> None:
    """Make the table and the columns; of what was judged before the instants are not known."""
    op.create_table(
        "shadow_flags",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("rule", sa.Text(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("flag", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_shadow_flags")),
    )
    for column in ("occurrence", "rule"):
        name = op.f(f"ix_shadow_flags_{column}")
        op.create_index(name, "shadow_flags", [column], unique=False)
    for phase in ("before", "during", "after"):
        op.add_column("meetings", sa.Column(f"judged_{phase}_at", sa.BigInteger(), nullable=True))
