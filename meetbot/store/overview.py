"""Counts for the overview, each from one index: `ports.OverviewStore`."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime, timedelta

from sqlalchemy import (
    BigInteger,
    Column,
    ColumnElement,
    Connection,
    and_,
    case,
    func,
    or_,
    select,
    type_coerce,
)

from meetbot.domain.casework import TermKind
from meetbot.domain.findings import Severity
from meetbot.domain.flags import FlagStatus
from meetbot.domain.meetings import Scope as MeetingScope
from meetbot.domain.overview import Precision, Quantiles, Scope
from meetbot.ports import OutboxState
from meetbot.store.tables import case_terms, cases, flags, meetings, outbox

_RANKS = tuple(Severity)
_DECIDED = (FlagStatus.UPHELD, FlagStatus.DISMISSED)


class SqlOverview:
    """Aggregates in one transaction."""

    def __init__(self, connection: Connection) -> None:
        self._connection = connection

    def opened(self, bounds: Sequence[datetime], scope: Scope) -> list[Mapping[Severity, int]]:
        """Flags first opened between each of these instants and the next, by severity."""
        place = case(
            *((flags.c.opened_at < end, n) for n, end in enumerate(bounds[1:])), else_=len(bounds)
        ).label("place")
        query = (
            select(place, flags.c.severity, func.count())
            .where(*_opened(bounds[0], bounds[-1], scope))
            .group_by(place, flags.c.severity)
        )
        found: list[dict[Severity, int]] = [{} for _ in bounds[1:]]
        for number, rank, count in self._connection.execute(query):
            counts = found[number]
            severity = _RANKS[rank or 0]
            counts[severity] = counts.get(severity, 0) + count
        return list(found)

    def meetings(self, since: datetime, until: datetime) -> int:
        """Meetings with partners that started in [since, until)."""
        query = select(func.count()).where(
            meetings.c.start_at >= since,
            meetings.c.start_at < until,
            meetings.c.scope == MeetingScope.FULL,
            ~meetings.c.is_cancelled,
        )
        return self._connection.execute(query).scalar_one()

    def acknowledged(
        self, since: datetime, until: datetime, scope: Scope
    ) -> Mapping[Severity, Quantiles]:
        """How long it took until officers did something about flags opened in [since, until)."""
        return self._quantiles(flags.c.acknowledged_at, since, until, scope)

    def resolved(
        self, since: datetime, until: datetime, scope: Scope
    ) -> Mapping[Severity, Quantiles]:
        """How long it took until officers upheld or dismissed flags opened in [since, until)."""
        return self._quantiles(flags.c.resolved_at, since, until, scope)

    def _quantiles(
        self, end: Column[datetime], since: datetime, until: datetime, scope: Scope
    ) -> Mapping[Severity, Quantiles]:
        length = type_coerce(end, BigInteger) - type_coerce(flags.c.opened_at, BigInteger)
        one = flags.c.severity
        ranked = (
            select(
                flags.c.severity,
                length.label("length"),
                func.row_number().over(partition_by=one, order_by=length).label("place"),
                func.count().over(partition_by=one).label("number"),
            )
            .where(*_opened(since, until, scope), end.is_not(None))
            .subquery()
        )
        places = {"median": (ranked.c.number + 1) // 2, "p90": (ranked.c.number * 9 + 9) // 10}
        query = select(ranked, *(ranked.c.place == at for at in places.values())).where(
            or_(*(ranked.c.place == at for at in places.values()))
        )
        found: dict[int, dict[str, int]] = {}
        for rank, micros, _, number, *is_at in self._connection.execute(query):
            values = found.setdefault(rank or 0, {"number": number})
            values |= {name: micros for name, hit in zip(places, is_at, strict=True) if hit}
        return {
            _RANKS[rank]: Quantiles(
                values["number"], _length(values["median"]), _length(values["p90"])
            )
            for rank, values in found.items()
        }

    def decided(self, since: datetime, until: datetime, scope: Scope) -> tuple[Precision, ...]:
        """How the flags opened in [since, until) were decided, by rule in order of its name."""
        query = (
            select(flags.c.rule, flags.c.status, func.count())
            .where(*_opened(since, until, scope), flags.c.status.in_(_DECIDED))
            .group_by(flags.c.rule, flags.c.status)
        )
        found: dict[str, dict[str, int]] = {}
        for rule, status, number in self._connection.execute(query):
            found.setdefault(rule, {})[status] = number
        return tuple(
            Precision(rule, numbers.get(FlagStatus.UPHELD, 0), numbers.get(FlagStatus.DISMISSED, 0))
            for rule, numbers in sorted(found.items())
        )

    def mails(self, since: datetime) -> Mapping[OutboxState, int]:
        """Mails by state: those that are done, since an instant; all that are not."""
        undone = (OutboxState.QUEUED, OutboxState.IN_FLIGHT, OutboxState.HELD)
        found: dict[OutboxState, int] = {}
        for condition in (
            and_(outbox.c.changed_at >= since, outbox.c.state.not_in(undone)),
            outbox.c.state.in_(undone),
        ):
            query = select(outbox.c.state, func.count()).where(condition)
            for state, number in self._connection.execute(query.group_by(outbox.c.state)):
                found[OutboxState(state)] = number
        return found


def _length(micros: int) -> timedelta:
    return timedelta(microseconds=max(int(micros), 0))


def _opened(since: datetime, until: datetime, scope: Scope) -> list[ColumnElement[bool]]:
    """Flags opened in [since, until) that may be counted."""
    found = [flags.c.opened_at >= since, flags.c.opened_at < until]
    if not scope.private:
        # Few cases are private: a list of them is looked through sooner than each flag's case.
        found.append(
            flags.c.occurrence.not_in(select(cases.c.occurrence).where(cases.c.is_private))
        )
    if scope.schools is not None:
        of_school = (
            select(cases.c.occurrence)
            .join(case_terms, case_terms.c.case_id == cases.c.id)
            .where(
                case_terms.c.kind == TermKind.SCHOOL,
                case_terms.c.value.in_(sorted(scope.schools)),
            )
        )
        found.append(flags.c.occurrence.in_(of_school))
    return found
