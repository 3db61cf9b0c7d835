"""Notices on their way to the mail server: `ports.Outbox`."""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from sqlalchemy import ColumnElement, Connection, delete, func, insert, select, update

from meetbot.domain.chain import LinkKind, digest, sha256
from meetbot.domain.notices import Mail, Notice, NoticeKind
from meetbot.errors import NotFound
from meetbot.ports import FailedNotice, MailedNotice, OutboxState, QueuedNotice, WaitingNotice
from meetbot.store.chain import STORED_NOTICE, SqlChain, digest_of
from meetbot.store.columns import clean_key
from meetbot.store.statements import batches
from meetbot.store.tables import outbox

_UNSENT = (OutboxState.QUEUED, OutboxState.IN_FLIGHT)
_WAITING = (OutboxState.QUEUED, OutboxState.HELD)


class SqlOutbox:
    """The outbox in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)

    def add(self, notices: Iterable[Notice], *, as_of: datetime) -> int:
        """Queue notices whose id was never seen; gives how many."""
        added = 0
        for batch in batches(notices):
            wanted = {clean_key(notice.id): notice for notice in reversed(batch)}
            known = self.known(wanted)
            rows = [_row(n, as_of) for key, n in reversed(wanted.items()) if key not in known]
            if rows:
                self._connection.execute(insert(outbox), rows)
            added += len(rows)
        return added

    def claim(self, as_of: datetime, limit: int) -> list[QueuedNotice]:
        """Take due notices, the longest due first."""
        self._drop_late(as_of)
        query = (
            select(outbox.c.id, outbox.c.notice, outbox.c.thread, outbox.c.attempts)
            .where(outbox.c.state == OutboxState.QUEUED, outbox.c.due_at <= as_of)
            .order_by(outbox.c.due_at, outbox.c.queued_at, outbox.c.id)
            .limit(limit)
        )
        return [
            QueuedNotice(row.notice, row.attempts + 1, self._references(row.thread))
            for row in self._connection.execute(query).all()
            if self._move(
                row.id,
                (OutboxState.QUEUED,),
                state=OutboxState.IN_FLIGHT,
                inflight_since=as_of,
                attempts=row.attempts + 1,
                changed_at=as_of,
            )
        ]

    def take_back(self, as_of: datetime) -> int:
        """Queue again what is claimed; gives how many. Only for who alone may claim."""
        taken = self._connection.execute(
            update(outbox)
            .where(outbox.c.state == OutboxState.IN_FLIGHT)
            .values(state=OutboxState.QUEUED, inflight_since=None, changed_at=as_of)
        )
        return taken.rowcount

    def _drop_late(self, as_of: datetime) -> None:
        self._connection.execute(
            update(outbox)
            .where(outbox.c.state == OutboxState.QUEUED, outbox.c.not_after < as_of)
            .values(state=OutboxState.DROPPED, reason="too late", changed_at=as_of)
        )

    def _references(self, thread: str | None) -> tuple[str, ...]:
        if thread is None:
            return ()
        query = (
            select(outbox.c.message_id)
            .where(outbox.c.thread == thread, outbox.c.state == OutboxState.SENT)
            .order_by(outbox.c.changed_at, outbox.c.id)
        )
        return tuple(self._connection.execute(query).scalars())

    def sent(self, mail: Mail, *, at: datetime) -> None:
        """Mark as handed over, whatever happened to the claim meanwhile, and record it."""
        self._settle(
            mail.notice_id,
            tuple(OutboxState),
            state=OutboxState.SENT,
            message_id=mail.message_id,
            inflight_since=None,
            changed_at=at,
        )
        query = select(outbox.c.id, outbox.c.message_id, STORED_NOTICE, outbox.c.link).where(
            outbox.c.id == mail.notice_id
        )
        row = self._connection.execute(query).one()
        digests = {
            "message": sha256(mail.raw),
            "recipients": digest({"message_id": row.message_id, "to": sorted(mail.to)}),
        }
        if row.link is not None:  # sent twice: the row is recorded already
            self._chain.append(LinkKind.MAIL, row.id, digests, at=at)
            return
        rows = {"outbox": [digest_of("outbox", dict(row._mapping))]}
        link = self._chain.append(LinkKind.MAIL, row.id, digests | {"rows": rows}, at=at)
        self._move(row.id, (OutboxState.SENT,), link=link.sequence)

    def defer(
        self, notice_id: str, reason: str, *, retry_at: datetime, left: tuple[str, ...] = ()
    ) -> None:
        """Try again later; a notice that was dropped or sent meanwhile stays so."""
        self._settle(
            notice_id,
            (OutboxState.IN_FLIGHT,),
            state=OutboxState.QUEUED,
            reason=reason,
            due_at=retry_at,
            inflight_since=None,
        )
        if left:
            query = select(outbox.c.notice).where(outbox.c.id == notice_id)
            notice = replace(self._connection.execute(query).scalar_one(), left=left)
            self._connection.execute(
                update(outbox).where(outbox.c.id == notice_id).values(notice=notice)
            )

    def fail(self, notice_id: str, reason: str, *, at: datetime) -> None:
        """Never try again; a notice that was dropped or sent meanwhile stays so."""
        self._settle(
            notice_id,
            _UNSENT,
            state=OutboxState.FAILED,
            reason=reason,
            inflight_since=None,
            changed_at=at,
        )

    def failed(self, *, since: datetime | None) -> list[FailedNotice]:
        """Notices that were given up after an instant (None: ever), oldest first."""
        query = (
            select(outbox.c.kind, outbox.c.reason, outbox.c.changed_at)
            .where(outbox.c.state == OutboxState.FAILED)
            .order_by(outbox.c.changed_at, outbox.c.id)
        )
        if since is not None:
            query = query.where(outbox.c.changed_at > since)
        return [
            FailedNotice(NoticeKind(kind), reason, at)
            for kind, reason, at in self._connection.execute(query)
        ]

    def _settle(self, notice_id: str, states: Collection[OutboxState], **values: Any) -> None:
        if not self._move(notice_id, states, **values) and not self.known([notice_id]):
            raise NotFound(f"there is no notice {notice_id} in the outbox")

    def _move(self, notice_id: str, states: Collection[OutboxState], **values: Any) -> bool:
        moved = self._connection.execute(
            update(outbox)
            .where(outbox.c.id == notice_id, outbox.c.state.in_(states))
            .values(**values)
        )
        return moved.rowcount == 1

    def waiting(self) -> int:
        """How many notices were tried in vain and wait for another try."""
        query = select(func.count()).where(
            outbox.c.state == OutboxState.QUEUED, outbox.c.attempts > 0
        )
        return self._connection.execute(query).scalar_one()

    def drop(self, occurrence: str, kinds: Collection[str], *, as_of: datetime) -> int:
        """Drop unsent notices of an occurrence, claimed ones too; gives how many."""
        dropped = self._connection.execute(
            update(outbox)
            .where(
                outbox.c.occurrence == occurrence,
                outbox.c.kind.in_(sorted(kinds)),
                outbox.c.state.in_((*_UNSENT, OutboxState.HELD)),
            )
            .values(
                state=OutboxState.DROPPED,
                reason="the meeting changed",
                inflight_since=None,
                changed_at=as_of,
            )
        )
        return dropped.rowcount

    def cancel(self, notice_id: str, *, as_of: datetime) -> None:
        """Drop one unsent notice, if there is one of this id."""
        self._move(
            notice_id,
            _UNSENT,
            state=OutboxState.DROPPED,
            reason="what it tells was undone",
            inflight_since=None,
            changed_at=as_of,
        )

    def untried(self, kinds: Collection[str], as_of: datetime) -> list[WaitingNotice]:
        """Due notices that nobody tried to send yet, oldest first; held ones are not among them."""
        return self._waiting(
            kinds,
            outbox.c.state == OutboxState.QUEUED,
            outbox.c.attempts == 0,
            outbox.c.due_at <= as_of,
        )

    def held(self, kinds: Collection[str] = tuple(NoticeKind)) -> list[WaitingNotice]:
        """Held notices, oldest first."""
        return self._waiting(kinds, outbox.c.state == OutboxState.HELD)

    def _waiting(
        self, kinds: Collection[str], *conditions: ColumnElement[bool]
    ) -> list[WaitingNotice]:
        query = (
            select(outbox.c.notice, outbox.c.queued_at)
            .where(outbox.c.kind.in_(sorted(kinds)), *conditions)
            .order_by(outbox.c.queued_at, outbox.c.id)
        )
        return [WaitingNotice(row.notice, row.queued_at) for row in self._connection.execute(query)]

    def queued_since(self, at: datetime, kinds: Collection[str]) -> list[Notice]:
        """Notices queued after an instant, whatever became of them."""
        query = select(outbox.c.notice).where(
            outbox.c.queued_at > at, outbox.c.kind.in_(sorted(kinds))
        )
        return list(self._connection.execute(query).scalars())

    def tried_since(self, at: datetime, kinds: Collection[str]) -> list[Notice]:
        """Notices that were sent, or tried in vain, at an instant or after it."""
        query = select(outbox.c.notice).where(
            outbox.c.changed_at >= at,
            outbox.c.attempts > 0,
            outbox.c.state.in_((*_UNSENT, OutboxState.SENT)),
            outbox.c.kind.in_(sorted(kinds)),
        )
        return list(self._connection.execute(query).scalars())

    def put(
        self,
        notice_ids: Collection[str],
        state: OutboxState,
        *,
        reason: str = "",
        as_of: datetime,
    ) -> int:
        """Move queued and held notices to another state; gives how many."""
        moved = 0
        for ids in batches(notice_ids):
            moved += self._connection.execute(
                update(outbox)
                .where(outbox.c.id.in_(ids), outbox.c.state.in_(_WAITING))
                .values(state=state, reason=reason, changed_at=as_of)
            ).rowcount
        return moved

    def rewrite(self, notice: Notice) -> None:
        """Store another content of a queued or held notice."""
        self._connection.execute(
            update(outbox)
            .where(outbox.c.id == notice.id, outbox.c.state.in_(_WAITING))
            .values(notice=notice)
        )

    def forget(self, notice_id: str) -> None:
        """Delete a queued or held notice, so that one of its id can be queued again."""
        self._connection.execute(
            delete(outbox).where(outbox.c.id == notice_id, outbox.c.state.in_(_WAITING))
        )

    def held_kinds(self) -> Mapping[NoticeKind, int]:
        """How many notices of each kind are held."""
        query = (
            select(outbox.c.kind, func.count())
            .where(outbox.c.state == OutboxState.HELD)
            .group_by(outbox.c.kind)
            .order_by(outbox.c.kind)
        )
        return {NoticeKind(kind): number for kind, number in self._connection.execute(query)}

    def known(self, notice_ids: Collection[str]) -> frozenset[str]:
        """Which of these ids were ever queued."""
        found: set[str] = set()
        for ids in batches(notice_ids):
            by_key = {clean_key(notice_id): notice_id for notice_id in ids}
            query = select(outbox.c.id).where(outbox.c.id.in_(list(by_key)))
            found |= {by_key[key] for key in self._connection.execute(query).scalars()}
        return frozenset(found)

    def counts(self) -> Mapping[OutboxState, int]:
        """How many notices in each state, 0 included."""
        query = select(outbox.c.state, func.count()).group_by(outbox.c.state)
        found = {OutboxState(state): number for state, number in self._connection.execute(query)}
        return {state: found.get(state, 0) for state in OutboxState}

    def of_thread(self, thread: str) -> list[MailedNotice]:
        """Every notice about one occurrence, the first queued first."""
        query = (
            select(outbox.c.notice, outbox.c.state, outbox.c.queued_at, outbox.c.changed_at)
            .where(outbox.c.thread == thread)
            .order_by(outbox.c.queued_at, outbox.c.id)
        )
        return [
            MailedNotice(row.notice, OutboxState(row.state), row.queued_at, row.changed_at)
            for row in self._connection.execute(query)
        ]


def _row(notice: Notice, as_of: datetime) -> dict[str, Any]:
    return {
        "id": notice.id,
        "kind": notice.kind,
        "occurrence": notice.occurrence,
        "thread": notice.thread,
        "state": OutboxState.QUEUED,
        "due_at": notice.due_at,
        "not_after": notice.not_after,
        "attempts": 0,
        "reason": "",
        "queued_at": as_of,
        "changed_at": as_of,
        "notice": notice,
    }
