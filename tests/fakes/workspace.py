"""Fakes of the Google ports: honest, in memory, with what a test puts in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime

from meetbot.domain.attendance import Conference, RawIdentity, Visit
from meetbot.domain.notices import Mail
from meetbot.domain.people import Account
from meetbot.domain.spaces import Space
from meetbot.errors import NotFound
from meetbot.ports import (
    AuditPage,
    CalendarRead,
    ChangePage,
    GroupMember,
    Participant,
    Sift,
    SyncMark,
)


@dataclass
class FakeDirectory:
    """Knows the accounts it is given."""

    known: list[Account] = field(default_factory=list)

    def accounts(self) -> Iterator[Account | None]:
        return iter(self.known)

    def account(self, key: str) -> Account | None:
        return next((a for a in self.known if key in (a.id, *a.addresses)), None)

    def groups(self) -> Iterator[str]:
        return iter(())

    def members(self, group: str) -> tuple[GroupMember, ...]:
        raise NotFound(f"no group of {len(group)} letters")

    def domains(self) -> frozenset[str]:
        return frozenset(a.primary_address.partition("@")[2] for a in self.known)

    def units(self) -> frozenset[str]:
        return frozenset(a.unit_path for a in self.known)


class FakeCalendars:
    """Every calendar is empty."""

    def read(
        self,
        owner: str,
        mark: SyncMark | None,
        *,
        window_start_at: datetime,
        window_end_at: datetime,
        as_of: datetime,
    ) -> CalendarRead:
        del owner
        kept = mark or SyncMark("token", window_start_at, window_end_at, as_of)
        return CalendarRead((), kept, is_full=mark is None)


class FakeMeet:
    """Has forgotten every conference, as Google does after 30 days."""

    def records(
        self, organizer: str, meeting_code: str, *, since: datetime, until: datetime
    ) -> tuple[Conference, ...]:
        del organizer, meeting_code, since, until
        return ()

    def participants(self, organizer: str, conference: str) -> tuple[Participant, ...]:
        del organizer, conference
        return ()

    def sessions(self, organizer: str, participant: Participant) -> tuple[Visit[RawIdentity], ...]:
        del organizer, participant
        return ()

    def space(self, organizer: str, place: str) -> Space:
        raise NotFound(f"{organizer} has no space {place}")

    def cohosts(self, organizer: str, space: str) -> tuple[str, ...]:
        del organizer, space
        return ()


@dataclass
class FakeReports:
    """Serves the given pages whatever the span."""

    pages: list[AuditPage] = field(default_factory=list)

    def meet(self, since: datetime, until: datetime, sift: Sift) -> Iterator[AuditPage]:
        del since, until, sift
        return iter(self.pages)

    def calendar_changes(self, since: datetime, until: datetime) -> Iterator[ChangePage]:
        del since, until
        return iter(())


@dataclass
class FakeMailer:
    """Keeps what is sent."""

    mails: list[Mail] = field(default_factory=list)

    def send(self, mail: Mail) -> None:
        self.mails.append(mail)
