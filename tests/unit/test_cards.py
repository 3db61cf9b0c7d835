"""What a mail may tell of a meeting: no student, no hint of mental health, neutral labels."""

from __future__ import annotations

from dataclasses import replace
from datetime import date

import pytest

from meetbot.domain.attendance import Identity, IdentityForm, Visit
from meetbot.domain.authorizing import Occasion
from meetbot.domain.cards import (
    NEUTRAL_PARTNER,
    card_of,
    lines_of,
    occasion_of,
    partner_line,
    thread_of,
    timeline_of,
)
from meetbot.domain.case_ids import case_id
from meetbot.domain.dossier import Dossier, Host, Invitee
from meetbot.domain.findings import Certainty, Severity, TimelineSpan
from meetbot.domain.flags import FlagStatus
from meetbot.domain.meetings import OccurrenceKey
from meetbot.domain.notices import FlagLine, Lane, MeetingCard, PartnerLine, Timeline
from meetbot.domain.people import Kind
from meetbot.domain.registry import Activity, PartnerKind, Program, ProgramType, Registry
from tests.dossiers import (
    AUTHORIZATION,
    CERTIFICATION,
    CLASS,
    CONTRACT,
    END,
    HOST,
    LINCOLN,
    NORTHSTAR,
    PARTNER,
    PROGRAM,
    START,
    STRANGER,
    TEACHER,
    ZONE,
    a_conference,
    a_dossier,
    a_registry,
    a_visit,
    adhoc,
    an_attendance,
    at,
    held,
    partner,
    running,
    somebody,
    staff,
    stranger,
    students,
)
from tests.flags import a_flag

CONTACTS = {"college-access": "college@district.example", "other": "buy@district.example"}
COUNSELING = replace(PROGRAM, name="School Counseling", type=ProgramType.MENTAL_HEALTH)
SENSITIVE = a_registry(programs=(COUNSELING,))
ORDERLY = ("contract valid to 2027-06-30", "certified")
IN_ORDER = (*ORDERLY, "authorized")


def statuses(dossier: Dossier) -> tuple[str, ...]:
    """What the card says of its first partner."""
    return card_of(dossier, CONTACTS).partners[0].statuses


def drawn(dossier: Dossier) -> Timeline:
    """Its timeline, which must be there."""
    timeline = timeline_of(dossier, ())
    assert timeline is not None
    return timeline


def labels(dossier: Dossier) -> list[tuple[str, str]]:
    """(label, role) of each lane, from the top."""
    return [(lane.label, lane.role) for lane in drawn(dossier).lanes]


# --- Card ---------------------------------------------------------------------------------------


def test_a_card_tells_who_where_and_when() -> None:
    """School, host, times and the partner's standing; no link, no guest."""
    card = card_of(a_dossier(), CONTACTS)

    assert (card.school, card.host, card.zone) == (
        "Lincoln School",
        "Terry Teacher",
        "America/Chicago",
    )
    assert card.join_link is None
    (line,) = card.partners
    assert (line.name, line.is_registered) == ("Northstar", True)
    assert line.contact == "college@district.example"
    assert line.statuses == ("contract valid to 2027-06-30", "certified", "authorized")


def test_a_host_who_is_not_staff_is_not_named() -> None:
    """A partner or student who organizes appears nowhere by name."""
    for invitee in (PARTNER, CLASS[0], STRANGER, None):
        dossier = a_dossier(host=Host(invitee, None, "Some Name"))
        assert card_of(dossier, {}).host is None


@pytest.mark.parametrize(
    ("changes", "expected"),
    [
        ({"contracts": ()}, "no contract on file"),
        ({"contracts": (replace(CONTRACT, signed_on=None),)}, "contract not signed"),
        (
            {"contracts": (replace(CONTRACT, ends_on=date(2026, 9, 1)),)},
            "contract ended on 2026-09-01",
        ),
        (
            {"contracts": (replace(CONTRACT, starts_on=date(2026, 12, 1)),)},
            "contract starts only on 2026-12-01",
        ),
        (
            {"contracts": (replace(CONTRACT, school_ids=("washington",)),)},
            "contract does not cover this school",
        ),
        ({"certifications": ()}, "certification not on file"),
        (
            {"certifications": (replace(CERTIFICATION, expires_on=date(2026, 9, 1)),)},
            "certification valid 2026-08-01 to 2026-09-01 only",
        ),
        ({"authorizations": ()}, "no authorization on file"),
        ({"partners": (replace(NORTHSTAR, status=Activity.PAUSED),)}, "paused"),
        ({"partners": (replace(NORTHSTAR, kind=PartnerKind.LEASE),)}, "lease holder"),
        (
            {"partners": (replace(NORTHSTAR, kind=PartnerKind.COMMUNITY),)},
            "community organization: flyers only",
        ),
    ],
)
def test_a_partners_standing_is_in_sentences(changes: dict[str, object], expected: str) -> None:
    """One sentence for each thing that is not in order."""
    assert expected in statuses(a_dossier(registry=a_registry(**changes)))


