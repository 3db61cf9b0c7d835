"""Notices become mails: structure, threads, wording, and what must never be in one."""

from __future__ import annotations

import dataclasses
import functools
import re
from datetime import timedelta
from email import message_from_bytes, policy
from email.message import EmailMessage
from html.parser import HTMLParser
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.findings import Severity
from meetbot.domain.notices import (
    Audience,
    DigestLine,
    DigestNotice,
    Mail,
    MeetingNotice,
    Notice,
    NoticeKind,
    ReminderNotice,
)
from meetbot.errors import Permanent
from meetbot.notify.compose import MAX_BYTES, Composer
from meetbot.notify.preview import page_of
from meetbot.notify.text import clean, minutes
from tests import notices

HARM = (
    "If you suspect harm to a child, follow the mandated-reporter procedure now;"
    " this message is not a report."
)
COMPOSE = Composer(
    "meetbot@district.example",
    "Example Public Schools",
    ("compliance@district.example",),
    {"other": "procurement@district.example"},
)
EVERY = notices.every_notice()
HEADERS = {
    "Subject",
    "From",
    "To",
    "Reply-To",
    "Date",
    "Message-ID",
    "In-Reply-To",
    "References",
    "Auto-Submitted",
    "List-Id",
    "MIME-Version",
    "Content-Type",
}
HOSTILE = (
    "<script>alert(1)</script><img src=x onerror=y>\"' {{ 7*7 }} {% raw %} $x_1$",
    "line\r\nBcc: someone@evil.example\r\n\r\nbody",
    "\u202egnp.exe\u2066\u200f\u200b\ufeff\u2028new\x85line\x00nul\x1b[31m",
    "\ud800 lone surrogate \U0001f468\u200d\U0001f469 \u661f e\u0301",
    "A" * 1_000_000,
    "\U0001f642" * 250_000,
    "",
)


def composed(notice: Notice, *references: str, early: bool = False) -> Mail:
    sent_at = notices.START - timedelta(days=1) if early else notices.END
    return COMPOSE(notice, references=references, sent_at=sent_at)


def parsed(mail: Mail) -> EmailMessage:
    return message_from_bytes(mail.raw, policy=policy.default)


def text_of(mail: Mail) -> str:
    part = parsed(mail).get_body(("plain",))
    assert part is not None
    return str(part.get_content())


def html_of(mail: Mail) -> str:
    part = parsed(mail).get_body(("html",))
    assert part is not None
    return str(part.get_content())


class _Tags(HTMLParser):
    """Names of elements and attributes, and all text."""

    def __init__(self) -> None:
        super().__init__(convert_charrefs=True)
        self.elements: set[str] = set()
        self.attributes: set[str] = set()
        self.text: list[str] = []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.add(tag)
        self.attributes |= {name for name, _ in attrs}

    def handle_data(self, data: str) -> None:
        self.text.append(data)


def tags_of(page: str) -> _Tags:
    tags = _Tags()
    tags.feed(page)
    return tags


@functools.cache
def usual_tags(name: str) -> _Tags:
    return tags_of(html_of(composed(EVERY[name])))


def poisoned(value: Any, poison: str, keep: frozenset[str] = frozenset({"zone", "lead"})) -> Any:
    """A content with every free text replaced, whatever its depth."""
    if type(value) is str:
        return poison
    if isinstance(value, tuple):
        return tuple(poisoned(item, poison) for item in value)
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return dataclasses.replace(
            value,
            **{
                field.name: poisoned(getattr(value, field.name), poison)
                for field in dataclasses.fields(value)
                if field.name not in keep
            },
        )
    return value


@pytest.mark.parametrize("name", EVERY)
def test_every_kind_is_complete_in_text_and_html(name: str) -> None:
    """A mail has a text part, an HTML part, the harm footer in both, and machine headers."""
    mail = composed(EVERY[name])
    message = parsed(mail)

    assert message.get_content_type() == "multipart/alternative"
    assert HARM in text_of(mail)
    assert HARM in " ".join("".join(tags_of(html_of(mail)).text).split())
    assert message["Auto-Submitted"] == "auto-generated"
    assert message["List-Id"] == "meetbot <meetbot.district.example>"
    assert message["From"].addresses[0].addr_spec == "meetbot@district.example"
    assert message["Message-ID"] == mail.message_id
    assert message["Date"].datetime == notices.END
    assert not message.defects
    assert not [part.defects for part in message.walk() if part.defects]


