"""What of the registry lapses soon, so that it is renewed in time."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, timedelta

from meetbot.domain.registry_history import KnownRow
from meetbot.domain.registry_rows import (
    ALL_SCHOOLS,
    Authorization,
    Certification,
    Contract,
    Exemption,
    Row,
)

_DAY = timedelta(days=1)
_FOREVER = date.max


@dataclass(frozen=True, slots=True)
class Lapse:
    """A row that counts for the last time on `last_day`, with nothing to follow it."""

    known: KnownRow
    last_day: date


def last_day_of(row: Row) -> date | None:
    """The last day a row counts; None for one without dates, and for a revoked authorization."""
    match row:
        case Contract() | Exemption():
            return row.ends_on
        case Certification():
            return row.expires_on
        case Authorization():
            return None if row.revoked_at else row.ends_on
        case _:
            return None


def lapsing(rows: Iterable[KnownRow], today: date, days: int) -> tuple[Lapse, ...]:
    """Rows whose last day is one of the next `days`, today among them; the first to lapse first.

    One that another row goes on from, for at least the same, does not lapse.
    """
    dated = [(known, day) for known in rows if (day := last_day_of(known.row)) is not None]
    until = today + timedelta(days=days)
    soon = [
        Lapse(known, day)
        for known, day in dated
        if today <= day < until and not any(_goes_on(known.row, day, other) for other, _ in dated)
    ]
    return tuple(sorted(soon, key=lambda lapse: (lapse.last_day, lapse.known.id)))


def _goes_on(row: Row, day: date, known: KnownRow) -> bool:
    """Whether another row counts for at least the same on the day after the last."""
    other = known.row
    first, last = _days(other)
    next_day = day + _DAY if day < _FOREVER else day
    return other is not row and first <= next_day <= last and _covers(other, row)


def _days(row: Row) -> tuple[date, date]:
    match row:
        case Contract(signed_on=None):
            return _FOREVER, date.min  # unsigned: it counts on no day
        case Contract():
            assert row.signed_on is not None
            return max(row.starts_on, row.signed_on), row.ends_on
        case Certification():
            return row.certified_on, row.expires_on
        case Exemption() | Authorization():
            return row.starts_on, row.ends_on
        case _:
            return _FOREVER, date.min


def _covers(other: Row, row: Row) -> bool:
    match other, row:
        case Contract(), Contract():
            same = (other.partner_id, other.program_id) == (row.partner_id, row.program_id)
            here = set(row.school_ids) <= set(other.school_ids)
            return same and (ALL_SCHOOLS in other.school_ids or here)
        case Certification(), Certification():
            return (other.partner_id, other.person_address) == (row.partner_id, row.person_address)
        case Exemption(), Exemption():
            mine = (row.kind, row.value, row.platform)
            return (other.kind, other.value, other.platform) == mine
        case Authorization(), Authorization():
            same = (other.partner_id, other.program_id, other.school_id) == (
                row.partner_id,
                row.program_id,
                row.school_id,
            )
            return same and other.host_address in (None, row.host_address)
        case _:
            return False
