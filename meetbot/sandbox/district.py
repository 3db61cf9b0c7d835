"""The demo district and a big one for benchmarks. All names and domains are invented.

`demo_district` gives a world, the registry that goes with it and what meetbot should say of every
meeting. In the one live meeting the teacher drops out soon after the start.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from meetbot.sandbox.model import Attendee, Event, Joins, Participant, joined, meeting_code, utc_now
from meetbot.sandbox.registry_rows import Rows, registry_rows, sheet_tabs
from meetbot.sandbox.world import World

ZONE = ZoneInfo("America/Chicago")
STAFF_DOMAIN = "district.example"
STUDENT_DOMAIN = "students.district.example"
ADMIN = "meetbot-admin@district.example"
SPREADSHEET = "1DemoDistrictRegistry"
"""The id of the spreadsheet that holds the registry too."""

# fmt: off
_FIRST = (
    "Ada", "Bruno", "Celia", "Dario", "Edith",
    "Farid", "Greta", "Hugo", "Ines", "Jonas",
    "Kira", "Levi", "Mona", "Nils", "Orla",
    "Pavel", "Quinn", "Rosa", "Sami", "Tilda",
)
# fmt: on
# fmt: off
_LAST = (
    "Abbott", "Birch", "Castell", "Dorsey", "Ekholm",
    "Fontaine", "Garrow", "Hallam", "Ibsen", "Jarvis",
    "Keller", "Lindqvist", "Marlow", "Nyberg", "Okoro",
    "Prentiss", "Quayle", "Rowan", "Sandoval", "Thorne",
)
# fmt: on
SCHOOLS = {"cedar": "Cedar Ridge", "lakeview": "Lakeview", "harbor": "Harbor"}
_TEACHERS = 17
_STUDENTS = 100


@dataclass(frozen=True, slots=True)
class StoryLine:
    """One meeting and what is expected of it.

    `expect` are the rules that must be flagged, `may` those that may be flagged besides; nothing
    else should be. `event_id` is empty for an ad-hoc call; `when` is past, live or upcoming.
    """

    event_id: str
    code: str
    title: str
    starts_at: datetime
    when: str
    note: str
    expect: frozenset[str]
    may: frozenset[str]


def demo_district(
    now: datetime, *, drop_after: timedelta = timedelta(seconds=20)
) -> tuple[World, dict[str, Rows], list[StoryLine]]:
    """World, registry rows by file name (`schools.csv`, ...) and the story.

    `now` is the moment the demo starts (aware); the live teacher leaves `drop_after` later.
    """
    world = people(now)
    story = _Story(world, now)
    _held_well(story)
    _held_badly(story)
    _set_up_badly(story)
    _not_allowed(story)
    _exempt(story)
    _upcoming(story)
    _series(story)
    _told_in_writing(story)
    _replaced(story)
    _live(story, drop_after)
    world.clock = utc_now
    registry = registry_rows(
        now.astimezone(ZONE).date(), story.retroactive_start, teacher("lakeview", 10)
    )
    world.add_spreadsheet(SPREADSHEET, sheet_tabs(registry), readers=[ADMIN])
    return world, registry, story.lines


# --- people --------------------------------------------------------------------------------------


def people(now: datetime) -> World:
    """Accounts, lists and rooms: 3 schools and a department, 60 staff, 300 students.

    The world's clock stands at `now`.
    """
    world = World(domains=(STAFF_DOMAIN, STUDENT_DOMAIN))
    world.clock = lambda: now
    world.audit_lag = {"meet": timedelta(minutes=3), "calendar": timedelta(hours=1)}
    for path in ("/Staff/Contractors", "/Students", "/Service"):
        world.add_unit(path)
    world.add_user(ADMIN, "Meetbot Admin", "/Service", admin=True)
    world.add_user("meetbot@district.example", "Meetbot", "/Service")
    world.add_user("calendar-sync@district.example", "Calendar Sync", "/Service")
    for number, (key, name) in enumerate(SCHOOLS.items()):
        _school(world, key, name, number)
    _department(world)
    _others(world)
    return world


def teacher(school: str, number: int) -> str:
    """The address of a school's teacher, 0 to 16."""
    place = list(SCHOOLS).index(school) * _TEACHERS + number
    first, last = _FIRST[place % 20], _LAST[(place * 7 + place // 20) % 20]
    return f"{first}.{last}@{STAFF_DOMAIN}".lower()


def student(school: str, number: int) -> str:
    """The address of a school's student, 0 to 99."""
    return f"s{list(SCHOOLS).index(school) + 1}{number:03d}@{STUDENT_DOMAIN}"


def principal(school: str) -> str:
    """The address of a school's principal."""
    return f"principal.{school}@{STAFF_DOMAIN}"


def live_host() -> str:
    """The address of the teacher of the one live meeting."""
    return teacher("harbor", 14)


def _school(world: World, key: str, name: str, number: int) -> None:
    world.add_user(principal(key), f"Principal {_LAST[number + 3]}", f"/Staff/{name}")
    for place in range(_TEACHERS):
        world.add_user(teacher(key, place), "", f"/Staff/{name}")
    for place in range(_STUDENTS):
        full = f"{_FIRST[(place * 3 + number) % 20]} {_LAST[(place * 11 + place // 20) % 20]}"
        world.add_user(student(key, place), full, f"/Students/{name}")
    world.add_group(
        f"{key}-robotics@{STUDENT_DOMAIN}", [student(key, place) for place in range(40, 46)]
    )
    world.add_alias(teacher(key, 1), f"{key}.science@{STAFF_DOMAIN}")


def _department(world: World) -> None:
    unit = "/Staff/Student Support"
    world.add_user("lead.support@district.example", "Maren Holt", unit)
    world.add_user("counselor@district.example", "Iris Vance", unit)
    world.add_user("compliance@district.example", "Compliance Desk", "/Staff/District Office")
    world.add_user("privacy@district.example", "Privacy Desk", "/Staff/District Office")
    world.add_user("it@district.example", "IT Desk", "/Staff/District Office")
    world.add_user("superintendent@district.example", "Ruth Adair", "/Staff/District Office")


def _others(world: World) -> None:
    world.add_user(
        "coach.contract@district.example", "Dale Winter", "/Staff/Contractors", suspended=False
    )
    world.add_user("former.teacher@district.example", "Nora Pike", "/Staff/Harbor", suspended=True)
    world.add_user(
        "guest-lena@district.example", "Lena Ortiz", "/Guests", guest_of="lena@brightpath.example"
    )
    world.add_user("room-harbor-204@resource.calendar.google.com", "Harbor 204", "/", room=True)
    for contact in ("college-access", "school-mental-health", "community-ed", "procurement"):
        world.add_group(f"{contact}@district.example", ["superintendent@district.example"])
    world.add_group("all-staff@district.example", [principal(school) for school in SCHOOLS])


# --- telling -------------------------------------------------------------------------------------

LENA = "lena@brightpath.example"
OMAR = "omar@makeryard.example"
TESS = "tess@riverarts.example"
CLINICIAN = "dr.wynn@calmharbor.example"
GUARDIAN = "guardian.reyes@homemail.example"
Minutes = tuple[float, float | None]


class _Story:
    """Adds meetings to the world and keeps what is expected of them."""

    def __init__(self, world: World, now: datetime) -> None:
        self.world = world
        self.now = now
        self.lines: list[StoryLine] = []
        self.retroactive_start = now
        self._pupils = 0

    def pupils(self, school: str, count: int) -> list[str]:
        """The next few students of a school, so that meetings have different classes."""
        first = self._pupils % 80
        self._pupils += count
        return [student(school, (first + place) % 100) for place in range(count)]

    def meeting(
        self,
        title: str,
        host: str,
        guests: Sequence[str],
        at: timedelta,
        *,
        minutes: int = 45,
        expect: Iterable[str] = (),
        may: Iterable[str] = (),
        note: str = "",
        guests_see_others: bool = False,
        guests_invite: bool = False,
        **details: Any,
    ) -> Event:
        """An event that starts `at` from now, hidden guest list and no inviting by default."""
        start = (self.now + at).replace(microsecond=0)
        event = self.world.add_event(
            host,
            start,
            start + timedelta(minutes=minutes),
            attendees=[Attendee(guest, response="accepted") for guest in guests],
            summary=title,
            event_id=_event_id(len(self.lines)),
            created_at=self.now - timedelta(days=9),
            guests_see_others=guests_see_others,
            guests_invite=guests_invite,
            **details,
        )
        end = start + timedelta(minutes=minutes)
        when = "past" if end <= self.now else "live" if start <= self.now else "upcoming"
        self.tell(event.event_id, event.code, title, start, when, note, expect, may)
        return event

    def tell(
        self,
        event_id: str,
        code: str,
        title: str,
        start: datetime,
        when: str,
        note: str,
        expect: Iterable[str],
        may: Iterable[str],
    ) -> None:
        """Note a meeting and what is expected of it."""
        self.lines.append(
            StoryLine(event_id, code, title, start, when, note, frozenset(expect), frozenset(may))
        )

    def held(
        self, event: Event, *people: Participant, organizer: str = "", instance: str = ""
    ) -> None:
        """The call of a meeting."""
        self.world.add_conference(
            event.code,
            organizer or event.organizer,
            [people],
            calendar_event_id=instance or event.event_id,
        )

    def came(
        self,
        event: Event,
        who: str,
        *visits: Minutes,
        joins: Joins = Joins.SIGNED_IN,
        name: str = "",
        shift: timedelta = timedelta(0),
    ) -> Participant:
        """Somebody present for the given minutes counted from the event's start."""
        assert isinstance(event.start, datetime)
        start = event.start + shift
        spans = [
            (
                start + timedelta(minutes=come),
                None if go is None else start + timedelta(minutes=go),
            )
            for come, go in visits
        ]
        return joined(who, *spans, joins=joins, name=name)

    def class_came(
        self, event: Event, pupils: Sequence[str], *visits: Minutes
    ) -> list[Participant]:
        """A class present for the same minutes, a few seconds apart."""
        return [
            self.came(event, pupil, *((come + place / 20, go) for come, go in visits))
            for place, pupil in enumerate(pupils)
        ]


def _event_id(number: int) -> str:
    return f"demo{number:03d}" + meeting_code(f"event {number}").replace("-", "").replace(
        "w", "0"
    ).replace("x", "1").replace("y", "2").replace("z", "3")


def _lesson(
    story: _Story,
    title: str,
    school: str,
    number: int,
    partner: str,
    at: timedelta,
    staff: Sequence[Minutes],
    *,
    guest: Sequence[Minutes] = ((2, 44),),
    pupils: Sequence[Minutes] = ((1, 45),),
    count: int = 4,
    more: Sequence[tuple[str, Joins, Minutes]] = (),
    expect: Iterable[str] = (),
    note: str = "",
) -> Event:
    """A past lesson of one teacher, one partner and a few students."""
    host, children = teacher(school, number), story.pupils(school, count)
    event = story.meeting(title, host, [partner, *children], at, expect=expect, note=note)
    people = [story.came(event, host, *staff)] if staff else []
    people.append(story.came(event, partner, *guest))
    people += story.class_came(event, children, *pupils)
    people += [story.came(event, who, visit, joins=joins) for who, joins, visit in more]
    story.held(event, *people)
    return event


def _held_well(story: _Story) -> None:
    hours = timedelta(hours=1)
    whole = [(0, 45.5)]
    _lesson(story, "College essays", "harbor", 0, LENA, -47 * hours, whole, note="clean")
    _lesson(story, "Bridge building", "cedar", 0, OMAR, -23 * hours, whole, note="clean")
    _lesson(story, "Stage voices", "lakeview", 0, TESS, -5 * hours, whole, note="clean")
    _lesson(
        story,
        "Reading a blueprint",
        "cedar",
        2,
        OMAR,
        -29 * hours,
        [(0, 20), (20.5, 46)],
        note="clean: the teacher reconnected within 30 s",
    )


def _held_badly(story: _Story) -> None:
    hours = timedelta(hours=1)
    whole: list[Minutes] = [(0, 46)]
    _lesson(
        story, "Solar ovens", "lakeview", 1, OMAR, -26 * hours, [(0, 30)],
        expect=["staff-left-early"], note="the teacher left 14 minutes before the partner",
    )  # fmt: skip
    _lesson(
        story, "Campus tour", "harbor", 1, LENA, -27 * hours, [(6, 46)], guest=[(0, 44)],
        pupils=[(0, 45)], expect=["staff-joined-late"], note="the teacher joined 6 minutes late",
    )  # fmt: skip
    _lesson(
        story, "Mask making", "lakeview", 2, TESS, -3 * hours, [(0, 20), (24, 46)],
        expect=["staff-presence-gap"], note="the teacher was away for 4 minutes",
    )  # fmt: skip
    _lesson(
        story, "Scholarship search", "harbor", 2, LENA, -52 * hours, [], guest=[(0, 30)],
        pupils=[(0, 30)], expect=["no-staff-joined"], note="no staff account joined",
    )  # fmt: skip
    _lesson(
        story, "Soldering for one", "cedar", 3, OMAR, -4 * hours, [(0, 20)], guest=[(0, 40)],
        pupils=[(0, 40)], count=1, expect=["staff-left-early", "partner-alone-with-student"],
        note="the partner stayed alone with one student",
    )  # fmt: skip
    _lesson(
        story, "Interview practice", "harbor", 3, LENA, -28 * hours, whole,
        more=[("A. Nonymous", Joins.ANONYMOUS, (10, 25))],
        expect=["unidentified-participant"], note="somebody joined without an account",
    )  # fmt: skip
    _lesson(
        story, "Financial aid forms", "harbor", 4, LENA, -50 * hours, whole,
        more=[("+1 612-***-**44", Joins.PHONE, (5, 30))],
        expect=["unidentified-participant"], note="somebody dialed in by phone",
    )  # fmt: skip
    _lesson(
        story, "Kinetic sculpture", "lakeview", 3, OMAR, -30 * hours, whole,
        more=[(TESS, Joins.SIGNED_IN, (8, 40))],
        expect=["uninvited-external-joined"], note="a person of another partner came uninvited",
    )  # fmt: skip
    _lesson(
        story, "Choosing majors", "harbor", 5, LENA, -25 * hours, [(0, 71)], guest=[(0, 70)],
        pupils=[(0, 70)], expect=["outside-authorized-window"], note="ran 25 minutes over",
    )  # fmt: skip
    _room_only(story)
    _ad_hoc(story)


def _room_only(story: _Story) -> None:
    host, children = teacher("harbor", 6), story.pupils("harbor", 3)
    event = story.meeting(
        "Transcript basics",
        host,
        [LENA, *children],
        timedelta(hours=-49),
        expect=["no-staff-joined"],
        may=["unidentified-participant"],
        note="only the room's device was in: needs review",
    )
    room = story.came(event, "room-harbor-204@resource.calendar.google.com", (0, 45))
    partner = story.came(event, LENA, (1, 44))
    story.held(event, room, partner, *story.class_came(event, children, (1, 44)))


def _ad_hoc(story: _Story) -> None:
    host, children = teacher("lakeview", 4), story.pupils("lakeview", 3)
    start = story.now - timedelta(hours=7)
    code = meeting_code("ad hoc call")
    end = start + timedelta(minutes=25)
    story.world.add_conference(
        code, host, [[joined(who, (start, end)) for who in (host, OMAR, *children)]]
    )
    note = "a call with a partner and students that no event announces"
    may = ["uninvited-external-joined"]
    story.tell("", code, "(ad-hoc call)", start, "past", note, ["adhoc-meeting"], may)


# Whose school counts is unsure where no staff member is the host.
_UNSURE = ("authorization-missing", "authorization-scope")


def _set_up_badly(story: _Story) -> None:
    hours = timedelta(hours=1)
    visible = "student-contacts-visible"
    children = story.pupils("lakeview", 3)
    story.meeting(
        "Makers' question hour", OMAR, [teacher("lakeview", 5), *children], 5 * hours,
        guests_see_others=True, expect=["organizer-not-staff", visible], may=_UNSURE,
        note="organized by the partner",
    )  # fmt: skip
    story.meeting(
        "Theater club chat", student("lakeview", 90), [teacher("lakeview", 6), TESS], 20 * hours,
        guests_see_others=True, expect=["organizer-not-staff", visible], may=_UNSURE,
        note="organized by a student",
    )  # fmt: skip
    story.meeting(
        "Rehearsal room", TESS, [teacher("lakeview", 7), *story.pupils("lakeview", 2)], 74 * hours,
        expect=["organizer-not-staff"], may=_UNSURE,
        note="organized by the partner with a hidden guest list: the staff copy shows no guest",
    )  # fmt: skip
    robotics = "c_robotics7@group.calendar.google.com"
    story.world.add_calendar(robotics, owner=teacher("cedar", 4), summary="Robotics")
    story.meeting(
        "Robotics planning", robotics, [teacher("cedar", 4), OMAR], 147 * hours,
        creator="calendar-sync@district.example", guests_see_others=True,
        expect=["organizer-unresolved"], may=_UNSURE, note="organized by a secondary calendar",
    )  # fmt: skip
    story.meeting(
        "Open workshop", teacher("cedar", 5), [OMAR, *story.pupils("cedar", 3)], 23 * hours,
        guests_see_others=True, expect=[visible], note="the partner sees student addresses",
    )  # fmt: skip
    story.meeting(
        "Bring a friend", teacher("cedar", 6), [OMAR, *story.pupils("cedar", 3)], 40 * hours,
        guests_invite=True, expect=["guests-can-invite"], note="guests may invite others",
    )  # fmt: skip
    story.meeting(
        "Circuits remote", teacher("cedar", 7), [OMAR, *story.pupils("cedar", 3)], 22 * hours,
        location="https://us02web.zoom.us/j/5550100", code="",
        expect=["unapproved-platform"], note="on Zoom",
    )  # fmt: skip
    wrapped = "https://www.google.com/url?q=https%3A%2F%2Fteams.microsoft.com%2Fl%2Fmeetup-join%2F1"
    story.meeting(
        "Essay clinic", teacher("harbor", 7), [LENA, *story.pupils("harbor", 3)], 28 * hours,
        description=f'Join <a href="{wrapped}">here</a>', expect=["unapproved-platform"],
        note="a Teams link wrapped in google.com/url",
    )  # fmt: skip
    _strangers(story)
    _opened_and_shared(story)


def _opened_and_shared(story: _Story) -> None:
    """Set-ups that let in more people than were approved."""
    hours = timedelta(hours=1)
    opened = story.meeting(
        "Open studio", teacher("lakeview", 14), [TESS, *story.pupils("lakeview", 3)], 51 * hours,
        expect=["open-access-space"], note="anyone with the link can enter",
    )  # fmt: skip
    story.world.set_space(opened.code, access_type="OPEN", cohosts=[TESS])
    for title, partner, after in (("Prop making", OMAR, 52), ("Costume talk", TESS, 100)):
        story.meeting(
            title, teacher("lakeview", 16), [partner, *story.pupils("lakeview", 3)], after * hours,
            code=meeting_code("one link for two"), expect=["meeting-code-reused"],
            note="one link for two partners",
        )  # fmt: skip
    story.meeting(
        "Campus questions", teacher("harbor", 16), [LENA, *story.pupils("harbor", 3)], 53 * hours,
        creator=LENA, expect=["created-by-delegate"],
        note="the partner put it into the teacher's calendar",
    )  # fmt: skip
    guests = [TESS, *story.pupils("lakeview", 3)]
    event = story.meeting(
        "Scene work", teacher("lakeview", 15), guests, 54 * hours,
        expect=["guest-added-by-partner"], note="the partner brought a colleague along",
    )  # fmt: skip
    story.world.clock = lambda: story.now - 3 * hours
    story.world.update_event(
        event.event_id, attendees=[*event.attendees, "milo@riverarts.example"], actor=TESS
    )
    story.world.clock = lambda: story.now


def _strangers(story: _Story) -> None:
    hours = timedelta(hours=1)
    story.meeting(
        "Essay feedback", teacher("harbor", 8),
        ["lena@brightp\N{CYRILLIC SMALL LETTER A}th.example", *story.pupils("harbor", 3)],
        7 * hours, expect=["partner-lookalike-domain"], may=["partner-unregistered"],
        note="the guest's domain imitates a partner's",
    )  # fmt: skip
    story.meeting(
        "Volcano visit", teacher("cedar", 8),
        ["ranger@lavafield.example", *story.pupils("cedar", 3)],
        9 * hours, expect=["partner-unregistered"], note="nobody registered this guest",
    )  # fmt: skip


def _not_allowed(story: _Story) -> None:
    hours = timedelta(hours=1)
    cases = [
        ("Scratch stories", "cedar", 9, "mika@codelanterns.example", 72, "contract-expired"),
        ("Test strategies", "harbor", 9, "dana@summitprep.example", 48, "contract-not-started"),
        (
            "Film night planning",
            "harbor",
            10,
            "reel@riverarts-film.example",
            96,
            "contract-missing",
        ),
        ("Picture books", "cedar", 10, "ola@pageturners.example", 26, "certification-expired"),
        ("Mentor circle", "lakeview", 8, "vic@openhands.example", 30, "certification-missing"),
        ("Family stories", "lakeview", 9, "june@storybridge.example", 146, "authorization-missing"),
        ("Photo walk", "harbor", 11, "ray@lenslab.example", 27, "authorization-missing"),
        ("Essay starters", "cedar", 11, LENA, 50, "authorization-scope"),
        ("Star charts", "lakeview", 10, "ivo@startutors.example", 0.8, "authorizer-role"),
        ("Futsal tactics", "cedar", 12, "coach@northsidefutsal.example", 120, "program-paused"),
    ]
    for title, school, number, partner, after, rule in cases:
        guests = [partner, *story.pupils(school, 3)]
        story.meeting(
            title, teacher(school, number), guests, after * hours, expect=[rule], note=rule
        )
    story.meeting(
        "Garden evening", teacher("lakeview", 11),
        ["kai@greenthumb.example", *story.pupils("lakeview", 3)], 98 * hours,
        expect=["flyer-only-program"],
        may=["contract-missing", "certification-missing", "authorization-missing"],
        note="community programs reach families by flyer only",
    )  # fmt: skip
    event = _lesson(
        story, "First prototypes", "cedar", 13, "sol@quickstart.example", -31 * hours, [(0, 46)],
        expect=["authorization-retroactive"], note="approved after it was held",
    )  # fmt: skip
    assert isinstance(event.start, datetime)
    story.retroactive_start = event.start


def _exempt(story: _Story) -> None:
    hours = timedelta(hours=1)
    story.meeting(
        "Family conference", teacher("cedar", 14), [GUARDIAN], 2 * hours,
        note="a guardian, exempt",
    )  # fmt: skip
    story.meeting(
        "Copier contract", teacher("harbor", 12), ["sales@officehive.example"], 29 * hours,
        expect=["partner-unregistered"], note="adults only: low, in the weekly summary",
    )  # fmt: skip
    pupil = story.pupils("harbor", 1)[0]
    event = story.meeting(
        "Check-in", "counselor@district.example", [CLINICIAN, pupil], -6 * hours,
        visibility="private", note="confidential-clinical: staff presence is not wanted",
    )  # fmt: skip
    story.held(event, story.came(event, CLINICIAN, (0, 40)), story.came(event, pupil, (1, 40)))


def _upcoming(story: _Story) -> None:
    hours = timedelta(hours=1)
    plans = [
        ("Design sprint", "lakeview", 12, OMAR, 0.65),
        ("Application day", "harbor", 13, LENA, 19),
        ("Puppet theater", "lakeview", 13, TESS, 120),
    ]
    for title, school, number, partner, after in plans:
        guests = [partner, *story.pupils(school, 4)]
        note = "clean, reminders are due"
        story.meeting(title, teacher(school, number), guests, after * hours, note=note)
    hostile = "<script>alert(1)</script>\r\nBcc: all@evil.example \u202egnp.exe & co"
    guests = [OMAR, *story.pupils("cedar", 3)]
    story.meeting(hostile, teacher("cedar", 15), guests, 55 * hours, note="clean, hostile title")


def _series(story: _Story) -> None:
    """Weekly: last held two days ago, the next instance moved by a day, the one after cancelled."""
    host, children = teacher("cedar", 16), story.pupils("cedar", 4)
    event = story.meeting(
        "Maker club (weekly)",
        host,
        [OMAR, *children],
        timedelta(days=-23),
        recurrence=["RRULE:FREQ=WEEKLY;COUNT=12"],
        note="clean weekly series with a moved and a cancelled instance",
    )
    starts = [_weeks_later(event, weeks) for weeks in (3, 4, 5)]
    held, moved, cancelled = (story.world.instance_id(event.event_id, start) for start in starts)
    assert isinstance(event.start, datetime)
    shift = starts[0] - event.start
    people = [story.came(event, who, (0.5, 45), shift=shift) for who in (OMAR, *children)]
    story.held(event, story.came(event, host, (0, 46), shift=shift), *people, instance=held)
    story.world.move_event(moved, starts[1] + timedelta(days=1))
    story.world.cancel_event(cancelled)


def _told_in_writing(story: _Story) -> None:
    hours = timedelta(hours=1)
    children = story.pupils("cedar", 3)
    story.meeting(
        "Poster round", teacher("cedar", 5), [OMAR, *children], 43 * hours,
        description=f"First come <b>{children[0]}</b> and {children[1]}.",
        expect=["student-data-in-text"], note="the description holds student addresses",
    )  # fmt: skip
    roster = {
        "fileId": "1",
        "fileUrl": "https://docs.google.com/spreadsheets/d/1/edit",
        "title": "Class roster",
        "mimeType": "application/vnd.google-apps.spreadsheet",
    }
    story.meeting(
        "Teams of four", teacher("cedar", 6), [OMAR, *story.pupils("cedar", 3)], 45 * hours,
        extra={"attachments": [roster]}, expect=["student-roster-attached"],
        note="a class roster is attached",
    )  # fmt: skip


def _replaced(story: _Story) -> None:
    hours = timedelta(hours=1)
    host, colleague = teacher("cedar", 7), teacher("cedar", 8)
    children = story.pupils("cedar", 3)
    event = story.meeting(
        "Gears and levers", host, [OMAR, *children], -31 * hours,
        expect=["substitute-supervisor"], note="a colleague covered for the host",
    )  # fmt: skip
    people = [story.came(event, who, (0, 45)) for who in (colleague, OMAR)]
    story.held(event, *people, *story.class_came(event, children, (1, 44)))


def _weeks_later(event: Event, weeks: int) -> datetime:
    """The same wall-clock time some weeks later."""
    assert isinstance(event.start, datetime)
    local = event.start.astimezone(ZONE)
    return (local + timedelta(weeks=weeks)).astimezone(event.start.tzinfo)


def _live(story: _Story, drop_after: timedelta) -> None:
    """Running since 12 minutes; the teacher drops out, the partner goes on with 4 students."""
    host, children = live_host(), story.pupils("harbor", 4)
    event = story.meeting(
        "College essays, live",
        host,
        [LENA, *children],
        timedelta(minutes=-12),
        expect=["staff-left-early"],
        note="live: the teacher drops out, the partner stays with 4 students",
    )
    drop = (story.now + drop_after - story.now.replace(microsecond=0)).total_seconds() / 60
    people = [
        story.came(event, host, (-1, 12 + drop)),
        story.came(event, LENA, (1, 42)),
        *story.class_came(event, children, (0, 42)),
    ]
    story.held(event, *people)
