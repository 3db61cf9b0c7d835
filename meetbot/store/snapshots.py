"""What changes of flags were decided on: `ports.SnapshotStore`."""

from __future__ import annotations

import hashlib
import zlib
from collections.abc import Collection, Iterable, Mapping, Sequence
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, bindparam, insert, select

from meetbot.domain.chain import LinkKind, Payload
from meetbot.domain.snapshots import Snapshot
from meetbot.errors import NotFound, Permanent
from meetbot.store.chain import SqlChain
from meetbot.store.columns import dump, read
from meetbot.store.statements import batches, one_of
from meetbot.store.tables import snapshots

_KNOWN = select(snapshots.c.digest).where(one_of(snapshots.c.digest, "some"))
_ONE = select(snapshots.c.body).where(snapshots.c.digest == bindparam("wanted"))
_SOME = select(snapshots.c.digest, snapshots.c.body).where(one_of(snapshots.c.digest, "some"))
_ADD = insert(snapshots)
_FAST = 1
"""Level of packing: what it saves beyond is not worth the time."""


class SqlSnapshots:
    """Snapshots in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)

    def keep(self, snapshot: Snapshot, *, as_of: datetime) -> str:
        """Store a snapshot once, with a link that records its digest, which it gives."""
        return self.keep_all([snapshot], as_of=as_of)[0]

    def keep_all(self, snapshots: Sequence[Snapshot], *, as_of: datetime) -> list[str]:
        """The same for many."""
        texts = [dump(Snapshot, snapshot).encode() for snapshot in snapshots]
        digests = [hashlib.sha256(text).hexdigest() for text in texts]
        known = self._known(digests)
        rows: dict[str, dict[str, Any]] = {}
        payloads: dict[str, Payload] = {}
        for snapshot, text, digest in zip(snapshots, texts, digests, strict=True):
            if digest in known:
                continue
            rows[digest] = {
                "digest": digest,
                "occurrence": snapshot.dossier.key.text,
                "taken_at": as_of,
                "body": zlib.compress(text, _FAST),
            }
            payloads[digest] = {"bytes": len(text)}
        if rows:
            self._connection.execute(_ADD, list(rows.values()))
            self._chain.append_all(LinkKind.EVIDENCE, list(payloads.items()), at=as_of)
        return digests

    def _known(self, digests: Iterable[str]) -> set[str]:
        found: set[str] = set()
        for some in batches(digests):
            found |= set(self._connection.execute(_KNOWN, {"some": some}).scalars())
        return found

    def load(self, digest: str) -> Snapshot:
        """One snapshot; raises `NotFound`, and `Permanent` where it cannot be read as stored."""
        body: bytes | None = self._connection.execute(_ONE, {"wanted": digest}).scalar()
        if body is None:
            raise NotFound(f"there is no snapshot {digest}")
        return _read(digest, body)

    def load_some(self, digests: Collection[str]) -> Mapping[str, Snapshot | str]:
        """Several snapshots; a sentence for each that cannot be read, none for an unknown one."""
        found: dict[str, Snapshot | str] = {}
        for some in batches(sorted(set(digests))):
            for row in self._connection.execute(_SOME, {"some": some}):
                try:
                    found[row.digest] = _read(row.digest, row.body)
                except Permanent as error:
                    found[row.digest] = str(error)
        return found


def _read(digest: str, body: bytes) -> Snapshot:
    try:
        text = zlib.decompress(body)
    except zlib.error as error:
        raise _changed(digest) from error
    if hashlib.sha256(text).hexdigest() != digest:
        raise _changed(digest)
    try:
        snapshot: Snapshot = read(Snapshot, text)
    except ValueError as error:
        raise Permanent(
            f"the stored snapshot {digest[:12]} is of another meetbot and cannot be read",
            fix="use the version that stored it",
        ) from error
    return snapshot


def _changed(digest: str) -> Permanent:
    return Permanent(
        f"the stored snapshot {digest[:12]} is not as it was stored",
        fix="restore the database from a backup",
    )
