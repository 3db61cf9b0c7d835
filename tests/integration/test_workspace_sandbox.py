"""The adapters against the simulated Workspace, over real HTTP."""

from __future__ import annotations

import json
import socket
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from meetbot.domain.attendance import IdentityForm
from meetbot.domain.notices import Mail
from meetbot.domain.people import AccountKind, DistrictUnits
from meetbot.domain.platforms import Platform
from meetbot.domain.spaces import Access
from meetbot.errors import AccessDenied, BadAnswer, MeetbotError, NotFound, Temporary
from meetbot.ports import CalendarRead, SyncMark
from meetbot.sandbox import Sandbox, World
from meetbot.sandbox.model import Identifier, Joins, joined
from meetbot.workspace import GRANTS, Workspace
from meetbot.workspace.transport import Deadlines
from tests.integration.sandbox_client import (
    ADMIN,
    ANN,
    BEN,
    KID,
    NOW,
    PARTNER,
    Ticking,
    small_world,
)
from tests.workspace_parts import all_matter

UNITS = DistrictUnits(("/Staff",), ("/Students",))
CODE = "abc-defg-hij"


@pytest.fixture
def clock() -> Ticking:
    return Ticking()


@pytest.fixture
def world(clock: Ticking) -> World:
    return small_world(clock)


@pytest.fixture
def box(world: World) -> Iterator[Sandbox]:
    with Sandbox(world) as box:
        yield box


@pytest.fixture
def slept() -> list[float]:
    return []


@pytest.fixture
def google(box: Sandbox, tmp_path: Path, slept: list[float]) -> Iterator[Workspace]:
    with workspace(box, tmp_path, slept) as made:
        yield made


def workspace(
    box: Sandbox,
    folder: Path,
    slept: list[float],
    *,
    api_root: str | None = None,
    deadlines: Deadlines | None = None,
) -> Workspace:
    key = folder / "key.json"
    key.write_text(json.dumps(box.credentials), encoding="utf-8")
    return Workspace(
        key,
        admin_subject=ADMIN,
        sender=ADMIN,
        units=UNITS,
        zone=ZoneInfo("America/Chicago"),
        quota_key=b"secret",
        api_root=api_root or box.url,
        deadlines=deadlines,
        sleep=slept.append,
    )


def read(google: Workspace, owner: str = ANN, mark: SyncMark | None = None) -> CalendarRead:
    return google.calendars.read(
        owner,
        mark,
        window_start_at=NOW - timedelta(days=7),
        window_end_at=NOW + timedelta(days=30),
        as_of=NOW,
    )


# --- calendars ----------------------------------------------------------------------------------


def test_calendar_comes_over(google: Workspace, world: World) -> None:
    """A meeting is read from the organizer's and from the guest's calendar."""
    world.add_event(
        ANN,
        NOW,
        NOW + timedelta(hours=1),
        attendees=[BEN, PARTNER],
        code=CODE,
        location="https://zoom.us/j/1",
        guests_see_others=False,
    )

    (own,) = read(google).events
    (copy,) = read(google, BEN).events

    assert own.is_organizer_copy
    assert not copy.is_organizer_copy
    assert own.ical_uid == copy.ical_uid
    assert own.meeting_code == copy.meeting_code == "abcdefghij"
    assert {a.address for a in own.attendees} >= {BEN, PARTNER}
    assert not own.guests_can_see_others
    assert Platform.ZOOM in {link.platform for link in own.links}


def test_only_changes_come_over(google: Workspace, world: World) -> None:
    """After the first read only what changed is read, deletions included."""
    kept = world.add_event(ANN, NOW, NOW + timedelta(hours=1))
    gone = world.add_event(ANN, NOW, NOW + timedelta(hours=2))
    first = read(google)
    assert read(google, mark=first.mark).events == ()

    world.cancel_event(gone.event_id)
    world.move_event(kept.event_id, NOW + timedelta(hours=5))
    second = read(google, mark=first.mark)

    assert not second.is_full
    assert {e.event_id: e.is_cancelled for e in second.events} == {
        kept.event_id: False,
        gone.event_id: True,
    }


def test_series(google: Workspace, world: World, box: Sandbox) -> None:
    """Instances are read within the window; a moved one keeps its original start."""
    world.shaping.page_cap = 2
    world.shaping.empty_pages = True
    series = world.add_event(
        ANN, NOW, NOW + timedelta(hours=1), recurrence=["RRULE:FREQ=WEEKLY;COUNT=10"]
    )
    moved = world.instance_id(series.event_id, NOW + timedelta(weeks=1))
    world.move_event(moved, NOW + timedelta(weeks=1, hours=3))

    events = {e.event_id: e for e in read(google).events}

    assert len(events) == 5
    assert events[moved].start_at == NOW + timedelta(weeks=1, hours=3)
    assert events[moved].original_start_at == NOW + timedelta(weeks=1)
    assert len(box.requests.of("calendar.events.list")) > 3