@pytest.mark.parametrize("name", EVERY)
def test_no_mail_says_violation(name: str) -> None:
    """Until an officer upholds it, nothing is called a violation."""
    mail = composed(EVERY[name])

    assert "violation" not in (text_of(mail) + html_of(mail)).lower()


@pytest.mark.parametrize("name", EVERY)
def test_composing_is_repeatable(name: str) -> None:
    """The same notice gives the same bytes, so that sending twice is the same mail twice."""
    assert composed(EVERY[name]).raw == composed(EVERY[name]).raw


def test_message_id_depends_on_the_notice_alone() -> None:
    """A retry with other references, content and time keeps its Message-ID."""
    notice = notices.a_flag_notice()
    other = dataclasses.replace(notices.a_withdrawn_notice(), id=notice.id)

    first = composed(notice).message_id
    assert first == composed(other, "<a@district.example>", early=True).message_id
    assert first != composed(dataclasses.replace(notice, id="another")).message_id
    assert first.endswith("@district.example>")


def test_a_meeting_is_one_thread() -> None:
    """All mails about an occurrence share a subject and point to those before."""
    kinds = ("flag", "fix-it", "withdrawn", "nudge", "reminder-7d", "reminder-1h")
    subjects = {parsed(composed(EVERY[kind]))["Subject"] for kind in kinds}
    later = parsed(composed(EVERY["withdrawn"], "<1@district.example>", "<2@district.example>"))

    assert subjects == {"[meetbot] Partner meeting of Tue 13 Oct 2026, 10:00 - please check"}
    assert later["References"] == "<1@district.example> <2@district.example>"
    assert later["In-Reply-To"] == "<2@district.example>"
    assert parsed(composed(EVERY["flag"]))["References"] is None


def test_long_and_broken_references_do_no_harm() -> None:
    """Message-IDs stay whole however long, a long thread is cut, and nonsense is left out."""
    ids = [f"<{n}.{'x' * 90}@mail.district.example>" for n in range(60)]
    message = parsed(composed(EVERY["flag"], "no id\r\nBcc: x@y", *ids))

    references = message["References"].split()
    assert references[0] == ids[0]
    assert references[1:] == ids[-19:]
    assert message["Bcc"] is None


def test_flag_mail_decides_in_thirty_seconds() -> None:
    """First what and how long; then when, where, who, standing, timeline, gaps, next steps."""
    body = text_of(composed(notices.a_flag_notice()))
    wanted = (
        "May not match policy: Staff left at 10:30; partner stayed with students 14:00.",
        "14:00 without staff",
        "High, confirmed",
        "Tue 13 Oct 2026, 10:00–10:45 CDT",
        "Lincoln Elementary School",
        "Dana Reyes",
        "Northstar Tutoring, in the registry",
        "Certification valid until",
        "Without staff: 30:00 to 44:00 = 14:00, after staff left",
        "WHAT IS NOT KNOWN",
        "The audit log has not confirmed",
        "meetbot flags show F-3f9a1c20b7de",
        "meetbot flags decide F-3f9a1c20b7de --as upheld --reason policy-not-followed --by",
        "The host can always answer",
    )

    assert body.startswith(wanted[0])
    places = [body.find(text) for text in wanted]
    assert -1 not in places
    assert places == sorted(places)


def test_flag_mail_says_what_is_not_sure() -> None:
    """An unsure or running case is called needs review and provisional in both parts."""
    mail = composed(notices.a_review_notice())
    page = "".join(tags_of(html_of(mail)).text)

    assert "High, needs review, provisional" in text_of(mail)
    assert "Needs review" in page
    assert "Provisional" in page
    assert "still in the call" in page


