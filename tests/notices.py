"""Builders of realistic notices, one per kind, for tests, pictures and whoever needs one.

The meeting is that of vector V02: staff leave at 30:00, the partner stays until 44:00.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta

from meetbot.domain.chain import Head
from meetbot.domain.findings import Certainty, Severity, TimelineSpan
from meetbot.domain.notices import (
    Audience,
    Content,
    Coverage,
    DigestLine,
    DigestNotice,
    FlagLine,
    Lane,
    MeetingCard,
    MeetingNotice,
    Notice,
    NoticeKind,
    OperationsNotice,
    Outage,
    PartnerLine,
    ReminderNotice,
    RollUpLine,
    RollUpNews,
    RollUpNotice,
    StormNotice,
    Timeline,
    Undelivered,
    WeeklyNotice,
)

START = datetime(2026, 10, 13, 15, tzinfo=UTC)
END = START + timedelta(minutes=45)
ZONE = "America/Chicago"
LINK = "https://meet.google.com/abc-defg-hij"
CASE = "C-0123456789ab"


def at(minutes: float) -> datetime:
    """The instant so many minutes after the scheduled start."""
    return START + timedelta(minutes=minutes)


def a_span(kind: str, start: float, end: float) -> TimelineSpan:
    """Contact without staff, in minutes from the scheduled start."""
    return TimelineSpan(kind, at(start), at(end))


def a_lane(label: str, role: str, *visits: tuple[float, float] | tuple[float, float, bool]) -> Lane:
    """One person's row; a third value False means that the end is not known."""
    return Lane(
        label,
        role,
        tuple((at(v[0]), at(v[1]), v[2] if len(v) == 3 else True) for v in visits),
    )


def a_timeline(
    *, students: int = 4, contacts: Sequence[TimelineSpan] = (a_span("after", 30, 44),)
) -> Timeline:
    """Vector V02 with as many students as wanted."""
    people = [
        a_lane("Host", "staff", (0, 30)),
        a_lane("Partner 1 (Northstar)", "partner", (2, 44)),
    ]
    people += [a_lane(f"Student {n}", "student", (1, 45)) for n in range(1, students + 1)]
    return Timeline(START, at(45), START, END, tuple(people), tuple(contacts), is_running=False)


def a_running_timeline() -> Timeline:
    """The teacher dropped out five minutes ago and everybody else is still in the call."""
    return Timeline(
        START,
        at(25),
        START,
        END,
        (
            a_lane("Host", "staff", (0, 20)),
            a_lane("Partner 1 (Northstar)", "partner", (0, 25, False)),
            a_lane("Student 1", "student", (0, 25, False)),
            a_lane("Student 2", "student", (1, 12), (13, 25, False)),
        ),
        (a_span("after", 20, 25),),
        is_running=True,
    )


def a_flag(
    rule: str = "staff-left-early",
    *,
    severity: Severity = Severity.HIGH,
    certainty: Certainty = Certainty.CONFIRMED,
    is_provisional: bool = False,
    message: str = "Staff left at 10:30; partner stayed with students 14:00.",
    advice: str = "End the call for everyone when you leave.",
    fix: str = "Ask the host what happened, then coach or uphold.",
    unknowns: tuple[str, ...] = (),
    spans: tuple[TimelineSpan, ...] = (a_span("after", 30, 44),),
    flag_id: str = "F-3f9a1c20b7de",
) -> FlagLine:
    """One flag in a mail."""
    return FlagLine(
        flag_id,
        rule,
        severity,
        certainty,
        is_provisional,
        message,
        advice,
        fix,
        unknowns,
        spans,
    )


def an_expired_contract() -> FlagLine:
    """A flag of the registry."""
    return a_flag(
        "contract-expired",
        message="Contract ended Tue 30 Jun 2026.",
        advice="The contract has ended; renewal needed.",
        fix="Renew the contract, or cancel the meeting.",
        spans=(),
        flag_id="F-77c0de41aa09",
    )