def test_expired_token(google: Workspace, world: World) -> None:
    """An expired sync token leads to a full read."""
    world.add_event(ANN, NOW, NOW + timedelta(hours=1))
    first = read(google)
    world.expire_sync_tokens(ANN)

    second = read(google, mark=first.mark)

    assert second.is_full
    assert len(second.events) == 1


def test_strange_token(google: Workspace, world: World) -> None:
    """A token that Google calls malformed leads to a full read too."""
    first = read(google)
    broken = SyncMark("nonsense", first.mark.window_start_at, first.mark.window_end_at, NOW)

    assert read(google, mark=broken).is_full


def test_absent_calendars(google: Workspace, world: World) -> None:
    """An unknown or suspended owner fails alone, with an error of ours."""
    world.suspend(BEN)

    for owner in ("nobody@district.example", BEN):
        with pytest.raises(NotFound, match="no such active account"):
            read(google, owner)
    assert read(google).is_full


def test_suspended_meanwhile(google: Workspace, world: World) -> None:
    """An account suspended while its token lives is refused for itself only."""
    read(google, BEN)
    world.suspend(BEN)

    with pytest.raises(MeetbotError):
        read(google, BEN)
    assert read(google).is_full


def test_many_threads(google: Workspace, world: World, box: Sandbox) -> None:
    """Threads read many calendars with one workspace, one token each for its lifetime."""
    people = [f"t{number}@district.example" for number in range(30)]
    for person in people:
        world.add_user(person, unit="/Staff")
        world.add_event(person, NOW, NOW + timedelta(hours=1))

    with ThreadPoolExecutor(8) as pool:
        first = list(pool.map(lambda person: read(google, person), people))
    with ThreadPoolExecutor(8) as pool:
        list(
            pool.map(
                lambda pair: read(google, pair[0], pair[1].mark), zip(people, first, strict=True)
            )
        )

    organizers = [found.events[0].organizer for found in first]
    assert organizers == people
    assert google.requests == {"token": 30, "calendar": 60}
    assert box.requests.counts == {"token": 30, "calendar": 60}
    assert len({line.quota_user for line in box.requests.of("calendar.events.list")}) == 30


# --- faults -------------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["drop", "malformed", "truncated"])
def test_damaged_answers(google: Workspace, world: World, slept: list[float], kind: str) -> None:
    """A dropped, broken or cut answer is asked for again."""
    world.fail("calendar", kind=kind, times=2)

    assert read(google).is_full
    assert len(slept) == 2


def test_malformed_for_good(google: Workspace, world: World) -> None:
    """An API that only writes nonsense is said to do so."""
    world.fail("calendar", kind="malformed", times=None)

    with pytest.raises(BadAnswer):
        read(google)


def test_total_deadline(box: Sandbox, world: World, tmp_path: Path) -> None:
    """An answer that drips in is given up at the total deadline."""
    for number in range(200):
        world.add_event(ANN, NOW, NOW + timedelta(hours=1), summary=f"event {number}")
    deadlines = Deadlines(connect=1, read=5, total=0.1)
    world.fail("calendar", kind="slow", times=None, seconds=0.8)

    with (
        workspace(box, tmp_path, [], deadlines=deadlines) as google,
        pytest.raises(Temporary, match="no answer"),
    ):
        read(google)


def test_rate_limits(google: Workspace, world: World, slept: list[float]) -> None:
    """A rate limit is waited for as long as Google says."""
    world.fail("calendar", 403, "rateLimitExceeded", retry_after=20)

    assert read(google).is_full
    assert 20 <= slept[0] <= 22


def test_api_down(box: Sandbox, tmp_path: Path, slept: list[float]) -> None:
    """When nothing answers at the root, hundreds of calls end after a few attempts."""
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        root = f"http://127.0.0.1:{unused.getsockname()[1]}"
        with workspace(box, tmp_path, slept, api_root=root) as google:
            for _ in range(200):
                with pytest.raises(Temporary):
                    read(google)

    assert sum(slept) < 10
    assert google.requests["calendar"] < 10


@pytest.mark.parametrize("name", list(GRANTS))
def test_missing_scope(google: Workspace, world: World, name: str) -> None:
    """A scope outside the delegation fails its own line only, and the fix names it."""
    scope = GRANTS[name].short_scopes[-1]
    world.revoke_scope("/" + scope)

    for other in GRANTS:
        subject = ANN if other in ("calendars", "meet") else None
        if other == name:
            with pytest.raises(AccessDenied) as caught:
                google.check_scope(other, subject)
            assert scope in caught.value.fix
        else:
            google.check_scope(other, subject)