def test_time_without_staff_comes_before_a_paper_of_the_same_severity() -> None:
    """The first line of a mail with several flags is the most urgent one."""
    assert text_of(composed(notices.a_review_notice())).startswith(
        "May not match policy: Staff left at 10:20"
    )


def test_timeline_picture_is_inline_and_told_in_words() -> None:
    """The HTML shows the PNG by its Content-ID, with alt text and the same facts as a table."""
    mail = composed(notices.a_flag_notice())
    pictures = [p for p in parsed(mail).walk() if p.get_content_type() == "image/png"]
    page = html_of(mail)

    assert len(pictures) == 1
    assert pictures[0].get_content_disposition() == "inline"
    assert f'src="cid:{pictures[0]["Content-ID"].strip("<>")}"' in page
    assert "Without staff: 10:30:00–10:44:00, 14:00 after staff left" in page
    assert "10:02:00–10:44:00" in page
    assert 'src="data:image/png;base64,' in page_of(mail.raw)


def test_principal_is_not_asked_to_decide() -> None:
    """The principal's mail has the next step but no officer's commands, and answers go on."""
    mail = composed(notices.a_flag_notice(Audience.PRINCIPAL))

    assert "flags decide" not in text_of(mail)
    assert parsed(mail)["Reply-To"] == "compliance@district.example"


def test_host_mails_are_friendly_and_practical() -> None:
    """The teacher reads the advice, what was seen, whom to ask, the duties, and how to answer."""
    mail = composed(notices.a_fix_it_notice(), early=True)
    body = text_of(mail)

    assert body.startswith("Please fix before your partner meeting")
    for text in (
        "Hello Dana Reyes",
        "The contract has ended; renewal needed.",
        "What was seen: ",
        "community-ed@district.example",
        "Lead the meeting yourself",
        "Stay for the whole time",
        "Share no student data",
        "You can always answer",
    ):
        assert text in body
    assert "flags decide" not in body
    assert parsed(mail)["Reply-To"] == "compliance@district.example"
    assert text_of(composed(notices.a_fix_it_notice())).startswith("About your partner meeting")


@pytest.mark.parametrize("early", [True, False])
def test_hosts_are_told_what_may_not_match_policy(early: bool) -> None:
    """Before the meeting and since its start; a violation is never spoken of."""
    mail = parsed(composed(notices.a_fix_it_notice(), early=early))

    for part in ("plain", "html"):
        body = mail.get_body((part,))
        assert body is not None
        assert "may not match policy" in body.get_content()
        assert "violation" not in body.get_content().lower()


def test_contact_falls_back_where_the_program_is_unknown() -> None:
    """Without a contact of the program type the one for `other` answers questions."""
    partner = dataclasses.replace(notices.a_partner(), contact=None)
    content = MeetingNotice(
        notices.a_card(partners=(partner,)), (notices.an_open_setting(),), None, ()
    )
    notice = notices.a_notice(NoticeKind.FIX_IT, content, audience=Audience.HOST)

    assert "Ask procurement@district.example." in text_of(composed(notice))


def test_last_reminder_is_a_checklist_with_the_hosts_own_link() -> None:
    """One hour before: four short steps and the host's own link, which no other mail has."""
    mail = composed(notices.a_reminder_notice("1h"), early=True)
    body = text_of(mail)
    steps = ("Join first", "Admit the partner after you", "Stay to the end", "End the call for")

    assert all(step in body for step in steps)
    assert notices.LINK in body
    assert f'href="{notices.LINK}"' in html_of(mail)
    for name, notice in EVERY.items():
        if name != "reminder-1h":
            other = composed(notice)
            assert "meet.google.com" not in text_of(other) + html_of(other)


@pytest.mark.parametrize(
    ("audience", "link"),
    [
        (Audience.OFFICERS, notices.LINK),
        (Audience.HOST, "javascript:alert(1)"),
        (Audience.HOST, "https://meet.google.com.evil.example/abc"),
        (Audience.HOST, None),
    ],
)
def test_no_link_but_the_hosts_own(audience: Audience, link: str | None) -> None:
    """A link for somebody else, or one that is not Meet's, is left out."""
    notice = notices.a_reminder_notice("1h")
    assert isinstance(notice.content, ReminderNotice)
    content = dataclasses.replace(notice.content, card=notices.a_card(join_link=link))
    mail = composed(dataclasses.replace(notice, content=content, audience=audience))

    assert "Open your meeting" not in html_of(mail)
    assert not link or link not in text_of(mail) + html_of(mail)