def an_open_setting() -> FlagLine:
    """A medium flag of the set-up."""
    return a_flag(
        "guests-can-invite",
        severity=Severity.MEDIUM,
        message="Guests can add other people to this meeting.",
        advice="Guests can add people; switch off “Invite others”.",
        fix="Open the event, go to guest permissions and clear “Invite others”.",
        spans=(),
        flag_id="F-0a1b2c3d4e5f",
    )


def a_partner(
    *,
    is_registered: bool = True,
    statuses: tuple[str, ...] = (
        "Contract valid until Wed 30 Jun 2027.",
        "Certification valid until Thu 31 Dec 2026.",
        "Approved by the principal for this school until Fri 18 Dec 2026.",
    ),
) -> PartnerLine:
    """A partner with its registry status."""
    return PartnerLine(
        "Northstar Tutoring", is_registered, statuses, "community-ed@district.example"
    )


def a_card(
    *,
    thread: str = "uid-1@district.example|20261013T150000Z",
    is_confidential: bool = False,
    is_adhoc: bool = False,
    join_link: str | None = None,
    partners: tuple[PartnerLine, ...] = (a_partner(),),
) -> MeetingCard:
    """The meeting of Tue 13 Oct 2026, 10:00 to 10:45 in Chicago."""
    return MeetingCard(
        thread=thread,
        start_at=START,
        end_at=END,
        zone=ZONE,
        school="Lincoln Elementary School",
        host="Dana Reyes",
        partners=partners,
        is_adhoc=is_adhoc,
        is_confidential=is_confidential,
        join_link=join_link,
        case_id=CASE,
    )


def a_notice(
    kind: NoticeKind,
    content: Content,
    *,
    audience: Audience = Audience.OFFICERS,
    to: tuple[str, ...] = ("compliance@district.example",),
    notice_id: str = "",
    thread: str | None = "uid-1@district.example|20261013T150000Z",
) -> Notice:
    """A notice about the meeting."""
    return Notice(
        id=notice_id or f"{kind.value}-{audience.value}-1",
        kind=kind,
        audience=audience,
        to=to,
        content=content,
        thread=thread,
        due_at=END,
    )


def a_flag_notice(audience: Audience = Audience.OFFICERS) -> Notice:
    """Staff left early: the mail that an officer decides on in 30 seconds."""
    unknown = "The audit log has not confirmed these times yet; they come from Meet alone."
    content = MeetingNotice(a_card(), (a_flag(),), a_timeline(), (unknown,))
    return a_notice(NoticeKind.FLAG, content, audience=audience)


def a_review_notice() -> Notice:
    """Several flags of a running meeting, one of them not sure."""
    flags = (
        a_flag(
            certainty=Certainty.NEEDS_REVIEW,
            is_provisional=True,
            message="Staff left at 10:20; partner stayed with students 5:00.",
            unknowns=("One person joined by phone; it may be the teacher.",),
            spans=(a_span("after", 20, 25),),
        ),
        an_expired_contract(),
    )
    partner = a_partner(is_registered=True, statuses=("Contract ended Tue 30 Jun 2026.",))
    content = MeetingNotice(a_card(partners=(partner,)), flags, a_running_timeline(), ())
    return a_notice(NoticeKind.FLAG, content, notice_id="flag-review-1")


def a_fix_it_notice() -> Notice:
    """To the host before the meeting: two things to mend."""
    content = MeetingNotice(a_card(), (an_expired_contract(), an_open_setting()), None, ())
    return _to_host(NoticeKind.FIX_IT, content)


def a_handed_up_notice(reason: str = "") -> Notice:
    """An officer wants others to look at a case, which may be upheld already."""
    content = MeetingNotice(a_card(), (a_flag(), an_open_setting()), None, (), reason)
    return a_notice(
        NoticeKind.HANDED_UP,
        content,
        audience=Audience.ESCALATION,
        to=("principal@district.example", "privacy@district.example"),
        notice_id=f"handed-up-{reason}",
    )