def test_admin_without_role(box: Sandbox, world: World, google: Workspace) -> None:
    """An admin subject without rights is told which role is missing."""
    world.user(ADMIN).admin = False

    for name in ("directory-users", "directory-groups", "reports"):
        with pytest.raises(AccessDenied) as caught:
            google.check_scope(name)
        assert "admin_subject" in caught.value.fix


def test_clock_skew(google: Workspace) -> None:
    """After an answer the servers' clock can be compared with ours."""
    assert google.clock_skew is None
    google.check_scope("directory-users")

    assert google.clock_skew is not None
    assert abs(google.clock_skew) < 60


# --- directory ----------------------------------------------------------------------------------


def test_directory(google: Workspace, world: World) -> None:
    """Users of every kind, with their addresses, come page by page."""
    world.shaping.page_cap = 2
    world.add_user("guest@district.example", guest_of=PARTNER)
    world.suspend(BEN)

    accounts = {a.primary_address: a for a in google.directory.accounts() if a}

    assert accounts[ANN].kind is AccountKind.STAFF
    assert accounts[BEN].kind is AccountKind.INACTIVE
    assert accounts[KID].kind is AccountKind.STUDENT
    assert accounts["guest@district.example"].kind is AccountKind.GUEST
    assert accounts["guest@district.example"].guest_address == PARTNER
    assert {"ahill@district.example", "ann.hill@old.example"} <= set(accounts[ANN].addresses)


def test_single_accounts(google: Workspace, world: World) -> None:
    """One account is found by id, address or alias; a stranger is nobody."""
    google_id = world.user(ANN).user_id

    for key in (google_id, ANN, "ahill@district.example"):
        account = google.directory.account(key)
        assert account is not None
        assert account.id == google_id
    assert google.directory.account(PARTNER) is None
    assert google.directory.account("100000000000000000009") is None
    world.fail("directory", 403, "forbidden", method="directory.users.get")
    assert google.directory.account("100000000000000000010") is None


def test_groups(google: Workspace, world: World) -> None:
    """Groups are opened down to people; foreign groups are not found."""
    world.shaping.page_cap = 1
    world.add_group("inner@district.example", [KID, "all@district.example"])
    world.add_group("all@district.example", [ANN, "inner@district.example", PARTNER])

    members = google.directory.members("all@district.example")

    assert {(m.address, m.is_group) for m in members} == {
        (ANN, False),
        (KID, False),
        (PARTNER, False),
    }
    assert set(google.directory.groups()) == {"all@district.example", "inner@district.example"}
    with pytest.raises(NotFound):
        google.directory.members("list@partner.example")


def test_units_and_domains(google: Workspace) -> None:
    """Org units of all depths, domains and their aliases."""
    assert google.directory.units() >= {"/", "/Staff", "/Staff/North", "/Students"}
    assert google.directory.domains() == {
        "district.example",
        "students.district.example",
        "old.example",
    }


# --- Meet and Reports ---------------------------------------------------------------------------


@pytest.fixture
def held(world: World) -> None:
    """A lesson that ended, in which the partner stayed ten minutes longer than the teacher."""
    start = NOW - timedelta(hours=2)
    world.add_conference(
        CODE,
        ANN,
        [
            [
                joined(
                    ANN,
                    (start, start + timedelta(minutes=10)),
                    (start + timedelta(minutes=12), start + timedelta(minutes=40)),
                ),
                joined(KID, (start, start + timedelta(minutes=45))),
                joined(PARTNER, (start, start + timedelta(minutes=50))),
                joined(
                    "x@agency.example",
                    (start, start + timedelta(minutes=5)),
                    identifier=Identifier.OBSCURED,
                ),
                joined(
                    "Guest",
                    (start, start + timedelta(minutes=5)),
                    joins=Joins.ANONYMOUS,
                ),
            ]
        ],
        calendar_event_id="ev1_20261013T130000Z",
    )


@pytest.mark.usefixtures("held")
def test_finished_conference(google: Workspace, world: World) -> None:
    """Records, participants and sessions of a finished call, every page."""
    world.shaping.page_cap = 2

    (record,) = google.meet.records(ANN, CODE, since=NOW - timedelta(days=1), until=NOW)
    people = google.meet.participants(ANN, record.name)
    ids = {p.identity.google_id: p for p in people}
    visits = google.meet.sessions(ANN, ids[world.user(ANN).user_id])

    assert record.meeting_code == "abcdefghij"
    assert record.end_at == NOW - timedelta(hours=2) + timedelta(minutes=50)
    assert len(people) == 5
    assert sorted(v.start_at for v in visits) == [
        NOW - timedelta(hours=2),
        NOW - timedelta(hours=2) + timedelta(minutes=12),
    ]
    assert {v.conference for v in visits} == {record.name}
    assert google.meet.records(BEN, CODE, since=NOW - timedelta(days=1), until=NOW) == ()
    with pytest.raises(AccessDenied):
        google.meet.participants(BEN, record.name)


