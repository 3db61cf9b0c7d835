"""What an invitation says and shares: student data in its texts, rosters among its files."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from meetbot.domain.disclosure import text_disclosure_after
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Evidence, Severity
from meetbot.domain.invitation import MarkKind, StudentMark, TextField, TextSearch
from meetbot.domain.meetings import Scope, TextDisclosure
from meetbot.domain.people import Kind
from meetbot.domain.registry import ExemptionKind, ProgramType
from meetbot.domain.shared_files import SharedFile
from tests.dossiers import (
    CLASS,
    HOST,
    PARTNER,
    PROGRAM,
    a_dossier,
    a_registry,
    an_exemption,
    an_invitee,
    at,
    found,
    held,
    is_undecided,
    judge,
    the,
    without,
)

TEXT, ROSTER = "student-data-in-text", "student-roster-attached"
ADDRESS, ID, NUMBER, NAME = MarkKind.ADDRESS, MarkKind.ID, MarkKind.NUMBER, MarkKind.NAME
CLINIC = a_registry(
    programs=(replace(PROGRAM, type=ProgramType.MENTAL_HEALTH),),
    exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),),
)


def saying(*kinds: MarkKind, is_complete: bool = True, **changes: object) -> Dossier:
    """The clean meeting whose description holds these, each at a place of its own."""
    marks = tuple(
        StudentMark(TextField.DESCRIPTION, kind, 20 * place, 9) for place, kind in enumerate(kinds)
    )
    search = TextSearch(marks, is_complete)
    return a_dossier(meeting={"search": search}, **changes)  # type: ignore[arg-type]


def sharing(*files: SharedFile, **changes: object) -> Dossier:
    """The clean meeting with these files."""
    return a_dossier(meeting={"files": files}, **changes)  # type: ignore[arg-type]


# --- student-data-in-text -----------------------------------------------------------------------


@pytest.mark.parametrize(
    ("kinds", "message"),
    [
        ((ADDRESS,), "Invitation holds 1 student identifiers (e-mail address)."),
        ((ID,), "Invitation holds 1 student identifiers (student id)."),
        (
            (NAME, ADDRESS, NAME, ID),
            "Invitation holds 4 student identifiers (e-mail address, student id and name).",
        ),
        ((NAME, ADDRESS), "Invitation holds 1 student identifiers (e-mail address)."),
    ],
)
def test_sure_identifiers(kinds: tuple[MarkKind, ...], message: str) -> None:
    """An address or an id confirms; a single name beside it is not counted."""
    finding = the(TEXT, saying(*kinds))

    assert (finding.severity, finding.concern.certainty) == (Severity.HIGH, Certainty.CONFIRMED)
    assert finding.message == message
    assert finding.advice == "Remove student details from the invitation."
    assert finding.is_sticky
    assert finding.concern.partner_id == "northstar"


OTHERS = "Whether the names are students': others can be called the same."
ANY_NUMBER = "Whether a short number is a student's id, or stands for something else."


@pytest.mark.parametrize(
    ("kinds", "unknowns"),
    [
        ((NAME, NAME), (OTHERS,)),
        ((NUMBER,), (ANY_NUMBER,)),
        ((NUMBER, NAME, NAME), (OTHERS, ANY_NUMBER)),
        ((NUMBER, NAME), (ANY_NUMBER,)),
    ],
)
def test_names_and_short_numbers_need_review(
    kinds: tuple[MarkKind, ...], unknowns: tuple[str, ...]
) -> None:
    """Staff and words can be called like students, and six digits can be a PIN: it is said so."""
    finding = the(TEXT, saying(*kinds))

    assert (finding.severity, finding.concern.certainty) == (Severity.HIGH, Certainty.NEEDS_REVIEW)
    assert finding.concern.unknowns == unknowns


@pytest.mark.parametrize(
    "dossier",
    [
        saying(),
        saying(NAME),
        saying(ADDRESS, invitees=(HOST, *CLASS)),
        saying(ADDRESS, invitees=(HOST, an_invitee(Kind.EXEMPT, "p@home.example"), *CLASS)),
        saying(ADDRESS, scope=Scope.ADULT),
    ],
    ids=["nothing", "one name", "no outsider", "a parent", "adults"],
)
def test_texts_that_tell_no_outsider_of_a_student(dossier: Dossier) -> None:
    """Nothing found, one name only, or no outsider to read it: decided, and silent."""
    assert not found(TEXT, dossier)
    assert not is_undecided(TEXT, dossier)


def test_a_disclosure_in_a_text_only_grows() -> None:
    """It begins when first read, ends when seen to be gone, and begins anew; the most counts."""

    def after(dossier: Dossier, before: TextDisclosure | None, minutes: float) -> Any:
        assert dossier.meeting is not None
        return text_disclosure_after(dossier.meeting, dossier.invitees, before, at(minutes))

    names, sure, clean = saying(NAME, NAME, NAME), saying(ADDRESS), saying()
    assert after(clean, None, 0) is None
    assert after(saying(NAME), None, 0) is None

    first = after(names, None, 1)
    assert (first.readable_from, first.readable_until, len(first.marks)) == (at(1), None, 3)
    assert after(saying(is_complete=False), first, 2) == first
    assert after(a_dossier(meeting={"search": None}), first, 2) == first
    ended = after(clean, first, 3)
    assert ended == replace(first, readable_until=at(3)) == after(clean, ended, 4)
    assert after(saying(NAME, NAME, NAME, invitees=(HOST, *CLASS)), first, 5).readable_until
    again = after(sure, ended, 6)
    assert (again.readable_from, again.readable_until) == (at(1), None)
    assert [mark.kind for mark in again.marks] == [ADDRESS]
    assert after(names, again, 7).marks == again.marks


def test_a_mended_text_is_told_in_the_past() -> None:
    """From when to when; the flag stays an officer's to close, also without an outsider."""
    mark = StudentMark(TextField.TITLE, ADDRESS, 0, 9)
    seen = TextDisclosure(at(-300), at(-100), (mark,))

    finding = the(TEXT, a_dossier((HOST, *CLASS), meeting={"text_disclosure": seen}))

    assert finding.message == (
        "Until 2026-10-13 08:20 the invitation held 1 student identifiers (e-mail address)."
    )
    assert finding.concern.facts["disclosed_until"] == at(-100).isoformat()