def test_unregistered_outsiders_are_domains() -> None:
    """Invited or joined, once for each domain, never an address."""
    dossier = held(
        stranger((0, 45)),
        stranger((0, 45), person="x2", domain="third.example"),
        invitees=(HOST, STRANGER),
    )

    names = [line.name for line in card_of(dossier, {}).partners]

    assert names == ["guest at elsewhere.example", "guest at third.example"]


@pytest.mark.parametrize(
    "programs", [(COUNSELING,), (COUNSELING, replace(PROGRAM, program_id="b"))]
)
def test_school_mental_health_is_not_hinted_at(programs: tuple[object, ...]) -> None:
    """Neither partner, program nor contact; not in the timeline either."""
    registry = a_registry(programs=programs, authorizations=())
    dossier = held(staff((0, 45)), partner((0, 45)), *students((0, 45)), registry=registry)

    contacts = CONTACTS | {"mental-health": "counselors@district.example"}
    shown = repr(card_of(dossier, contacts)) + repr(timeline_of(dossier, ()))

    assert card_of(dossier, contacts).partners[0].name == NEUTRAL_PARTNER
    for word in ("Northstar", "northstar", "Counsel", "counsel", "mental", "Path"):
        assert word not in shown.replace("a contracted partner", "")


def test_a_confidential_card_names_no_partner() -> None:
    """Privacy officers get counts and times."""
    card = card_of(a_dossier(registry=SENSITIVE), CONTACTS, is_confidential=True)

    assert card.is_confidential
    assert card.partners == ()


def test_an_adhoc_card_says_so() -> None:
    """There is no event to show."""
    card = card_of(adhoc(partner((0, 45)), *students((0, 45))), CONTACTS)

    assert (card.is_adhoc, card.school, card.host) == (True, None, None)


def test_threads_are_opaque_and_stay() -> None:
    """One thread for an occurrence, whatever its code becomes; nothing of the key is in it."""
    key = OccurrenceKey("uid@google.com", START, "abcdefghij")

    assert thread_of(key) == thread_of(replace(key, meeting_code="otherother"))
    assert thread_of(key) != thread_of(replace(key, original_start_at=at(1)))
    assert len(thread_of(key)) == 16


def test_a_card_holds_what_a_mail_may_tell_and_nothing_else() -> None:
    """Every field of the card, of a meeting that has all of them."""
    assert card_of(a_dossier(), CONTACTS) == MeetingCard(
        thread=thread_of(a_dossier().key),
        start_at=START,
        end_at=END,
        zone="America/Chicago",
        school="Lincoln School",
        host="Terry Teacher",
        partners=(PartnerLine("Northstar", True, IN_ORDER, "college@district.example"),),
        is_adhoc=False,
        is_confidential=False,
        join_link=None,
        case_id=case_id(a_dossier().key.text),
    )


def test_a_host_without_a_name_is_told_by_address() -> None:
    """The directory may not give a display name."""
    assert card_of(a_dossier(host=Host(HOST)), {}).host == TEACHER


def test_a_partner_whose_row_is_gone_is_not_in_the_registry() -> None:
    """The invitation still names its id; nothing but that is known."""
    card = card_of(a_dossier(registry=a_registry(partners=())), CONTACTS)

    assert card.partners == (PartnerLine(NEUTRAL_PARTNER, False, ("not in the registry",), None),)


def test_a_mental_health_partner_keeps_its_standing_only() -> None:
    """Officers still read whether contract and authorization are in order; no name, no contact."""
    card = card_of(a_dossier(registry=SENSITIVE), CONTACTS)

    assert card.partners == (PartnerLine(NEUTRAL_PARTNER, True, IN_ORDER, None),)