def test_running_conference(google: Workspace, world: World) -> None:
    """A running call and who is in it have no end."""
    world.add_conference(CODE, ANN, [[joined(ANN, (NOW - timedelta(minutes=5), None))]])

    (record,) = google.meet.records(ANN, "ABCDEFGHIJ", since=NOW - timedelta(days=1), until=NOW)
    (ann,) = google.meet.participants(ANN, record.name)
    (visit,) = google.meet.sessions(ANN, ann)

    assert (record.end_at, ann.latest_end_at, visit.end_at) == (None, None, None)
    assert google.meet.records(ANN, CODE, since=NOW, until=NOW + timedelta(days=1)) == ()


@pytest.mark.usefixtures("held")
def test_audit_rows(google: Workspace, world: World) -> None:
    """The feed gives the same call with the addresses that Meet withholds."""
    world.shaping.page_cap = 2

    pages = list(google.reports.meet(NOW - timedelta(days=1), NOW, all_matter))

    visits = {v.key: v for page in pages for v in page.visits}
    forms = {v.identity.address or v.identity.form: v.identity.form for v in visits.values()}
    assert len(pages) == 3
    assert len(visits) == 6
    assert forms == {
        ANN: IdentityForm.ADDRESS,
        KID: IdentityForm.ADDRESS,
        PARTNER: IdentityForm.ADDRESS,
        IdentityForm.MASKED: IdentityForm.MASKED,
        IdentityForm.ANONYMOUS: IdentityForm.ANONYMOUS,
    }
    conference = pages[0].conferences[0]
    assert conference.organizer == ANN
    assert conference.calendar_event_id == "ev1_20261013T130000Z"
    assert {c.meeting_code for page in pages for c in page.conferences} == {"abcdefghij"}


def test_changed_calendars(google: Workspace, world: World, clock: Ticking) -> None:
    """The calendar feed names the calendars on which something happened."""
    world.add_event(ANN, NOW, NOW + timedelta(hours=1), attendees=[PARTNER])
    clock.forward(minutes=1)

    (page,) = google.reports.calendar_changes(NOW - timedelta(hours=1), clock())

    assert page.calendars == {ANN}
    assert not page.edits


def test_added_guests(google: Workspace, world: World, clock: Ticking) -> None:
    """Each guest added has a row that names who added them, whoever that was."""
    event = world.add_event(ANN, NOW, NOW + timedelta(hours=1), attendees=[PARTNER])
    guests = [PARTNER, "eve@x.example", "mallory@x.example"]
    world.update_event(event.event_id, attendees=guests, actor=PARTNER)
    clock.forward(minutes=1)

    (page,) = google.reports.calendar_changes(NOW - timedelta(hours=1), clock())

    assert {(e.event_id, e.actor, e.guest) for e in page.edits} == {
        (event.event_id, PARTNER, "eve@x.example"),
        (event.event_id, PARTNER, "mallory@x.example"),
    }


# --- spaces -------------------------------------------------------------------------------------


def test_space_of_its_owner(google: Workspace, world: World) -> None:
    """The owner sees settings and co-hosts, by code as well as by name."""
    world.add_space(CODE, owner=ANN, access_type="OPEN", moderation="ON", cohosts=[BEN, PARTNER])

    space = google.meet.space(ANN, CODE.replace("-", ""))

    assert (space.access, space.is_moderated) == (Access.OPEN, True)
    assert space == google.meet.space(ANN, space.name)
    assert google.meet.cohosts(ANN, space.name) == (BEN, PARTNER)


def test_space_of_somebody_else(google: Workspace, world: World) -> None:
    """Others see the space without its settings, and no members."""
    world.add_space(CODE, owner=ANN, access_type="OPEN", cohosts=[PARTNER])

    space = google.meet.space(BEN, CODE)

    assert space.access is None
    with pytest.raises(AccessDenied):
        google.meet.cohosts(BEN, space.name)


def test_unknown_space(google: Workspace) -> None:
    """A code that nobody uses has no space, and what is no code is not asked for."""
    for place in (CODE, "spaces/nothing", "../../x"):
        with pytest.raises(NotFound):
            google.meet.space(ANN, place)


# --- mail ---------------------------------------------------------------------------------------


def test_mail(google: Workspace, world: World) -> None:
    """A mail arrives byte for byte; after a failure it is not sent again by itself."""
    raw = b"From: a@district.example\r\nTo: b@district.example\r\nSubject: x\r\n\r\nText\r\n"
    mail = Mail("n1", "<m@district.example>", ("b@district.example",), raw)

    google.gmail_mailer.send(mail)
    world.fail("gmail", 500)
    with pytest.raises(Temporary):
        google.gmail_mailer.send(mail)

    assert [sent.raw for sent in world.mails] == [raw]