def test_only_places_and_kinds_are_kept() -> None:
    """The flag's evidence says where and what, and holds no word."""
    facts = the(TEXT, saying(ADDRESS)).concern.facts

    assert facts["places"] == [
        {"field": "description", "kind": "e-mail address", "offset": 0, "length": 9}
    ]


@pytest.mark.parametrize(
    "dossier",
    [
        saying(is_complete=False),
        a_dossier(meeting={"search": None}),
        a_dossier(evidence=without(Evidence.TEXT)),
        a_dossier(evidence=without(Evidence.DIRECTORY)),
    ],
    ids=["cut", "never searched", "hidden", "old directory"],
)
def test_a_text_nobody_searched_is_undecided(dossier: Dossier) -> None:
    """Silence is never a pass."""
    assert is_undecided(TEXT, dossier)
    assert not found(TEXT, dossier)


def test_what_was_seen_of_a_cut_text_counts() -> None:
    """Found in the part that was read, undecided about the rest."""
    dossier = saying(ADDRESS, is_complete=False)

    assert the(TEXT, dossier)
    assert is_undecided(TEXT, dossier)


def test_nothing_is_counted_in_confidential_meetings() -> None:
    """Neither the number nor the places of one identifier."""
    finding = the(TEXT, saying(ADDRESS, registry=CLINIC))

    assert finding.message.startswith("Invitation holds fewer than 3 student identifiers")
    assert "places" not in finding.concern.facts


def test_texts_are_a_matter_of_setting_up() -> None:
    """After the meeting the flag stays as it is: the rule is not asked."""
    verdict = judge(held(meeting={"search": TextSearch()}))

    assert TEXT not in verdict.decided
    assert ROSTER not in verdict.decided


# --- student-roster-attached --------------------------------------------------------------------


def test_a_file_that_may_list_students() -> None:
    """High, and always for somebody to look at; the sentences hold nothing of its name."""
    finding = the(ROSTER, sharing(SharedFile("spreadsheet", "IEP"), SharedFile("file", "roster")))

    assert (finding.severity, finding.concern.certainty) == (Severity.HIGH, Certainty.NEEDS_REVIEW)
    assert finding.message == "A file that may list students is shared with the partner."
    assert finding.advice == "Remove or unshare this file."
    assert finding.fix == "Unshare."
    assert not finding.is_sticky
    assert finding.concern.facts["kinds"] == ["file", "spreadsheet"]
    assert any("Drive" in unknown for unknown in finding.concern.unknowns)
    assert "IEP" not in finding.message + finding.advice + " ".join(finding.concern.unknowns)


@pytest.mark.parametrize(
    "dossier",
    [
        sharing(),
        sharing(SharedFile("file", "roster"), invitees=(HOST, *CLASS)),
    ],
    ids=["no file", "no outsider"],
)
def test_files_that_reach_no_partner(dossier: Dossier) -> None:
    """Nothing to share, or nobody outside to share it with."""
    assert not found(ROSTER, dossier)
    assert not is_undecided(ROSTER, dossier)


def test_unseen_files_are_undecided() -> None:
    """A text that was cut may have held another link; an unknown directory hides no file."""
    cut = TextSearch(is_complete=False, is_cut=True)

    assert is_undecided(ROSTER, a_dossier(meeting={"search": cut}))
    assert is_undecided(ROSTER, a_dossier(meeting={"search": None}))
    assert not is_undecided(ROSTER, saying(is_complete=False))


def test_both_speak_of_the_same_partner() -> None:
    """The only partner of the meeting, with its program."""
    finding = the(ROSTER, sharing(SharedFile("file", "roster"), invitees=(HOST, PARTNER)))

    assert (finding.concern.partner_id, finding.concern.program_id) == ("northstar", "path")
