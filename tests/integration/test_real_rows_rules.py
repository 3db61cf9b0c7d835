"""Real audit rows, as published by others, through the Reports adapter, the store and the rules.

What to expect is in the fixtures' own `SOURCES.md`.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from meetbot.domain.attendance import RawIdentity, Visit
from meetbot.domain.dossier import Dossier
from meetbot.domain.flags import Flag
from meetbot.domain.people import Account, AccountKind, Kind, Pseudonyms
from meetbot.domain.policy import Policy
from meetbot.domain.registry import Identity, IdentityKind, Partner, PartnerKind, Registry
from meetbot.domain.registry_rows import Activity
from meetbot.jobs import collect_conferences, collect_people, judge
from meetbot.jobs.deps import Deps, District, Recipients
from meetbot.jobs.dossiers import load
from meetbot.jobs.rosters import roster_of
from meetbot.notify import Composer
from meetbot.ports import AuditPage
from meetbot.store import open_store
from meetbot.workspace.reports import to_audit_page
from tests.fakes.workspace import (
    FakeCalendars,
    FakeDirectory,
    FakeMailer,
    FakeMeet,
    FakeReports,
)
from tests.workspace_parts import to_call_rows

ROWS = Path(__file__).parents[3] / "shared" / "fixtures" / "real" / "meet-audit"
pytestmark = pytest.mark.skipif(
    not ROWS.is_dir(), reason="the shared fixtures are not beside the project"
)

FIRST = "audit/-PeisjX_5i"
SECOND = "audit/ovqzvH9gQ"
TEACHER = Account("1", "foo@bar.com", ("foo@bar.com",), AccountKind.STAFF, "/Staff")
STUDENT = Account("2", "kim@bar.com", ("kim@bar.com",), AccountKind.STUDENT, "/Students")


def published(beginning: str) -> AuditPage:
    """The rows of one conference, as the adapter understands them."""
    text = (ROWS / "elastic-test-meet.ndjson").read_text(encoding="utf-8")
    raw: list[dict[str, Any]] = [json.loads(line) for line in text.splitlines() if line.strip()]
    page = to_audit_page(to_call_rows(raw))
    conferences = tuple(c for c in page.conferences if c.name.startswith(beginning))
    names = {c.name for c in conferences}
    return AuditPage(conferences, tuple(v for v in page.visits if v.conference in names))


def with_a_student(page: AuditPage) -> AuditPage:
    """The same call with a student in it from the first join to the last leave."""
    first, last = page.visits[0], max(page.visits, key=lambda v: v.end_at or v.start_at)
    kim: Visit[RawIdentity] = replace(
        first,
        key="added by the test",
        participant="student",
        identity=replace(first.identity, address="kim@bar.com", google_id=None, is_external=False),
        start_at=min(v.start_at for v in page.visits),
        end_at=last.end_at,
    )
    return replace(page, visits=(*page.visits, kim))


@contextmanager
def judged(
    page: AuditPage, folder: Path, *, partner: str = "example.com"
) -> Iterator[tuple[Deps, datetime]]:
    """A district in which the organizer is staff and the outsider a partner, two days later."""
    as_of = max(v.end_at or v.start_at for v in page.visits) + timedelta(days=2)
    store = open_store(f"sqlite:///{folder / 'm.db'}")
    deps = Deps(
        store=store,
        directory=FakeDirectory([TEACHER, STUDENT]),
        calendars=FakeCalendars(),
        meet=FakeMeet(),
        reports=FakeReports([page]),
        mailer=FakeMailer(),
        compose=Composer("meetbot@bar.com", "Bar Schools", ("officer@bar.com",), {}),
        pseudonyms=Pseudonyms(b"a key for this test"),
        policy=Policy(),
        district=District(
            zone=ZoneInfo("UTC"),
            domains=frozenset({"bar.com"}),
            recipients=Recipients(("officer@bar.com",), ("officer@bar.com",), ()),
        ),
    )
    registry = Registry(
        partners=(Partner("p1", "Example", PartnerKind.CONTRACTED, Activity.ACTIVE),),
        identities=(Identity("p1", IdentityKind.DOMAIN, partner),),
    )
    try:
        with store.transaction() as tx:
            tx.registry.replace(registry, as_of=as_of - timedelta(days=30))
        for job in (collect_people.run, collect_conferences.run, collect_conferences.run):
            job(deps, as_of)
        judge.run(deps, as_of)
        yield deps, as_of
    finally:
        store.close()


def dossier_of(deps: Deps, as_of: datetime) -> Dossier:
    with deps.store.reading() as tx:
        (flag,) = tx.flags.list(rule="adhoc-meeting")
        meeting_id = tx.meetings.find(flag.occurrence)
        assert meeting_id is not None
        return load(deps, tx, tx.meetings.load(meeting_id), roster_of(deps), as_of).dossier


def flags_of(deps: Deps) -> dict[str, Flag]:
    with deps.store.reading() as tx:
        return {flag.rule: flag for flag in tx.flags.list()}


def without_staff(dossier: Dossier) -> int:
    """Seconds in which the outsider was in the call and no staff."""
    (staff,) = [a for a in dossier.attendances if a.kind is Kind.STAFF]
    (outsider,) = [a for a in dossier.attendances if a.kind is Kind.PARTNER]
    left = max(v.end_at for v in staff.visits if v.end_at)
    last = max(v.end_at for v in outsider.visits if v.end_at)
    return int((last - left).total_seconds())


@pytest.mark.parametrize(("conference", "seconds"), [(FIRST, 221), (SECOND, 46)])
def test_the_published_gap_is_seen_to_the_second(
    conference: str, seconds: int, tmp_path: Path
) -> None:
    """The outsider stays 221 s in one call and 46 s in the other after the organizer left."""
    with judged(with_a_student(published(conference)), tmp_path) as (deps, as_of):
        assert without_staff(dossier_of(deps, as_of)) == seconds


def test_a_student_for_221_seconds_without_staff_is_flagged(tmp_path: Path) -> None:
    """With a student account added, `staff-left-early` is confirmed with its 221 s."""
    with judged(with_a_student(published(FIRST)), tmp_path) as (deps, _):
        flag = flags_of(deps)["staff-left-early"]
        assert flag.certainty == "confirmed"
        assert flag.severity == "medium"
        assert [(s.kind, s.seconds) for s in flag.spans] == [("after", 221)]


def test_a_student_for_46_seconds_without_staff_is_not_flagged(tmp_path: Path) -> None:
    """46 s lie below the 60 s of the rule, though the call itself has no event."""
    with judged(with_a_student(published(SECOND)), tmp_path) as (deps, _):
        rules = set(flags_of(deps))
        assert "staff-left-early" not in rules
        assert "adhoc-meeting" in rules


def test_without_any_student_nothing_about_the_call_is_confirmed(tmp_path: Path) -> None:
    """As published, staff and a partner alone: a class may have shared the screen (V36), and the
    partner has no contract, certification or approval."""
    with judged(published(FIRST), tmp_path) as (deps, _):
        flags = flags_of(deps)
        missing = {"authorization-missing", "certification-missing", "contract-missing"}
        assert set(flags) == missing | {"staff-left-early"}
        left = flags["staff-left-early"]
        assert (left.severity, left.certainty) == ("medium", "needs-review")


def test_a_call_with_an_outsider_who_is_nobodys_partner_is_left_alone(tmp_path: Path) -> None:
    """Without a student and without a partner an ad-hoc call is no matter of the catalogue's."""
    with judged(published(FIRST), tmp_path, partner="elsewhere.com") as (deps, _):
        assert flags_of(deps) == {}


def test_the_fixtures_tell_the_times_in_their_notes() -> None:
    """The organizer is in the first call 09:22:02-09:34:44, the outsider 09:23:11-09:38:25."""
    page = published(FIRST)
    spans = sorted(
        (v.start_at.astimezone(UTC).time().isoformat(), v.end_at.astimezone(UTC).time().isoformat())
        for v in page.visits
        if v.end_at
    )
    assert ("09:22:02", "09:34:44") in spans
    assert ("09:23:11", "09:38:25") in spans
