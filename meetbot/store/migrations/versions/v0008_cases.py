"""Cases, made of the flags that are there, with the terms by which they are found."""

import hashlib
import json
from collections import defaultdict
from datetime import UTC, datetime, timedelta
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0008"
down_revision = "0007"

_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_RANKS = ("info", "low", "medium", "high", "critical")
_PENDING = ("open", "acknowledged")
_NEEDED = {
    "key",
    "occurrence",
    "severity",
    "certainty",
    "school_id",
    "partner_id",
    "opened_at",
    "updated_at",
}
_ROWS = 1000


def upgrade() -> None:
    """Make the tables and fill them.

    The host is known to the judge alone, which looks again at once at meetings with pending flags.
    Whether a meeting was confidential is taken from what was kept with the changes of its flags;
    where that tells nothing, nobody but the privacy officers sees the case.
    """
    _make_tables()
    connection = op.get_bind()
    _fill(connection)
    connection.execute(
        sa.text(
            "UPDATE meetings SET due_at = :now, version = version + 1 WHERE key_text IN"
            " (SELECT occurrence FROM flags WHERE status IN ('open', 'acknowledged'))"
        ),
        {"now": _micros(datetime.now(UTC))},
    )


def _make_tables() -> None:
    op.create_table(
        "cases",
        sa.Column("number", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("occurrence", sa.Text(), nullable=False),
        sa.Column("status", sa.Text(), nullable=False),
        sa.Column("severity", sa.Integer(), nullable=False),
        sa.Column("is_private", sa.Boolean(), nullable=False),
        sa.Column("school_id", sa.Text(), nullable=True),
        sa.Column("host_key", sa.Text(), nullable=True),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.Column("opened_at", sa.BigInteger(), nullable=False),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("flags", sa.Integer(), nullable=False),
        sa.Column("pending", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("gist", sa.Text(), nullable=False),
        sa.Column("noted", sa.Text(), nullable=True),
        sa.Column("touched_at", sa.BigInteger(), nullable=True),
        sa.PrimaryKeyConstraint("number", name=op.f("pk_cases")),
        sa.UniqueConstraint("id", name=op.f("uq_cases_id")),
        sa.UniqueConstraint("occurrence", name=op.f("uq_cases_occurrence")),
    )
    for columns in (
        ["is_private", "status", "opened_at", "id"],
        ["is_private", "status", "severity", "opened_at", "id"],
        ["is_private", "starts_at"],
    ):
        op.create_index(op.f(f"ix_cases_{'_'.join(columns)}"), "cases", columns, unique=False)
    op.create_table(
        "case_terms",
        sa.Column("case", sa.BigInteger(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("value", sa.Text(), nullable=False),
        sa.Column("starts_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["case"], ["cases.number"], name=op.f("fk_case_terms_case"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("case", "kind", "value", name=op.f("pk_case_terms")),
    )
    op.create_index(
        op.f("ix_case_terms_kind_value_starts_at_case"),
        "case_terms",
        ["kind", "value", "starts_at", "case"],
        unique=False,
    )
    op.create_table(
        "case_events",
        sa.Column("id", sa.BigInteger().with_variant(sa.Integer(), "sqlite"), nullable=False),
        sa.Column("case_id", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("at", sa.BigInteger(), nullable=False),
        sa.Column("by", sa.Text(), nullable=False),
        sa.Column("choice", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=False),
        sa.Column("about", sa.Text(), nullable=False),
        sa.Column("person", sa.Text(), nullable=False),
        sa.Column("of", sa.BigInteger(), nullable=True),
        sa.Column("steps", sa.Text(), nullable=False),
        sa.Column("link", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["case_id"], ["cases.id"], name=op.f("fk_case_events_case_id"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_case_events")),
    )
    for column in ("case_id", "link"):
        op.create_index(op.f(f"ix_case_events_{column}"), "case_events", [column], unique=False)


def _fill(connection: sa.Connection) -> None:
    known = _confidential(connection)
    found: dict[str, list[dict[str, Any]]] = defaultdict(list)
    for row in connection.execute(sa.text("SELECT id, occurrence, status, flag FROM flags")):
        flag = json.loads(row.flag)
        # What cannot be read as a flag any more is no part of a case either.
        if isinstance(flag, dict) and flag.keys() >= _NEEDED:
            found[row.occurrence].append(flag | {"id": row.id, "status": row.status})
    cases: dict[str, dict[str, Any]] = {}
    for occurrence, flags in found.items():
        told = [known[flag["id"]] for flag in flags if flag["id"] in known]
        private = _is_private(flags, told)
        if not private:
            found[occurrence] = [flag for flag in flags if not _is_theirs(flag)]
        cases[occurrence] = _case(occurrence, found[occurrence], told, private=private)
    _insert(connection, "cases", list(cases.values()))
    numbers = {
        row.id: row.number for row in connection.execute(sa.text("SELECT id, number FROM cases"))
    }
    terms = (_terms(numbers[case["id"]], case, found[key]) for key, case in cases.items())
    _insert(connection, "case_terms", [term for own in terms for term in own])


def _insert(connection: sa.Connection, table: str, rows: list[dict[str, Any]]) -> None:
    for start in range(0, len(rows), _ROWS):
        some = rows[start : start + _ROWS]
        names = ", ".join(f'"{name}"' for name in some[0])
        marks = ", ".join(f":{name}" for name in some[0])
        connection.execute(sa.text(f"INSERT INTO {table} ({names}) VALUES ({marks})"), some)


def _confidential(connection: sa.Connection) -> dict[str, bool]:
    """By flag, whether its meeting was ever confidential; those left out tell nothing."""
    query = "SELECT flag_id, snapshot, withheld FROM flag_history ORDER BY id"
    found: dict[str, bool] = {}
    for row in connection.execute(sa.text(query)):
        if row.snapshot is not None or row.withheld in ("adults", "confidential"):
            is_confidential = row.withheld == "confidential"
            found[row.flag_id] = found.get(row.flag_id, False) or is_confidential
    return found


def _is_theirs(flag: dict[str, Any]) -> bool:
    """Whether this is a flag of which only the privacy officers hear."""
    return bool(flag["key"]["rule"] == "confidential-intruder")


def _is_private(flags: list[dict[str, Any]], told: list[bool]) -> bool:
    theirs = [flag for flag in flags if _is_theirs(flag)]
    return (
        not told
        or any(told)
        or len(theirs) == len(flags)
        or any(flag["status"] not in ("withdrawn", "superseded") for flag in theirs)
    )


def _case(
    occurrence: str, flags: list[dict[str, Any]], told: list[bool], *, private: bool
) -> dict[str, Any]:
    pending = [flag for flag in flags if flag["status"] in _PENDING]
    last = max(flags, key=lambda flag: (_at(flag["updated_at"]), flag["id"]))
    is_open = any(flag["status"] == "open" for flag in pending)
    text = last["key"]["occurrence"]
    schools = sorted(flags, key=lambda f: (_at(f["updated_at"]), f["id"]), reverse=True)
    starts_at = last["occurrence"]["original_start_at"]
    noted = {
        "host_key": None,
        "answerers": [],
        "schools": [],
        "is_private": any(told),
        "starts_at": starts_at,
    }
    gist = sorted(f"{f['id']}/{f['status']}/{f['severity']}/{f['certainty']}" for f in flags)
    return {
        "id": "C-" + hashlib.sha256(f"case\0{text}".encode()).hexdigest()[:12],
        "occurrence": occurrence,
        "status": "open" if is_open else "acknowledged" if pending else "closed",
        "severity": max(_RANKS.index(flag["severity"]) for flag in pending or flags),
        "is_private": private,
        "school_id": next((f["school_id"] for f in schools if f.get("school_id")), None),
        "host_key": None,
        "starts_at": _at(starts_at),
        "opened_at": max(_at(flag["opened_at"]) for flag in flags),
        "updated_at": _at(last["updated_at"]),
        "flags": len(flags),
        "pending": len(pending),
        "version": 1,
        "gist": hashlib.sha256(" ".join(gist).encode()).hexdigest()[:16],
        "noted": json.dumps(noted) if told else None,
        "touched_at": None,
    }


def _terms(number: int, case: dict[str, Any], flags: list[dict[str, Any]]) -> list[dict[str, Any]]:
    found = {("rule", flag["key"]["rule"]) for flag in flags}
    found |= {("partner", flag["partner_id"]) for flag in flags if flag.get("partner_id")}
    found |= {("school", flag["school_id"]) for flag in flags if flag.get("school_id")}
    return [
        {"case": number, "kind": kind, "value": value, "starts_at": case["starts_at"]}
        for kind, value in sorted(found)
    ]


def _at(text: str) -> int:
    return _micros(datetime.fromisoformat(text))


def _micros(at: datetime) -> int:
    return (at - _EPOCH) // timedelta(microseconds=1)
