"""The hash chain over what was done so far, legal holds, and counts of what was forgotten."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

from meetbot.domain.chain import LinkKind, canonical, link_after, row_digest, sha256

revision = "0003"
down_revision = "0002"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_LINKED = ("decisions", "registry_rows", "outbox")
_ADD_LINK = sa.text(
    "INSERT INTO chain (sequence, at, kind, subject, payload, previous, hash)"
    " VALUES (:sequence, :at, :kind, :subject, :payload, :previous, :hash)"
)


def upgrade() -> None:
    """Make tables and columns; the first link takes in everything that is there."""
    _make_tables()
    for table in _LINKED:
        op.add_column(table, sa.Column("link", sa.BigInteger(), nullable=True))
        op.create_index(op.f(f"ix_{table}_link"), table, ["link"], unique=False)
    op.add_column("registry_rows", sa.Column("ended_link", sa.BigInteger(), nullable=True))
    op.create_index(
        op.f("ix_registry_rows_ended_link"), "registry_rows", ["ended_link"], unique=False
    )
    now = datetime.now(UTC)
    _add_learned_at(now)
    _begin(op.get_bind(), now)


def _make_tables() -> None:
    op.create_table(
        "chain",
        sa.Column("sequence", sa.BigInteger(), autoincrement=False, nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("payload", sa.Text(), nullable=False),
        sa.Column("previous", sa.Text(), nullable=False),
        sa.Column("hash", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("sequence", name=op.f("pk_chain")),
    )
    op.create_index(op.f("ix_chain_kind_subject"), "chain", ["kind", "subject"], unique=False)
    op.create_table(
        "holds",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("subject", sa.Text(), nullable=False),
        sa.Column("reason", sa.Text(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("added_at", sa.BigInteger(), nullable=False),
        sa.Column("removed_at", sa.BigInteger(), nullable=True),
        sa.Column("removed_by", sa.Text(), nullable=True),
        sa.Column("removed_reason", sa.Text(), nullable=True),
        sa.Column("link", sa.BigInteger(), nullable=True),
        sa.Column("ended_link", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_holds")),
    )
    for column in ("link", "ended_link"):
        op.create_index(op.f(f"ix_holds_{column}"), "holds", [column], unique=False)
    op.create_table(
        "forgotten",
        sa.Column("month", sa.Text(), nullable=False),
        sa.Column("meetings", sa.Integer(), nullable=False),
        sa.Column("calls", sa.Integer(), nullable=False),
        sa.Column("visits", sa.Integer(), nullable=False),
        sa.PrimaryKeyConstraint("month", name=op.f("pk_forgotten")),
    )


def _add_learned_at(now: datetime) -> None:
    """What was learned before counts as learned today."""
    op.add_column("learned_addresses", sa.Column("learned_at", sa.BigInteger(), nullable=True))
    op.get_bind().execute(
        sa.text("UPDATE learned_addresses SET learned_at = :now"), {"now": _micros(now)}
    )
    with op.batch_alter_table("learned_addresses") as table:
        table.alter_column("learned_at", existing_type=sa.BigInteger(), nullable=False)


def _begin(connection: sa.Connection, now: datetime) -> None:
    rows = {
        "decisions": _digests(connection, "decisions", "decisions"),
        "registry_rows": _digests(connection, "registry_rows", "registry_rows"),
        "registry_ends": _digests(
            connection, "registry_ends", "registry_rows WHERE known_to IS NOT NULL"
        ),
        "outbox": _digests(connection, "outbox", "outbox WHERE state = 'sent'"),
    }
    link = link_after(None, LinkKind.GENESIS, "", canonical({"rows": rows}), at=now)
    connection.execute(
        _ADD_LINK,
        {
            "sequence": link.sequence,
            "at": _micros(now),
            "kind": link.kind,
            "subject": link.subject,
            "payload": link.payload,
            "previous": link.previous,
            "hash": link.hash,
        },
    )
    for statement in (
        "UPDATE decisions SET link = 1",
        "UPDATE registry_rows SET link = 1",
        "UPDATE registry_rows SET ended_link = 1 WHERE known_to IS NOT NULL",
        "UPDATE outbox SET link = 1 WHERE state = 'sent'",
    ):
        connection.execute(sa.text(statement))
    connection.execute(
        sa.text("INSERT INTO settings (name, value) VALUES ('chain-head', :head)"),
        {"head": f"{link.sequence} {link.hash}"},
    )


def _digests(connection: sa.Connection, table: str, source: str) -> list[str]:
    found = connection.execute(sa.text(f"SELECT * FROM {source}"))
    return sorted(row_digest(table, _values(dict(row._mapping))) for row in found)


def _values(row: dict[str, Any]) -> dict[str, Any]:
    """The values as the program reads them."""
    for name in ("decided_at", "known_from", "known_to"):
        if row.get(name) is not None:
            row[name] = _EPOCH + timedelta(microseconds=row[name])
    if "cells" in row:
        row["cells"] = json.loads(row["cells"])
    if "notice" in row:
        row["notice"] = sha256(row["notice"].encode())
    return row


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