def test_whoever_may_see_the_case_reads_the_name() -> None:
    """Signed in; nobody reads it unless that was said."""
    dossier = a_dossier(registry=SENSITIVE)
    contact = CONTACTS["other"]

    signed_in = card_of(dossier, CONTACTS, is_signed_in=True)
    line = partner_line(dossier, NORTHSTAR.partner_id, PROGRAM.program_id, CONTACTS)

    assert signed_in.partners == (PartnerLine(NORTHSTAR.name, True, IN_ORDER, contact),)
    assert line == PartnerLine(NEUTRAL_PARTNER, True, IN_ORDER, None)


def test_one_program_of_several_decides_what_may_be_named() -> None:
    """A known program hides only itself; with none known, one of mental health hides the partner.

    That the other program is about mental health is told by nothing in the mail.
    """
    other = replace(COUNSELING, program_id="care")
    registry = a_registry(programs=(PROGRAM, other))
    unknown = replace(registry, authorizations=(), contracts=())

    (known_line,) = card_of(a_dossier(registry=registry), CONTACTS).partners
    (line,) = card_of(a_dossier(registry=unknown), CONTACTS).partners

    assert known_line == PartnerLine("Northstar", True, IN_ORDER, "college@district.example")
    assert (line.name, line.contact) == (NEUTRAL_PARTNER, None)


def test_who_answers_questions_depends_on_the_program() -> None:
    """Its type's contact; the one for other programs where the type has none or is not known."""
    two = a_registry(
        programs=(PROGRAM, replace(PROGRAM, program_id="b")), authorizations=(), contracts=()
    )

    def contact(dossier: Dossier, contacts: dict[str, str]) -> str | None:
        return card_of(dossier, contacts).partners[0].contact

    assert contact(a_dossier(), CONTACTS) == "college@district.example"
    assert contact(a_dossier(), {"other": "buy@district.example"}) == "buy@district.example"
    assert contact(a_dossier(registry=two), CONTACTS) == "buy@district.example"
    assert contact(a_dossier(), {}) is None


def test_an_unregistered_outsider_is_told_as_such() -> None:
    """Their line says what is wrong; a registered partner and an exempt guest get no such line."""
    exempt = an_attendance("e", Kind.EXEMPT, (0, 45), domain="home.example")
    dossier = held(partner((0, 45)), stranger((0, 45)), exempt)

    assert card_of(dossier, CONTACTS).partners[1:] == (
        PartnerLine("guest at elsewhere.example", False, ("not in the registry",), None),
    )


@pytest.mark.parametrize(
    ("registry", "expected"),
    [
        (
            a_registry(authorizations=(replace(AUTHORIZATION, revoked_at=at(-60)),)),
            (*ORDERLY, "authorization was revoked"),
        ),
        (
            a_registry(
                authorizations=(
                    replace(AUTHORIZATION, school_id="washington", ends_on=date(2026, 9, 1)),
                )
            ),
            (*ORDERLY, "authorization does not cover: school, date"),
        ),
        (
            a_registry(authorizations=(replace(AUTHORIZATION, issued_at=at(1)),)),
            (*ORDERLY, "authorized only after the start"),
        ),
        (
            a_registry(
                programs=(PROGRAM, replace(PROGRAM, program_id="b")),
                contracts=(),
                authorizations=(),
            ),
            (
                "program not known",
                "no contract on file",
                "certified",
                "no authorization on file",
            ),
        ),
        (
            a_registry(
                partners=(replace(NORTHSTAR, kind=PartnerKind.PERMIT, status=Activity.PAUSED),)
            ),
            ("permit holder", "paused", *IN_ORDER),
        ),
        (
            a_registry(partners=(replace(NORTHSTAR, kind=PartnerKind.COMMUNITY),)),
            ("community organization: flyers only", *IN_ORDER),
        ),
        (
            a_registry(programs=(), contracts=(), certifications=(), authorizations=()),
            ("no contract on file", "certification not on file", "no authorization on file"),
        ),
    ],
)
def test_all_that_is_told_of_a_partners_standing(
    registry: Registry, expected: tuple[str, ...]
) -> None:
    """In the order footing, program, contract, certification, authorization; nothing twice."""
    assert statuses(a_dossier(registry=registry)) == expected


