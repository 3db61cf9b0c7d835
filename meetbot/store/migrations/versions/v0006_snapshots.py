"""What changes of flags were decided on."""

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"


def upgrade() -> None:
    """Make the table and the columns; of changes made before nothing is known."""
    op.create_table(
        "snapshots",
        sa.Column("digest", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("taken_at", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("digest", name=op.f("pk_snapshots")),
    )
    op.create_index(op.f("ix_snapshots_occurrence"), "snapshots", ["occurrence"], unique=False)
    with op.batch_alter_table("flag_history") as table:
        table.add_column(sa.Column("snapshot", sa.Text(), nullable=True))
        table.add_column(sa.Column("withheld", sa.Text(), nullable=True))
        table.create_foreign_key(
            op.f("fk_flag_history_snapshot"), "snapshots", ["snapshot"], ["digest"]
        )
        table.create_index(op.f("ix_flag_history_snapshot"), ["snapshot"], unique=False)