def a_question_notice() -> Notice:
    """To the host: what happened?"""
    return _to_host(NoticeKind.QUESTION, MeetingNotice(a_card(), (a_flag(),), None, ()))


def an_outcome_notice(outcome: str) -> Notice:
    """To the host: what was decided."""
    content = MeetingNotice(a_card(), (a_flag(), an_open_setting()), None, (), outcome)
    return _to_host(NoticeKind.OUTCOME, content, notice_id=f"outcome-{outcome}")


def a_withdrawn_notice() -> Notice:
    """What was told is no longer so."""
    content = MeetingNotice(
        a_card(), (a_flag(),), None, (), reason="A co-teacher was found to have stayed."
    )
    return a_notice(NoticeKind.WITHDRAWN, content)


def a_nudge_notice() -> Notice:
    """To the host during the meeting."""
    flag = a_flag(is_provisional=True, spans=(a_span("after", 20, 21.5),))
    return _to_host(NoticeKind.NUDGE, MeetingNotice(a_card(), (flag,), None, ()))


def a_reminder_notice(lead: str = "1h", *, is_authorized: bool = True) -> Notice:
    """To the host before the meeting; `lead` is `7d`, `24h` or `1h`."""
    missing = (
        () if is_authorized else ("No approval by a principal or department lead is on file.",)
    )
    to_mend = () if lead == "1h" else (an_open_setting(),)
    card = a_card(join_link=LINK if lead == "1h" else None)
    content = ReminderNotice(card, lead, is_authorized, to_mend, missing)
    return _to_host(NoticeKind.REMINDER, content, notice_id=f"reminder-{lead}-{is_authorized}")


def a_digest_notice() -> Notice:
    """Medium flags of two meetings."""
    card = a_card(thread="uid-2@district.example|20261012T190000Z")
    lines = (DigestLine(a_card(), (an_open_setting(),)), DigestLine(card, (an_open_setting(),)))
    return a_notice(
        NoticeKind.DIGEST,
        DigestNotice("2026-10-14", ZONE, lines),
        audience=Audience.DIGEST,
        thread=None,
    )


def a_coverage(*, failed: int = 0, problems: tuple[str, ...] = ()) -> Coverage:
    """Coverage of a week."""
    return Coverage(
        calendars_read=312,
        calendars_failed=failed,
        meetings_checked=148,
        conferences_seen=131,
        undecided=0,
        audit_lag_seconds=5400,
        problems=problems,
    )


def a_weekly_notice(
    *,
    by_severity: tuple[tuple[Severity, int], ...] = (
        (Severity.CRITICAL, 1),
        (Severity.HIGH, 3),
        (Severity.MEDIUM, 5),
        (Severity.LOW, 4),
    ),
    pending: int = 6,
    domains: tuple[tuple[str, int], ...] = (("vendor.example", 3), ("museum.example", 1)),
    coverage: Coverage | None = None,
    exemptions: tuple[tuple[str, int], ...] = (("guardian", 12), ("agency-interview", 1)),
) -> Notice:
    """The weekly summary."""
    content = WeeklyNotice(
        datetime(2026, 10, 5, 5, tzinfo=UTC),
        datetime(2026, 10, 12, 5, tzinfo=UTC),
        ZONE,
        by_severity,
        pending,
        domains,
        coverage or a_coverage(failed=2, problems=("The Meet audit log could not be read.",)),
        Head(57, "3f9a1c20" * 8),
        exemptions,
    )
    return a_notice(NoticeKind.WEEKLY, content, audience=Audience.DIGEST, thread=None)


def an_all_clear_notice() -> Notice:
    """A week without any flag in which everything was read."""
    return a_weekly_notice(
        by_severity=(), pending=0, domains=(), coverage=a_coverage(), exemptions=()
    )