def test_an_invited_stranger_who_stayed_away_is_told_with_those_who_came() -> None:
    """Both were let near the meeting."""
    dossier = held(stranger((0, 45), domain="third.example"), invitees=(HOST, STRANGER))

    names = [line.name for line in card_of(dossier, {}).partners]

    assert names == ["guest at elsewhere.example", "guest at third.example"]


@pytest.mark.parametrize("program", [PROGRAM, COUNSELING])
def test_only_rows_of_the_own_program_are_in_order(program: Program) -> None:
    """Another program's contract and approval do not help this one."""
    registry = a_registry(
        programs=(program, replace(PROGRAM, program_id="b")),
        contracts=(CONTRACT,),
        authorizations=(replace(AUTHORIZATION, program_id="b", ends_on=date(2026, 9, 1)),),
    )
    ended = replace(
        registry,
        contracts=(
            replace(CONTRACT, ends_on=date(2026, 9, 1)),
            replace(CONTRACT, contract_id="c2", program_id="b"),
        ),
        authorizations=(AUTHORIZATION,),
    )

    assert statuses(a_dossier(registry=registry)) == (
        *ORDERLY,
        "authorization does not cover: program, date",
    )
    assert statuses(a_dossier(registry=ended)) == (
        *("contract ended on 2026-09-01", "certified", "authorized"),
    )


@pytest.mark.parametrize(
    ("host", "asked"),
    [
        (HOST, (TEACHER,)),
        (replace(HOST, kind=Kind.INACTIVE), (TEACHER,)),
        (replace(HOST, kind=Kind.UNKNOWN), (TEACHER,)),
        (PARTNER, ()),
        (CLASS[0], ()),
        (None, ()),
    ],
)
def test_the_registry_is_asked_about_a_host_of_ours_only(
    host: Invitee | None, asked: tuple[str, ...]
) -> None:
    """For the scheduled time at the host's school, in the district's zone."""
    known, unknown = (a_dossier(host=Host(host, school)) for school in (LINCOLN, None))

    assert occasion_of(known) == Occasion(START, END, ZONE, "lincoln", asked)
    assert occasion_of(unknown) == Occasion(START, END, ZONE, None, asked)


# --- Timeline -----------------------------------------------------------------------------------


def test_lanes_have_neutral_labels() -> None:
    """Staff first, then outsiders, students, rooms and unidentified; numbered by their coming."""
    dossier = held(
        *students((1, 45)),
        staff((5, 45), person="t2", address_key="other"),
        staff((0, 45), address_key=HOST.guest.address_key),
        somebody((0, 45)),
        partner((2, 44)),
        stranger((3, 44)),
        an_attendance("r", Kind.ROOM, (0, 45)),
        an_attendance("e", Kind.EXEMPT, (0, 45)),
    )

    assert labels(dossier) == [
        ("Host", "staff"),
        ("Staff 1", "staff"),
        ("Partner 1 (Northstar)", "partner"),
        ("Outside guest 1", "partner"),
        ("Exempt guest 1", "partner"),
        ("Student 1", "student"),
        ("Student 2", "student"),
        ("Room device 1", "room"),
        ("Unidentified 1", "unidentified"),
    ]


def test_nothing_of_a_student_is_in_card_or_timeline() -> None:
    """Neither keys nor domain of a student reach a mail."""
    pupils = students((0, 45), address_key="pupil-key", domain="students.district.example")
    dossier = held(staff((0, 45)), partner((0, 45)), *pupils)

    shown = repr(card_of(dossier, CONTACTS)) + repr(drawn(dossier))

    for secret in ("pupil-key", "students.district", "student 1", "k1", TEACHER):
        assert secret not in shown


def test_nobody_is_host_where_none_is_known() -> None:
    """Staff without a known address are not taken for an unknown host."""
    dossier = held(staff((0, 45)), host=Host(None))

    assert labels(dossier) == [("Staff 1", "staff")]


def test_visits_of_all_devices_and_sources_are_one_row() -> None:
    """Overlapping and touching visits are joined, gaps stay."""
    (lane,) = drawn(held(staff((0, 10), (5, 20), (20, 25), (30, 45)))).lanes

    assert lane.spans == ((at(0), at(25), True), (at(30), at(45), True))


