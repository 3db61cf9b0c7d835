"""Registry rows that are added and ended in the console, approvals, and uploads not confirmed."""

import sqlalchemy as sa
from alembic import op

revision = "0010"
down_revision = "0009"


def upgrade() -> None:
    """Make columns and tables; every row that is there was imported."""
    op.add_column("registry_rows", sa.Column("origin", sa.Text(), nullable=True))
    op.add_column("registry_rows", sa.Column("by", sa.Text(), nullable=True))
    op.add_column("registry_rows", sa.Column("ended_by", sa.Text(), nullable=True))
    op.get_bind().execute(sa.text("UPDATE registry_rows SET origin = 'import'"))
    with op.batch_alter_table("registry_rows") as table:
        table.alter_column("origin", existing_type=sa.Text(), nullable=False)
    _make_pending_imports()
    _make_approvals()


def _make_pending_imports() -> None:
    op.create_table(
        "pending_imports",
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("uploaded_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("changes", sa.Text(), nullable=False),
        sa.Column("body", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_pending_imports")),
    )
    for column in ("by", "expires_at"):
        name = op.f(f"ix_pending_imports_{column}")
        op.create_index(name, "pending_imports", [column], unique=False)


def _make_approvals() -> None:
    needed = ("occurrence", "case_id", "partner_id", "program_id", "school_id", "host", "host_key")
    op.create_table(
        "approvals",
        sa.Column("id", sa.Text(), nullable=False),
        *(sa.Column(name, sa.Text(), nullable=False) for name in needed),
        sa.Column("start_at", sa.BigInteger(), nullable=False),
        sa.Column("end_at", sa.BigInteger(), nullable=False),
        sa.Column("starts_on", sa.Text(), nullable=False),
        sa.Column("ends_on", sa.Text(), nullable=False),
        sa.Column("words", sa.Text(), nullable=False),
        sa.Column("asked_at", sa.BigInteger(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.Column("state", sa.Text(), nullable=False),
        sa.Column("decided_by", sa.Text(), nullable=True),
        sa.Column("decided_at", sa.BigInteger(), nullable=True),
        sa.Column("granted_from", sa.Text(), nullable=True),
        sa.Column("granted_to", sa.Text(), nullable=True),
        sa.Column("refusal", sa.Text(), nullable=True),
        sa.Column("answer", sa.Text(), nullable=False),
        sa.Column("authorization_id", sa.Text(), nullable=True),
        sa.Column("link", sa.BigInteger(), nullable=True),
        sa.Column("ended_link", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_approvals")),
    )
    for column in ("occurrence", "host_key", "link", "ended_link"):
        op.create_index(op.f(f"ix_approvals_{column}"), "approvals", [column], unique=False)
    op.create_index(
        op.f("ix_approvals_school_id_state"), "approvals", ["school_id", "state"], unique=False
    )
