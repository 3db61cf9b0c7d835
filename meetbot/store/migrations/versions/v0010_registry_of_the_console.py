"""Registry rows that are added and ended in the console, approvals, and uploads not confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0008"


def upgrade() -> None:
    """Make columns and tables; every row that is there was imported."""
    op.add_column("registry_rows", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("registry_rows", sa.Column("by", sa.Text(), nullable=True))
    op.add_column("registry_rows", sa.Column("ended_by", sa.Text(), nullable=True))
    op.get_bind().execute(sa.text("UPDATE registry_rows SET origin = 'import'"))
    with op.batch_alter_table("registry_rows") as table:
        table.alter_column("origin", existing_type=sa.Text(), nullable=False)
