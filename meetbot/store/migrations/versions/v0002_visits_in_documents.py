"""All visits of a conference in one document in its row, instead of a row for each."""

import json
from typing import Any

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"

_TOGETHER = 500
_VISITS = sa.text(
    "SELECT conference, key, participant, identity, start_at, end_at, last_seen_at, is_hull"
    " FROM visits WHERE conference IN :names ORDER BY start_at, key"
).bindparams(sa.bindparam("names", expanding=True))
_FILL = sa.text("UPDATE conferences SET visits = :visits WHERE name = :name")


def upgrade() -> None:
    """Move the visits, then drop their table."""
    op.add_column("conferences", sa.Column("organizer_key", sa.Text(), nullable=True))
    op.add_column("conferences", sa.Column("visits", sa.Text(), nullable=True))
    connection = op.get_bind()
    # Some of these addresses are students'; the next reading of the audit log tells who is not.
    connection.execute(sa.text("UPDATE conferences SET organizer = NULL"))
    names = list(connection.execute(sa.text("SELECT name FROM conferences")).scalars())
    for start in range(0, len(names), _TOGETHER):
        _move(connection, names[start : start + _TOGETHER])
    op.drop_table("visits")
    with op.batch_alter_table("conferences") as table:
        table.alter_column("visits", existing_type=sa.Text(), nullable=False)


def _move(connection: sa.Connection, names: list[str]) -> None:
    rows: dict[str, list[sa.Row[Any]]] = {name: [] for name in names}
    for row in connection.execute(_VISITS, {"names": names}):
        rows[row.conference].append(row)
    filled = [{"name": name, "visits": _document(found)} for name, found in rows.items()]
    connection.execute(_FILL, filled)


def _document(rows: list[sa.Row[Any]]) -> str:
    who = list(dict.fromkeys(row.identity for row in rows))
    visits = [
        [
            row.key,
            row.participant,
            who.index(row.identity),
            row.start_at,
            row.end_at,
            row.last_seen_at,
            bool(row.is_hull),
        ]
        for row in rows
    ]
    document = {"who": [json.loads(one) for one in who], "visits": visits}
    return json.dumps(document, ensure_ascii=False, separators=(",", ":"))
