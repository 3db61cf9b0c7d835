"""Storms of mails, indexes by which a day's and an hour's mails are found, and the overview."""

import json

import sqlalchemy as sa
from alembic import op

revision = "0012"
down_revision = "0011"

_RANKS = ("info", "low", "medium", "high", "critical")


def upgrade() -> None:
    """Make the table and the indexes; what is known of flags already gets its columns."""
    _make_storms()
    for column in ("severity", "acknowledged_at", "resolved_at"):
        kind = sa.Integer() if column == "severity" else sa.BigInteger()
        op.add_column("flags", sa.Column(column, kind, nullable=True))
    _fill(op.get_bind())
    op.drop_index(op.f("ix_flags_opened_at"), table_name="flags")
    op.create_index(
        "ix_flags_overview",
        "flags",
        [
            "opened_at",
            "severity",
            "rule",
            "status",
            "acknowledged_at",
            "resolved_at",
            "occurrence",
        ],
        unique=False,
    )


def _fill(connection: sa.Connection) -> None:
    rows = [
        {"flag": row.id, "rank": _rank(row.flag)}
        for row in connection.execute(sa.text("SELECT id, flag FROM flags"))
    ]
    if rows:
        connection.execute(sa.text("UPDATE flags SET severity = :rank WHERE id = :flag"), rows)
    for statement in (
        "UPDATE flags SET acknowledged_at = (SELECT MIN(decided_at) FROM decisions"
        " WHERE flag_id = flags.id AND decided_at >= flags.opened_at) WHERE status <> 'open'",
        "UPDATE flags SET resolved_at = (SELECT MAX(decided_at) FROM decisions"
        " WHERE flag_id = flags.id) WHERE status IN ('upheld', 'dismissed')",
    ):
        connection.execute(sa.text(statement))


def _rank(document: str) -> int:
    """That of the severity; what cannot be read counts as the least."""
    severity = json.loads(document).get("severity")
    return _RANKS.index(severity) if severity in _RANKS else 0


def _make_storms() -> None:
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