def test_a_missing_end_is_drawn_within_the_call() -> None:
    """To the last moment seen, else to the end of the call, and marked as not known."""
    unseen = an_attendance("t", Kind.STAFF, (0, None))
    seen = replace(unseen, visits=(a_visit("t", 0, None, last_seen_at=at(30)),))

    (first,) = drawn(held(unseen)).lanes
    (second,) = drawn(held(seen, conferences=held(staff((0, 45))).conferences)).lanes

    assert first.spans == ((at(0), at(45), False),)
    assert second.spans == ((at(0), at(30), False),)


def test_a_running_call_is_drawn_up_to_now() -> None:
    """Whoever is in is in until the observation."""
    timeline = drawn(running(20, staff((0, None)), partner((0, 10))))

    assert timeline.is_running
    assert (timeline.start_at, timeline.end_at) == (at(0), at(20))
    assert [lane.spans[-1][1] for lane in timeline.lanes] == [at(20), at(10)]


def test_times_outside_the_call_are_cut() -> None:
    """Clocks of two sources differ: nothing is drawn before or after the call."""
    (lane,) = drawn(held(staff((-5, 60)), conferences=held(staff((0, 45))).conferences)).lanes

    assert lane.spans == ((at(0), at(45), True),)


def test_contacts_are_those_of_pending_flags() -> None:
    """What was withdrawn or superseded is not drawn as found."""
    dossier = held(staff((0, 45)))
    flags = [a_flag("staff-left-early"), a_flag("guests-can-invite")]
    gone = [replace(flag, status=FlagStatus.WITHDRAWN) for flag in flags]

    shown, hidden = timeline_of(dossier, flags), timeline_of(dossier, gone)

    assert shown is not None
    assert [span.kind for span in shown.contacts] == ["after"]
    assert hidden is not None
    assert hidden.contacts == ()


def test_a_meeting_nobody_came_to_has_no_timeline() -> None:
    """There is nothing to draw."""
    assert timeline_of(a_dossier(), ()) is None
    assert timeline_of(held(), ()) is None


def test_scheduled_times_are_shown_for_planned_meetings() -> None:
    """An ad-hoc call has none."""
    assert drawn(held(staff((0, 45)))).scheduled_start_at == START
    assert drawn(adhoc(staff((0, 45)))).scheduled_start_at is None


def test_a_timeline_spans_all_calls_of_the_meeting() -> None:
    """From the first start to the last end, whatever the order, with lanes cut to it."""
    dossier = held(
        staff((-5, 20), (25, 70)),
        conferences=(a_conference(25, 60), a_conference(0, 20)),
        meeting={"end_at": at(50)},
    )

    assert timeline_of(dossier, ()) == Timeline(
        start_at=at(0),
        end_at=at(60),
        scheduled_start_at=START,
        scheduled_end_at=at(50),
        lanes=(Lane("Staff 1", "staff", ((at(0), at(20), True), (at(25), at(60), True))),),
        contacts=(),
        is_running=False,
    )


def test_contacts_are_drawn_once_and_in_order() -> None:
    """Two flags can rest on one stretch; what begins together stands by kind."""
    after_it, alone = TimelineSpan("after", at(20), at(25)), TimelineSpan("alone", at(20), at(22))
    gap = TimelineSpan("gap", at(5), at(6))
    flags = [
        a_flag("staff-left-early", spans=(alone, after_it)),
        a_flag("partner-alone-with-student", spans=(alone,)),
        a_flag("staff-presence-gap", spans=(gap,), status=FlagStatus.ACKNOWLEDGED),
    ]

    timeline = timeline_of(held(staff((0, 45))), flags)

    assert timeline is not None
    assert timeline.contacts == (gap, after_it, alone)


def test_an_adhoc_call_has_no_scheduled_end() -> None:
    """Nothing is drawn as planned."""
    timeline = drawn(adhoc(staff((0, 45))))

    assert (timeline.scheduled_start_at, timeline.scheduled_end_at) == (None, None)


