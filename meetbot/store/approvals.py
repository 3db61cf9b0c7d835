"""Requests for approval and their answers: `ports.ApprovalStore`."""

from __future__ import annotations

from collections.abc import Collection
from datetime import date, datetime
from typing import Any

from sqlalchemy import Connection, Row, and_, insert, select, update

from meetbot.domain.approvals import (
    Answer,
    Approval,
    ApprovalState,
    Refusal,
    authorization_of,
    state_after,
)
from meetbot.domain.chain import LinkKind, row_digest
from meetbot.errors import NotFound
from meetbot.store.chain import SqlChain
from meetbot.store.columns import clean, clean_key
from meetbot.store.tables import approvals

_KEYS = (
    "id", "occurrence", "case_id", "partner_id", "program_id", "school_id", "host_key"
)  # fmt: skip


class SqlApprovals:
    """Requests in one transaction; each and each answer is a link of the chain."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection
        self._chain = SqlChain(connection)

    def add(self, approval: Approval) -> None:
        """Store a request."""
        row = _row(approval)
        link = self._link("approvals", row, approval.asked_at)
        self._connection.execute(insert(approvals).values(row | {"link": link}))

    def _link(self, table: str, row: dict[str, Any], at: datetime) -> int:
        rows = {"rows": {table: [row_digest(table, row)]}}
        return self._chain.append(LinkKind.APPROVAL, row["id"], rows, at=at).sequence

    def get(self, approval_id: str) -> Approval:
        """One request; raises `NotFound`."""
        query = select(approvals).where(approvals.c.id == approval_id)
        row = self._connection.execute(query).first()
        if row is None:
            raise NotFound("there is no such request for approval", fix="see the list of requests")
        return _approval(row)

    def of(self, occurrence: str) -> list[Approval]:
        """All requests for one occurrence, newest first."""
        query = (
            select(approvals)
            .where(approvals.c.occurrence == occurrence)
            .order_by(approvals.c.asked_at.desc(), approvals.c.id)
        )
        return [_approval(row) for row in self._connection.execute(query)]

    def asked_by(self, host_key: str, *, limit: int) -> list[Approval]:
        """A host's requests, newest first."""
        query = (
            select(approvals)
            .where(approvals.c.host_key == host_key)
            .order_by(approvals.c.asked_at.desc(), approvals.c.id)
            .limit(limit)
        )
        return [_approval(row) for row in self._connection.execute(query)]

    def of_schools(
        self, school_ids: Collection[str], *, as_of: datetime, waiting: bool, limit: int
    ) -> list[Approval]:
        """Requests to these schools, those that wait or the others."""
        waits = and_(approvals.c.state == ApprovalState.PENDING, approvals.c.expires_at > as_of)
        order = approvals.c.start_at if waiting else approvals.c.asked_at.desc()
        query = (
            select(approvals)
            .where(approvals.c.school_id.in_(sorted(school_ids)), waits if waiting else ~waits)
            .order_by(order, approvals.c.id)
            .limit(limit)
        )
        return [_approval(row) for row in self._connection.execute(query)]

    def decide(self, approval_id: str, answer: Answer) -> Approval:
        """Store an answer; raises `NotFound` where no request of this id waits for one."""
        approval = self.get(approval_id)
        if approval.state is not ApprovalState.PENDING:
            raise NotFound("this request was answered already", fix="look at it again")
        row = _answered(approval, answer)
        link = self._link("approval_ends", row, answer.at)
        self._connection.execute(
            update(approvals)
            .where(approvals.c.id == approval.id)
            .values(row | {"ended_link": link})
        )
        return self.get(approval.id)


def _row(approval: Approval) -> dict[str, Any]:
    return {name: clean_key(getattr(approval, name)) for name in _KEYS} | {
        "host": clean(approval.host),
        "start_at": approval.start_at,
        "end_at": approval.end_at,
        "starts_on": approval.starts_on.isoformat(),
        "ends_on": approval.ends_on.isoformat(),
        "words": clean(approval.words),
        "asked_at": approval.asked_at,
        "expires_at": approval.expires_at,
        "state": approval.state.value,
        "answer": "",
    }


def _answered(approval: Approval, answer: Answer) -> dict[str, Any]:
    first, last = answer.grant or (None, None)
    row = authorization_of(approval, answer)
    return {
        "id": approval.id,
        "state": state_after(approval, answer).value,
        "decided_by": clean(answer.by),
        "decided_at": answer.at,
        "granted_from": first.isoformat() if first else None,
        "granted_to": last.isoformat() if last else None,
        "refusal": answer.refusal.value if answer.refusal else None,
        "answer": clean(answer.words),
        "authorization_id": row.authorization_id if row else None,
    }


def _approval(row: Row[Any]) -> Approval:
    return Approval(
        id=row.id,
        occurrence=row.occurrence,
        case_id=row.case_id,
        partner_id=row.partner_id,
        program_id=row.program_id,
        school_id=row.school_id,
        host=row.host,
        host_key=row.host_key,
        start_at=row.start_at,
        end_at=row.end_at,
        starts_on=date.fromisoformat(row.starts_on),
        ends_on=date.fromisoformat(row.ends_on),
        words=row.words,
        asked_at=row.asked_at,
        expires_at=row.expires_at,
        state=ApprovalState(row.state),
        decided_by=row.decided_by,
        decided_at=row.decided_at,
        granted_from=_day(row.granted_from),
        granted_to=_day(row.granted_to),
        refusal=Refusal(row.refusal) if row.refusal else None,
        answer=row.answer,
        authorization_id=row.authorization_id,
    )


def _day(text: str | None) -> date | None:
    return date.fromisoformat(text) if text else None