def an_operations_notice() -> Notice:
    """To the operators: a source that stays unreadable, one that is back, and lost mails."""
    content = OperationsNotice(
        ZONE,
        (Outage("reports-meet", at(-180), "the Reports API denied access"),),
        (Outage("directory", at(-600), ""),),
        (Undelivered("the mail server refused all 2 recipients (550)", 3),),
    )
    return a_notice(
        NoticeKind.OPERATIONS,
        content,
        audience=Audience.OPERATORS,
        to=("it@district.example",),
        thread=None,
    )


def an_escalation_notice() -> Notice:
    """A critical flag that nobody acknowledged."""
    flag = a_flag(severity=Severity.CRITICAL)
    content = MeetingNotice(a_card(), (flag,), a_timeline(), ())
    return a_notice(NoticeKind.ESCALATION, content, audience=Audience.ESCALATION)


def a_confidential_notice() -> Notice:
    """A finding about a meeting of which nothing but a count may be told."""
    content = MeetingNotice(
        a_card(is_confidential=True), (an_expired_contract(),), a_timeline(), ()
    )
    return a_notice(
        NoticeKind.FLAG,
        content,
        audience=Audience.PRIVACY,
        to=("privacy@district.example",),
        notice_id="flag-privacy-1",
    )


def a_roll_up_notice(audience: Audience = Audience.OFFICERS) -> Notice:
    """Five meetings in one mail: new ones, one told again, one gone, one that is confidential."""
    again = a_card(thread="uid-2@district.example|20261013T150000Z")
    content = RollUpNotice(
        (
            RollUpLine(a_card(), (a_flag(), an_open_setting()), RollUpNews.NEW),
            RollUpLine(a_card(), (an_expired_contract(),), RollUpNews.NEW),
            RollUpLine(again, (a_flag(),), RollUpNews.AGAIN),
            RollUpLine(a_card(), (an_open_setting(),), RollUpNews.GONE, "fixed before the start"),
            RollUpLine(a_card(is_confidential=True), (a_flag(),), RollUpNews.NEW),
        )
    )
    return a_notice(NoticeKind.ROLL_UP, content, audience=audience, thread=None)


def a_storm_notice() -> Notice:
    """A directory was misread, and everybody looks like an outsider."""
    rules = (("partner-unregistered", 112), ("organizer-not-staff", 31))
    content = StormNotice(ZONE, START, 145, rules, 171, is_new=True)
    to = ("it@district.example", "compliance@district.example")
    return a_notice(NoticeKind.STORM, content, audience=Audience.OPERATORS, to=to, thread=None)


def every_notice() -> dict[str, Notice]:
    """Realistic notices of every kind, by a short name."""
    return {
        "flag": a_flag_notice(),
        "flag-principal": a_flag_notice(Audience.PRINCIPAL),
        "flag-review": a_review_notice(),
        "escalation": an_escalation_notice(),
        "handed-up": a_handed_up_notice(),
        "handed-up-upheld": a_handed_up_notice("upheld"),
        "question": a_question_notice(),
        "upheld": an_outcome_notice("upheld"),
        "dismissed": an_outcome_notice("dismissed"),
        "fix-it": a_fix_it_notice(),
        "withdrawn": a_withdrawn_notice(),
        "nudge": a_nudge_notice(),
        "reminder-7d": a_reminder_notice("7d", is_authorized=False),
        "reminder-24h": a_reminder_notice("24h"),
        "reminder-1h": a_reminder_notice("1h"),
        "digest": a_digest_notice(),
        "weekly": a_weekly_notice(),
        "all-clear": an_all_clear_notice(),
        "confidential": a_confidential_notice(),
        "operations": an_operations_notice(),
        "roll-up": a_roll_up_notice(),
        "roll-up-host": a_roll_up_notice(Audience.HOST),
        "storm": a_storm_notice(),
    }


def _to_host(kind: NoticeKind, content: Content, *, notice_id: str = "") -> Notice:
    to = ("dana.reyes@district.example",)
    return a_notice(kind, content, audience=Audience.HOST, to=to, notice_id=notice_id)