def test_unapproved_meeting_says_so_first() -> None:
    """A week ahead the host reads first that approval is missing, and what to do."""
    body = text_of(composed(notices.a_reminder_notice("7d", is_authorized=False), early=True))

    assert body.startswith("Not approved yet: ")
    assert "Ask your principal or department lead to approve it" in body


@pytest.mark.parametrize("kind", [NoticeKind.FLAG, NoticeKind.WITHDRAWN, NoticeKind.FIX_IT])
def test_confidential_meetings_give_a_small_count_only(kind: NoticeKind) -> None:
    """Nobody, no partner, no time of day, no rule and no picture: fewer than 3, or a number."""
    notice = dataclasses.replace(notices.a_confidential_notice(), kind=kind)
    mail = composed(notice)
    everything = text_of(mail) + html_of(mail) + str(parsed(mail)["Subject"])

    assert "fewer than 3" in text_of(mail)
    for hidden in ("Reyes", "Northstar", "Lincoln", "10:00", "Contract", "F-77", "image/png"):
        assert hidden not in everything
    assert "image" not in mail.raw.decode("ascii")
    content = notice.content
    assert isinstance(content, MeetingNotice)
    four = dataclasses.replace(content, flags=content.flags * 4)
    assert "findings: 4" in text_of(composed(dataclasses.replace(notice, content=four)))


def test_digest_hides_confidential_meetings() -> None:
    """In the digest a confidential meeting is no more than part of a count."""
    line = DigestLine(notices.a_card(is_confidential=True), (notices.an_expired_contract(),))
    content = DigestNotice("2026-10-14", notices.ZONE, (line,))
    body = text_of(composed(notices.a_notice(NoticeKind.DIGEST, content)))

    assert "details are never sent by mail: fewer than 3" in body
    assert "Reyes" not in body
    assert "Northstar" not in body


def test_digest_groups_flags_by_meeting() -> None:
    """The digest names the day and lists each meeting's medium flags with their ids."""
    mail = composed(notices.a_digest_notice())

    assert parsed(mail)["Subject"] == "[meetbot] Daily digest of Wed 14 Oct 2026"
    assert "medium flags of 2 meetings" in text_of(mail)
    assert text_of(mail).count("F-0a1b2c3d4e5f") == 2


def test_all_clear_needs_silence_and_full_coverage() -> None:
    """`All clear` appears only if nothing was flagged and every source was read in full."""
    clear = text_of(composed(notices.an_all_clear_notice()))
    unread = notices.a_coverage(failed=2, problems=("The Meet audit log could not be read.",))
    blind = notices.a_weekly_notice(by_severity=(), pending=0, domains=(), coverage=unread)
    flagged = notices.a_weekly_notice(
        by_severity=((Severity.LOW, 1),), coverage=notices.a_coverage()
    )

    assert clear.startswith("All clear")
    assert "All clear" not in text_of(composed(blind))
    assert "Calendars that could not be read: 2." in text_of(composed(blind))
    assert "The Meet audit log could not be read." in text_of(composed(blind))
    assert "All clear" not in text_of(composed(flagged))


def test_weekly_tells_how_often_exemptions_were_used() -> None:
    """By kind; small numbers are withheld, and without any use there is no heading."""
    body = text_of(composed(notices.a_weekly_notice()))

    assert "- guardian: 12 meetings" in body
    assert "- agency-interview: fewer than 3 meetings" in body
    assert "EXEMPTIONS" not in text_of(composed(notices.an_all_clear_notice()))


def test_weekly_lists_outside_domains_by_number() -> None:
    """Low flags come as one line per outside domain, the most frequent first."""
    body = text_of(composed(notices.a_weekly_notice(domains=(("b.example", 1), ("a.example", 3)))))

    assert body.index("a.example: 3 meetings") < body.index("b.example: 1 meeting")