@pytest.mark.parametrize(
    ("spans", "expected"),
    [
        ([(0, None), (5, 20)], [(0, 45, False)]),
        ([(0, 45), (5, None)], [(0, 45, False)]),
        ([(0, 20), (5, 10), (30, 45)], [(0, 20, True), (30, 45, True)]),
        ([(-9, -5), (0, 20)], [(0, 20, True)]),
        ([(-9, 0), (10, 20)], [(0, 0, True), (10, 20, True)]),
        ([(30, 45), (0, 20), (50, 60)], [(0, 20, True), (30, 45, True)]),
    ],
)
def test_a_row_of_spans_tells_where_an_end_is_not_known(
    spans: list[tuple[float, float | None]], expected: list[tuple[float, float, bool]]
) -> None:
    """Overlapping devices are one span, known only if the one that lasts longest is known."""
    dossier = held(staff(*spans), conferences=(a_conference(0, 45),))

    (lane,) = drawn(dossier).lanes

    assert lane.spans == tuple((at(start), at(end), known) for start, end, known in expected)


def test_the_longer_of_two_seen_ends_counts() -> None:
    """An end that was seen outlasts one that is only the last moment seen, and the reverse."""
    unseen = a_visit("phone", 5, None, last_seen_at=at(15))
    early = a_visit("phone", 5, None, last_seen_at=at(25))
    known = a_visit("laptop", 0, 20)

    def row(visit: Visit[Identity]) -> object:
        person = replace(an_attendance("t", Kind.STAFF, (0, 1)), visits=(visit, known))
        return drawn(held(person, conferences=(a_conference(0, 45),))).lanes[0].spans

    assert row(unseen) == ((at(0), at(20), True),)
    assert row(early) == ((at(0), at(25), False),)


def test_lanes_of_one_kind_stand_by_their_coming() -> None:
    """Who came first is number one; of two who came together the key decides, every time."""
    people = [
        partner((5, 10), (1, 2), person="late key", partner_id=None),
        partner((2, 44), person="b"),
        partner((2, 44), person="a", partner_id=None),
    ]

    for order in (people, people[::-1]):
        assert [label for label, _ in labels(held(*order))] == [
            "Partner 1",
            "Partner 2",
            "Partner 3 (Northstar)",
        ]


def test_a_partner_whose_row_is_gone_has_a_number_only() -> None:
    """There is no name to show."""
    dossier = held(partner((0, 45)), registry=a_registry(partners=()))

    assert labels(dossier) == [("Partner 1", "partner")]


# --- Lines --------------------------------------------------------------------------------------


def test_a_line_holds_what_the_flag_says() -> None:
    """Sentences, level and times, each as they are."""
    span = TimelineSpan("after", at(30), at(44))
    flag = replace(
        a_flag("staff-left-early", severity=Severity.HIGH, spans=(span,), is_provisional=True),
        certainty=Certainty.NEEDS_REVIEW,
        unknowns=("An end is not known.",),
        admin="Switch it off.",
    )

    assert lines_of([flag]) == (
        FlagLine(
            flag_id=flag.id,
            rule="staff-left-early",
            severity=Severity.HIGH,
            certainty=Certainty.NEEDS_REVIEW,
            is_provisional=True,
            message="What an officer reads.",
            advice="What a teacher reads.",
            fix="Mend it.",
            unknowns=("An end is not known.",),
            spans=(span,),
            admin="Switch it off.",
        ),
    )


def test_equally_bad_flags_stand_by_rule() -> None:
    """Whatever their subjects."""
    flags = [
        a_flag("student-contacts-visible", subject="a"),
        a_flag("guests-can-invite", subject="b"),
    ]

    assert [line.rule for line in lines_of(flags)] == [
        "guests-can-invite",
        "student-contacts-visible",
    ]


def test_the_worst_flag_comes_first() -> None:
    """Then by rule and subject."""
    flags = [
        a_flag(severity=Severity.MEDIUM, subject="b"),
        a_flag(severity=Severity.MEDIUM, subject="a"),
        a_flag("staff-left-early", severity=Severity.CRITICAL),
    ]

    lines = lines_of(flags)

    assert [line.severity for line in lines] == [
        Severity.CRITICAL,
        Severity.MEDIUM,
        Severity.MEDIUM,
    ]
    assert [line.flag_id for line in lines[1:]] == [flags[1].id, flags[0].id]
    assert lines[0].spans == flags[2].spans


def test_phones_are_unidentified() -> None:
    """A phone gets a number like everybody nobody knows."""
    dossier = held(somebody((0, 45), form=IdentityForm.PHONE))

    assert labels(dossier) == [("Unidentified 1", "unidentified")]