@pytest.mark.parametrize("poison", HOSTILE, ids=range(len(HOSTILE)))
@pytest.mark.parametrize("name", EVERY)
def test_hostile_texts_change_nothing_but_words(name: str, poison: str) -> None:
    """HTML, line breaks, bidi controls, NUL and megabytes give a small, well-formed mail."""
    notice = dataclasses.replace(EVERY[name], content=poisoned(EVERY[name].content, poison))
    notice = dataclasses.replace(notice, thread=poison)
    mail = composed(notice)
    message = parsed(mail)
    plain, page = text_of(mail), html_of(mail)
    good = usual_tags(name)

    assert len(mail.raw) <= MAX_BYTES
    assert set(message.keys()) <= HEADERS
    assert len(message.keys()) == len(set(message.keys()))
    head = mail.raw.split(b"\r\n\r\n", 1)[0].split(b"\r\n")
    assert all(re.match(rb"[A-Za-z-]+: ", line) for line in head)
    assert not message.defects
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", plain)
    assert not re.search(r"[\x00-\x08\x0b\x0c\x0e-\x1f\x7f-\x9f\u200b-\u200f\u2028-\u202e]", page)
    assert "\u2066" not in plain + page
    assert tags_of(page).elements <= good.elements | {"br", "p", "ul", "li", "h2"}
    assert tags_of(page).attributes <= good.attributes
    assert HARM in plain


def test_many_flags_and_people_stay_small() -> None:
    """A meeting with hundreds of everything is cut, and says that it was."""
    content = MeetingNotice(
        notices.a_card(partners=(notices.a_partner(),) * 300),
        tuple(notices.a_flag(flag_id=f"F-{n:012}") for n in range(300)),
        notices.a_timeline(students=300, contacts=(notices.a_span("after", 30, 44),) * 300),
        tuple(f"Question {n}." for n in range(300)),
    )
    mail = composed(notices.a_notice(NoticeKind.FLAG, content))

    assert len(mail.raw) <= MAX_BYTES
    assert "and 262 more students" in text_of(mail)
    assert "and 290 more" in text_of(mail)
    assert "and 292 more open questions" in text_of(mail)
    assert "and 295 more partners" in text_of(mail)


@pytest.mark.parametrize(
    "to", [(), ("a@district.example\r\nBcc: b@evil.example",), ("no address",), ("é@d.example",)]
)
def test_impossible_recipients_are_refused(to: tuple[str, ...]) -> None:
    """A recipient that cannot stand in a header is an error with a fix, not a broken mail."""
    with pytest.raises(Permanent) as caught:
        composed(notices.a_notice(NoticeKind.FLAG, notices.a_flag_notice().content, to=to))
    assert caught.value.fix


@given(st.text())
@settings(max_examples=200)
def test_cleaned_text_is_one_harmless_line(text: str) -> None:
    """Whatever comes in, a cleaned text is short, printable, and clean already."""
    once = clean(text, 40)

    assert len(once) <= 40
    assert once == clean(once, 40)
    assert all(char.isprintable() for char in once)


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(0, "0:00"), (59, "0:59"), (840, "14:00"), (4500, "75:00"), (-90, "-1:30")],
)
def test_lengths_read_as_minutes_and_seconds(seconds: int, words: str) -> None:
    """Lengths and offsets are m:ss, also above an hour and before the start."""
    assert minutes(seconds) == words


# --- what officers did --------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("name", "says", "never"),
    [
        ("question", "would like to hear from you", "Upheld"),
        ("upheld", "Upheld: your partner meeting", "may not match policy"),
        ("dismissed", "You need not do anything.", "Upheld"),
        ("handed-up", "May not match policy: Staff left", "Upheld"),
        ("handed-up-upheld", "Upheld: Staff left", "May not match policy"),
    ],
)
def test_only_what_an_officer_upheld_is_called_so(name: str, says: str, never: str) -> None:
    """Until then a mail says that something may not match policy (catalogue §7)."""
    body = text_of(composed(EVERY[name]))

    assert says in body
    assert never not in body
