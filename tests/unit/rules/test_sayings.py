"""What each rule says when it fires: both sentences, facts, weight, and what it cannot tell."""

from __future__ import annotations

from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.dossier import Dossier, Host, SharedCode, SourceState
from meetbot.domain.findings import Evidence, Finding
from meetbot.domain.guest_list import Edit, Editor, Entry, GuestList
from meetbot.domain.invitation import MarkKind, StudentMark, TextField
from meetbot.domain.meetings import Disclosure, TextDisclosure
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import find_links
from meetbot.domain.policy import Limits, Policy
from meetbot.domain.registry import (
    Activity,
    Authorization,
    ExemptionKind,
    Identity,
    IdentityKind,
    PartnerKind,
    ProgramType,
)
from meetbot.domain.shared_files import SharedFile
from meetbot.domain.spaces import Access, SpaceFacts
from meetbot.rules import KNOWN_RULES, fingerprints_after
from tests.dossiers import (
    AUTHORIZATION,
    CERTIFICATION,
    CLASS,
    CONTRACT,
    EVERYTHING,
    HOST,
    LINCOLN,
    NORTHSTAR,
    PARTNER,
    PROGRAM,
    STRANGER,
    TEACHER,
    WASHINGTON,
    a_dossier,
    a_registry,
    a_visit,
    adhoc,
    an_attendance,
    an_exemption,
    an_invitee,
    asked,
    at,
    found,
    held,
    judge,
    partner,
    somebody,
    staff,
    stranger,
    students,
    the,
    without,
)

DAY = 24 * 60
EVENING = date(2026, 10, 12)
MORROW = date(2026, 10, 14)
ALL = (staff((0, 45)), partner((0, 45)), *students((0, 45)))
CLINICAL = a_registry(
    exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),)
)
EVE = an_invitee(Kind.EXTERNAL, "eve@elsewhere.example")


def with_approval(**changes: Any) -> dict[str, Any]:
    """A registry whose only approval is changed so."""
    return {"registry": a_registry(authorizations=(replace(AUTHORIZATION, **changes),))}


def in_tokyo(**changes: Any) -> Dossier:
    """The meeting for a district where it begins at midnight, the next day."""
    return a_dossier(zone=ZoneInfo("Asia/Tokyo"), **changes)


def linked(text: str) -> Dossier:
    """The meeting with the links of a text."""
    return a_dossier(meeting={"links": find_links(text), "meeting_code": None})


def calling(attendance: Attendance) -> Attendance:
    """Somebody under the name of Dana Rivera, keyed."""
    visits = tuple(
        replace(visit, identity=replace(visit.identity, name_tokens=("dana", "rivera")))
        for visit in attendance.visits
    )
    return replace(attendance, visits=visits)


def bearing(invitee: Any, **changes: Any) -> Any:
    """A guest named Dana Rivera, keyed."""
    return replace(invitee, guest=replace(invitee.guest, name_tokens=("dana", "rivera")), **changes)


MARKS = (
    StudentMark(TextField.TITLE, MarkKind.ADDRESS, 3, 9),
    StudentMark(TextField.DESCRIPTION, MarkKind.NUMBER, 40, 6),
)
DANA = bearing(PARTNER, person_name="Dana Rivera")
NAMESAKE = calling(stranger((0, 45)))
HISTORY = GuestList(
    at(-4 * DAY), True, (Entry(EVE.guest.address_key, at(-4 * DAY), at(-5 * DAY), True),)
)

ZOOM = "https://us02web.zoom.us/j/1"
OPEN = SpaceFacts("abcdefghij", HOST.guest.address_key, at(-DAY), "spaces/s", Access.OPEN)

FIRING: dict[str, Dossier] = {
    "partner-unregistered": a_dossier((HOST, STRANGER, *CLASS)),
    "partner-lookalike-domain": a_dossier(
        (HOST, replace(STRANGER, lookalike_of="northstar"), *CLASS)
    ),
    "contract-missing": a_dossier(registry=a_registry(contracts=())),
    "contract-not-started": a_dossier(
        registry=a_registry(contracts=(replace(CONTRACT, starts_on=MORROW),))
    ),
    "contract-expired": a_dossier(
        registry=a_registry(contracts=(replace(CONTRACT, ends_on=EVENING),))
    ),
    "contract-scope": a_dossier(
        registry=a_registry(contracts=(replace(CONTRACT, school_ids=("washington",)),))
    ),
    "certification-missing": a_dossier(registry=a_registry(certifications=())),
    "certification-expired": a_dossier(
        registry=a_registry(certifications=(replace(CERTIFICATION, expires_on=EVENING),))
    ),
    "program-paused": a_dossier(
        registry=a_registry(partners=(replace(NORTHSTAR, status=Activity.PAUSED),))
    ),
    "flyer-only-program": a_dossier(
        registry=a_registry(partners=(replace(NORTHSTAR, kind=PartnerKind.COMMUNITY),))
    ),
    "authorization-missing": a_dossier(registry=a_registry(authorizations=())),
    "authorization-scope": a_dossier(**with_approval(school_id="washington", ends_on=EVENING)),
    "authorization-retroactive": held(*ALL, **with_approval(issued_at=at(90))),
    "authorization-stale": a_dossier(
        meeting={
            "start_at": at(20),
            "fingerprints": fingerprints_after(a_dossier(), Policy()),
        }
    ),
    "authorizer-role": a_dossier(**with_approval(authorizer_address="w@x.example")),
    "organizer-not-staff": a_dossier(host=Host(PARTNER)),
    "organizer-unresolved": a_dossier(host=Host(None)),
    "guests-can-invite": a_dossier(meeting={"guests_can_invite": True}),
    "created-by-delegate": a_dossier(creator=PARTNER),
    "guest-added-by-partner": a_dossier(
        (HOST, PARTNER, EVE, *CLASS),
        guest_list=HISTORY,
        edits=(Edit(at(-4 * DAY - 9), Editor.OUTSIDER, EVE.guest.address_key, "northstar"),),
        edits_read_at=at(-3 * DAY),
        as_of=at(-3 * DAY),
    ),
    "open-access-space": a_dossier(space=OPEN),
    "meeting-code-reused": a_dossier(
        same_code=(SharedCode(at(7 * DAY), frozenset({"key of another"}), True),)
    ),
    "student-contacts-visible": a_dossier(
        meeting={"disclosure": Disclosure(at(-90), at(-60), 3, seen_by=("northstar",))}
    ),
    "student-data-in-text": a_dossier(
        meeting={"text_disclosure": TextDisclosure(at(-90), at(-60), MARKS)}
    ),
    "student-roster-attached": a_dossier(
        meeting={"files": (SharedFile("document", "roster"), SharedFile("sheet", "grade", True))}
    ),
    "unapproved-platform": linked(ZOOM),
    "no-staff-joined": held(partner((0, 30)), *students((0, 30))),
    "staff-joined-late": held(staff((6, 45)), partner((0, 45)), *students((0, 45))),
    "staff-left-early": held(staff((0, 30)), partner((0, 44)), *students((0, 45))),
    "staff-presence-gap": held(staff((0, 10), (12, 20), (23, 45)), *ALL[1:]),
    "partner-alone-with-student": held(partner((0, 30)), *students((0, 30), number=1)),
    "unidentified-participant": held(*ALL, somebody((10, 12.5))),
    "uninvited-external-joined": held(*ALL, stranger((5, 10))),
    "adhoc-meeting": adhoc(*ALL),
    "outside-authorized-window": held(
        *(replace(a, visits=a.visits) for a in (staff((0, 57)), partner((0, 57)))),
        *students((0, 57)),
    ),
    "evidence-incomplete": held(*ALL, contradictions=("The sources differ.",)),
    "partner-unexpected-account": held(
        staff((0, 45)), NAMESAKE, *students((0, 45)), invitees=(HOST, DANA, *CLASS)
    ),
    "staff-unexpected-account": held(
        NAMESAKE, partner((0, 45)), *students((0, 45)), host=Host(bearing(HOST))
    ),
    "substitute-supervisor": held(
        staff((0, 45), address_key="key of another"), *ALL[1:], host=Host(bearing(HOST))
    ),
    "confidential-intruder": held(
        *(staff((10, 12)), partner((0, 45)), *students((0, 45), number=1, is_invited=True)),
        registry=CLINICAL,
        invitees=(PARTNER, CLASS[0]),
        host=Host(PARTNER),
    ),
}


def said(finding: Finding) -> dict[str, object]:
    """All that a finding says, but for what every one carries."""
    concern = finding.concern
    everything = {
        "officer": finding.message,
        "teacher": finding.advice,
        "fix": finding.fix,
        "weight": f"{finding.severity} {concern.certainty}",
        "about": (concern.subject, concern.partner_id, concern.program_id),
        "facts": {k: v for k, v in concern.facts.items() if k != "identity"},
        "spans": [(s.kind, s.seconds) for s in concern.spans],
        "unknowns": list(concern.unknowns),
    }
    return {key: value for key, value in everything.items() if value}


SAID: dict[str, dict[str, object]] = {
    "partner-unregistered": {
        "officer": "External guest at elsewhere.example is not in the registry.",
        "teacher": "This guest is not an approved partner yet.",
        "fix": "Match the alias, register, exempt or remove.",
        "weight": "high confirmed",
        "about": ("elsewhere.example", None, None),
        "facts": {"domain": "elsewhere.example"},
    },
    "partner-lookalike-domain": {
        "officer": "Address imitates Northstar.",
        "teacher": "Check this address with the partner by phone.",
        "fix": "Remove; report to IT.",
        "weight": "high confirmed",
        "about": ("elsewhere.example", "northstar", "path"),
        "facts": {"partner": "Northstar", "domain": "elsewhere.example"},
    },
    "contract-missing": {
        "officer": "No contract for College Path.",
        "teacher": "Ask your contract contact before inviting.",
        "fix": "Contract, or cancel.",
        "weight": "high confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {"program": "College Path"},
    },
    "contract-not-started": {
        "officer": "Contract starts 2026-10-14, meeting 2026-10-13.",
        "teacher": "Move the meeting to 2026-10-14 or later.",
        "fix": "Reschedule.",
        "weight": "high confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {
            "date": "2026-10-14",
            "earliest": "2026-10-14 or later",
            "meeting_date": "2026-10-13",
        },
    },
    "contract-expired": {
        "officer": "Contract ended 2026-10-12.",
        "teacher": "The contract has ended; renewal needed.",
        "fix": "Renew.",
        "weight": "high confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {"date": "2026-10-12"},
    },
    "contract-scope": {
        "officer": "Contract covers Washington School.",
        "teacher": "Contract does not cover your school.",
        "fix": "Amend.",
        "weight": "medium confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {"schools": "Washington School"},
    },
    "certification-missing": {
        "officer": "Certification not on file.",
        "teacher": "Partner has not finished certification.",
        "fix": "Certify.",
        "weight": "high confirmed",
        "about": ("northstar", "northstar", "path"),
    },
    "certification-expired": {
        "officer": "Certification lapsed 2026-10-12.",
        "teacher": "Certification lapsed 2026-10-12.",
        "fix": "Renew.",
        "weight": "high confirmed",
        "about": ("northstar", "northstar", "path"),
        "facts": {"lapsed": "lapsed 2026-10-12"},
    },
    "program-paused": {
        "officer": "Meetings of this program are paused.",
        "teacher": "This program cannot meet online now.",
        "fix": "Cancel.",
        "weight": "high confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {"what": "Meetings of this program"},
    },
    "flyer-only-program": {
        "officer": "Community programs reach families only through the flyer page.",
        "teacher": "Community programs reach families only through the flyer page.",
        "fix": "Cancel; link to the flyer process.",
        "weight": "medium confirmed",
        "about": ("northstar/path", "northstar", "path"),
    },
    "authorization-missing": {
        "officer": "No authorization on file, held for Lincoln School.",
        "teacher": "You need approval from your principal or department lead.",
        "fix": "Approve or cancel.",
        "weight": "high confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {"nearest": "No authorization on file, held for Lincoln School"},
    },
    "authorization-scope": {
        "officer": "Approved for Washington School and 2026-08-01 to 2026-10-12, "
        "held for Lincoln School and 2026-10-13.",
        "teacher": "Your approval does not cover this school and date.",
        "fix": "Re-issue.",
        "weight": "high confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {
            "approved": "Washington School and 2026-08-01 to 2026-10-12",
            "held": "Lincoln School and 2026-10-13",
            "field": "school and date",
            "authorization_id": "a1",
        },
    },
    "authorization-retroactive": {
        "officer": "Approved 1.5 h after the start.",
        "teacher": "Approval must come before the meeting.",
        "fix": "Officer accepts or upholds.",
        "weight": "medium confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {"n": "1.5", "authorization_id": "a1"},
    },
    "authorization-stale": {
        "officer": "Changed after approval: start 2026-10-13 10:00 → 2026-10-13 10:20.",
        "teacher": "You changed start; ask for approval again.",
        "fix": "Re-approve or revert.",
        "weight": "medium confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {
            "diff": "start 2026-10-13 10:00 → 2026-10-13 10:20",
            "field": "start",
            "authorization_id": "a1",
        },
    },
    "authorizer-role": {
        "officer": "Authorizer was principal of Washington School, not of Lincoln School.",
        "teacher": "Approval must come from a principal or department lead.",
        "fix": "Countersign.",
        "weight": "high confirmed",
        "about": ("northstar/path", "northstar", "path"),
        "facts": {
            "role": "principal of Washington School, not of Lincoln School",
            "authorization_id": "a1",
        },
    },
    "organizer-not-staff": {
        "officer": "Organized by partner Northstar.",
        "teacher": "Set up a new meeting yourself and invite the partner.",
        "fix": "Staff re-creates; partner event declined.",
        "weight": "critical confirmed",
        "about": ("organizer", "northstar", "path"),
        "facts": {"who": "partner Northstar"},
    },
    "organizer-unresolved": {
        "officer": "Host could not be identified.",
        "teacher": "Who is the host?",
        "fix": "Record the host.",
        "weight": "low confirmed",
        "about": ("organizer", None, None),
    },
    "guests-can-invite": {
        "officer": "Guests can add people to this meeting of partner and students.",
        "teacher": "Guests can add people; switch off Invite others.",
        "fix": "Change the setting; this then closes by itself.",
        "weight": "medium confirmed",
        "about": ("settings", "northstar", "path"),
        "facts": {"can_invite": True, "can_modify": False},
    },
    "created-by-delegate": {
        "officer": "Created by partner Northstar for Terry Teacher.",
        "fix": "None unless partner or student.",
        "weight": "high confirmed",
        "about": ("creator", "northstar", "path"),
        "facts": {"role": "partner Northstar", "host": "Terry Teacher"},
    },
    "guest-added-by-partner": {
        "officer": "1 guests added after approval.",
        "teacher": "Your guest can add people: turn off 'Invite others'.",
        "fix": "Remove, lock.",
        "weight": "high confirmed",
        "about": ("guest-list", "northstar", "path"),
        "facts": {"n": "1", "added_since": "2026-10-09 09:51", "named_by_audit_log": True},
    },
    "open-access-space": {
        "officer": "Anyone with the link can enter.",
        "teacher": "Set access to Trusted or Restricted.",
        "fix": "Change access.",
        "weight": "medium confirmed",
        "about": ("access", "northstar", "path"),
        "facts": {"access": "open"},
        "unknowns": ["Who the co-hosts are."],
    },
    "meeting-code-reused": {
        "officer": "Guests of 2026-10-20 can enter or read its chat; make a new link.",
        "teacher": "Guests of 2026-10-20 can enter or read its chat; make a new link.",
        "fix": "New code.",
        "weight": "medium confirmed",
        "about": ("code", "northstar", "path"),
        "facts": {"other_date": "2026-10-20"},
    },
    "student-contacts-visible": {
        "officer": "3 student addresses were visible for 30 min.",
        "teacher": "Hide the guest list, or use a separate event for the partner.",
        "fix": "Separate event.",
        "weight": "high confirmed",
        "about": ("guest-list", "northstar", "path"),
        "facts": {
            "n": "3",
            "how_long": "for 30 min",
            "disclosed_from": "2026-10-13T13:30:00+00:00",
            "by_group_only": False,
            "disclosed_until": "2026-10-13T14:00:00+00:00",
        },
    },
    "student-data-in-text": {
        "officer": "Until 2026-10-13 09:00 the invitation held 2 student identifiers "
        "(e-mail address and short number).",
        "teacher": "Remove student details from the invitation.",
        "fix": "Edit; the disclosure stays logged.",
        "weight": "high confirmed",
        "about": ("text", "northstar", "path"),
        "facts": {
            "invitation": "Until 2026-10-13 09:00 the invitation held",
            "disclosed_from": "2026-10-13T13:30:00+00:00",
            "n": "2",
            "kind": "e-mail address and short number",
            "disclosed_until": "2026-10-13T14:00:00+00:00",
            "places": [
                {"field": "title", "kind": "e-mail address", "offset": 3, "length": 9},
                {"field": "description", "kind": "short number", "offset": 40, "length": 6},
            ],
        },
    },
    "student-roster-attached": {
        "officer": "A file that may list students is shared with the partner.",
        "teacher": "Remove or unshare this file.",
        "fix": "Unshare.",
        "weight": "high needs-review",
        "about": ("file", "northstar", "path"),
        "facts": {"kinds": ["document", "sheet"], "words": ["grade", "roster"], "labelled": True},
        "unknowns": [
            "Whether the partner may open the file: meetbot has no access to Drive.",
            "What the file holds: only its name was looked at.",
        ],
    },
    "unapproved-platform": {
        "officer": "Link to zoom, not approved for College Path.",
        "teacher": "Use the district's Google Meet.",
        "fix": "Replace the link or request an exception.",
        "weight": "high confirmed",
        "about": ("zoom", "northstar", "path"),
        "facts": {"platform": "zoom", "program": "College Path"},
    },
    "no-staff-joined": {
        "officer": "Partner and students met 30 min; no staff account joined.",
        "teacher": "Were you there? Tell us how you joined.",
        "fix": "Explain, correct identity, or uphold.",
        "weight": "critical confirmed",
        "about": ("presence", "northstar", "path"),
        "facts": {"seconds": 1800, "duration": "30:00", "n": "30"},
        "spans": [("none", 1800)],
    },
    "staff-joined-late": {
        "officer": "Partner and students together 6:00 before staff.",
        "teacher": "Join first; admit the partner after you.",
        "weight": "high confirmed",
        "about": ("presence", "northstar", "path"),
        "facts": {"seconds": 360, "duration": "6:00"},
        "spans": [("before", 360)],
    },
    "staff-left-early": {
        "officer": "Staff left 10:30; partner stayed with students 14:00.",
        "teacher": "End the call for everyone when you leave.",
        "fix": "Explain, coach, or uphold.",
        "weight": "high confirmed",
        "about": ("presence", "northstar", "path"),
        "facts": {"seconds": 840, "duration": "14:00", "t": "10:30"},
        "spans": [("after", 840)],
    },
    "staff-presence-gap": {
        "officer": "2 gaps, longest 3:00.",
        "teacher": "Ask a colleague to stay if you must step out.",
        "weight": "high confirmed",
        "about": ("presence", "northstar", "path"),
        "facts": {"seconds": 300, "duration": "5:00", "n": 2, "gaps": "2 gaps", "longest": "3:00"},
        "spans": [("gap", 120), ("gap", 180)],
    },
    "partner-alone-with-student": {
        "officer": "Partner alone with one student 30:00.",
        "teacher": "Never leave a partner with one student.",
        "fix": "Same-day call by the principal.",
        "weight": "critical confirmed",
        "about": ("presence", "northstar", "path"),
        "facts": {"seconds": 1800, "duration": "30:00"},
        "spans": [("alone", 1800)],
    },
    "unidentified-participant": {
        "officer": "1 unidentified, 2:30, by browser.",
        "teacher": "Who was this? Admit only people you know.",
        "fix": "Host names the person; officer accepts.",
        "weight": "medium needs-review",
        "about": ("unidentified", "northstar", "path"),
        "facts": {"n": "1", "duration": "2:30", "way": "browser"},
    },
    "uninvited-external-joined": {
        "officer": "elsewhere.example joined without invitation.",
        "teacher": "Invite every guest by name.",
        "fix": "Confirm or bar.",
        "weight": "high confirmed",
        "about": ("elsewhere.example", None, None),
        "facts": {"organization": "elsewhere.example"},
    },
    "adhoc-meeting": {
        "officer": "Call with Northstar and students, no event.",
        "teacher": "Use a calendar invitation so approval can be checked.",
        "fix": "Link to an event or uphold.",
        "weight": "high confirmed",
        "about": ("conference", "northstar", "path"),
        "facts": {"partner": "Northstar"},
    },
    "outside-authorized-window": {
        "officer": "Ran 12 min over.",
        "teacher": "Extend the event before you run over.",
        "fix": "Note or re-authorize.",
        "weight": "medium confirmed",
        "about": ("window", "northstar", "path"),
        "facts": {"what": "Ran 12 min over"},
    },
    "evidence-incomplete": {
        "officer": "Cannot tell whether staff were present.",
        "teacher": "Were you there throughout?",
        "fix": "Manual review.",
        "weight": "medium confirmed",
        "about": ("attendance", "northstar", "path"),
        "facts": {"reasons": 1},
        "unknowns": ["The sources differ."],
    },
    "partner-unexpected-account": {
        "officer": "Probably Dana Rivera, other address.",
        "teacher": "Ask the partner to use partner.example.",
        "fix": "Register the address, or ask the partner to use the registered one.",
        "weight": "medium needs-review",
        "about": ("northstar#key of g", "northstar", "path"),
        "facts": {"person": "Dana Rivera", "domain": "partner.example"},
        "unknowns": ["Whether the outside guest is the person whose name they bear."],
    },
    "staff-unexpected-account": {
        "officer": "Host may have used a personal account.",
        "teacher": "Join with your district account.",
        "fix": "Host confirms; officer may accept.",
        "weight": "medium needs-review",
        "about": ("host", "northstar", "path"),
        "unknowns": ["Whether the participant who bears the host's name is the host."],
    },
    "substitute-supervisor": {
        "officer": "Another staff member covered for the host.",
        "teacher": "Tell your principal about cover.",
        "fix": "Note.",
        "weight": "info confirmed",
        "about": ("cover", "northstar", "path"),
        "facts": {"role": "Another staff member"},
    },
    "confidential-intruder": {
        "officer": "An extra person was present 2:00.",
        "fix": "Clinician explains.",
        "weight": "critical confirmed",
        "about": ("intruder", None, None),
        "facts": {"duration": "2:00", "seconds": 120},
    },
}


PROVISIONAL = {
    "no-staff-joined",
    "staff-joined-late",
    "staff-left-early",
    "staff-presence-gap",
    "partner-alone-with-student",
    "unidentified-participant",
    "uninvited-external-joined",
    "adhoc-meeting",
    "outside-authorized-window",
    "partner-unexpected-account",
    "staff-unexpected-account",
    "substitute-supervisor",
    "confidential-intruder",
}
"""Rules on who attended: what they say may change until both sources are in."""


def test_every_rule_has_a_case() -> None:
    """No rule of the catalogue goes without."""
    assert FIRING.keys() == SAID.keys() == KNOWN_RULES


@pytest.mark.parametrize("rule", FIRING)
def test_what_a_rule_says(rule: str) -> None:
    """All of it, as the catalogue words it."""
    finding = the(rule, FIRING[rule])

    assert said(finding) == SAID[rule]
    assert not finding.concern.is_provisional


@pytest.mark.parametrize("rule", FIRING)
def test_what_rests_on_attendance_is_provisional_until_it_is_final(rule: str) -> None:
    """And nothing else is."""
    finding = the(rule, replace(FIRING[rule], is_final=False))

    assert finding.concern.is_provisional is (rule in PROVISIONAL)


UNKNOWN = an_invitee(Kind.UNKNOWN, "who@district.example")
LOST = an_attendance("u", Kind.UNKNOWN, (0, 45))
NOBODY, PARTICIPANT, GUEST = (
    f"the directory could not be asked about {whom}"
    for whom in ("the organizer", "a participant", "a guest")
)
DOUBTS: dict[str, tuple[Dossier, str, set[Evidence]]] = {
    "authorization-scope": (
        a_dossier(host=Host(HOST)),
        "the host's school is not known, so the approval may be for another one",
        set(),
    ),
    "organizer-not-staff": (a_dossier(host=Host(UNKNOWN)), NOBODY, {Evidence.DIRECTORY}),
    "created-by-delegate": (
        a_dossier(creator=None),
        "who created the event is not known",
        {Evidence.DIRECTORY},
    ),
    "guests-can-invite": (
        a_dossier(meeting={"are_settings_known": False}),
        "the organizer's settings of the meeting are not known",
        {Evidence.CALENDAR},
    ),
    "student-contacts-visible": (
        a_dossier(meeting={"are_settings_known": False, "is_guest_list_complete": False}),
        "whether guests see one another is not known",
        {Evidence.CALENDAR},
    ),
    "flyer-only-program": (
        a_dossier(
            (HOST, PARTNER, UNKNOWN),
            registry=a_registry(partners=(replace(NORTHSTAR, kind=PartnerKind.COMMUNITY),)),
        ),
        GUEST,
        {Evidence.DIRECTORY},
    ),
    "open-access-space": (
        a_dossier(space=None),
        "the settings of the Meet space are not known",
        {Evidence.SPACE},
    ),
    "meeting-code-reused": (
        a_dossier(same_code=(SharedCode(at(DAY), frozenset(), False),)),
        "the guests of another event with this meeting's code are not known",
        {Evidence.GUESTS},
    ),
    "guest-added-by-partner": (
        a_dossier(
            (HOST, PARTNER, EVE, *CLASS),
            guest_list=replace(HISTORY, entries=(replace(HISTORY.entries[0], could_invite=None),)),
            edits_read_at=at(-3 * DAY),
            as_of=at(-3 * DAY),
        ),
        "whether guests could add people is not known",
        {Evidence.CALENDAR},
    ),
    "student-data-in-text": (
        a_dossier(meeting={"search": None}),
        "the invitation could not be searched for student data in full",
        {Evidence.TEXT},
    ),
    "student-roster-attached": (
        a_dossier(meeting={"search": None}),
        "the invitation could not be searched for files in full",
        {Evidence.TEXT},
    ),
    "unidentified-participant": (held(*ALL, LOST), PARTICIPANT, {Evidence.DIRECTORY}),
    "staff-left-early": (held(*ALL, LOST), PARTICIPANT, {Evidence.DIRECTORY}),
    "confidential-intruder": (
        replace(
            FIRING["confidential-intruder"],
            attendances=(*FIRING["confidential-intruder"].attendances, LOST),
        ),
        PARTICIPANT,
        {Evidence.DIRECTORY},
    ),
}


@pytest.mark.parametrize("rule", DOUBTS)
def test_what_a_rule_cannot_tell(rule: str) -> None:
    """The rule is undecided, says why in a sentence, and names the source."""
    dossier, reason, missing = DOUBTS[rule]

    (undecided,) = asked(rule, dossier).undecided

    assert undecided.reason == reason
    assert undecided.missing == missing


CLINIC = a_registry(programs=(replace(PROGRAM, type=ProgramType.MENTAL_HEALTH),))
"""A program whose name, and whose partner's, is not told."""
CONFIDENTIAL = replace(
    CLINIC,
    exemptions=(an_exemption(ExemptionKind.CONFIDENTIAL_CLINICAL, consent_on_file=True),),
)
MAYBE = an_invitee(Kind.PARTNER, "x@partner.example", confidence=Confidence.COMPATIBLE)
REGISTERED = a_registry(
    identities=(Identity("northstar", IdentityKind.ADDRESS, "d@partner.example", "Dana Rivera"),)
)
MAILING_LIST = an_invitee(Kind.EXTERNAL, "friends@googlegroups.com")
SHORT_LINK = "https://bit.ly/3abc"
VARIANTS: list[tuple[str, Dossier, dict[str, object]]] = [
    (
        "authorization-retroactive",
        held(*ALL, **with_approval(issued_at=at(5))),
        {"officer": "Approved less than 0.1 h after the start."},
    ),
    (
        "authorization-retroactive",
        held(*ALL, **with_approval(issued_at=at(6))),
        {"officer": "Approved 0.1 h after the start."},
    ),
    (
        "authorization-scope",
        a_dossier(host=Host(UNKNOWN, LINCOLN), **with_approval(host_address="o@district.example")),
        {
            "officer": "Approved for another host, held for this host.",
            "weight": "high needs-review",
            "unknowns": ["Who the host is."],
        },
    ),
    (
        "authorization-scope",
        a_dossier(**with_approval(school_id="washington", host_address=TEACHER)),
        {
            "officer": "Approved for Washington School, held for Lincoln School.",
            "weight": "high needs-review",
            "unknowns": ["Whether the host, whom the approval names, works at both schools."],
        },
    ),
    (
        "authorization-scope",
        a_dossier(**with_approval(program_id="other")),
        {"officer": "Approved for another program, held for College Path."},
    ),
    (
        "certification-expired",
        a_dossier(
            registry=a_registry(certifications=(replace(CERTIFICATION, certified_on=MORROW),))
        ),
        {"officer": "Certification starts only on 2026-10-14."},
    ),
    (
        "created-by-delegate",
        a_dossier(host=Host(replace(HOST, guest=replace(HOST.guest, address=None))), creator=MAYBE),
        {
            "officer": "Created by another staff account for the host.",
            "weight": "high needs-review",
        },
    ),
    (
        "created-by-delegate",
        a_dossier(creator=PARTNER, registry=CLINIC),
        {"officer": "Created by a contracted partner for Terry Teacher."},
    ),
    (
        "organizer-not-staff",
        a_dossier(host=Host(MAYBE)),
        {"officer": "Organized by partner.", "weight": "critical needs-review"},
    ),
    (
        "organizer-not-staff",
        a_dossier(host=Host(PARTNER), registry=CLINIC),
        {"officer": "Organized by a contracted partner."},
    ),
    (
        "partner-unregistered",
        a_dossier(
            (HOST, an_invitee(Kind.EXTERNAL, "dana.rivera9@gmail.com"), *CLASS), registry=REGISTERED
        ),
        {
            "weight": "high needs-review",
            "unknowns": ["Whether this is the personal account of a registered person."],
        },
    ),
    (
        "partner-unregistered",
        a_dossier((HOST, MAILING_LIST, *CLASS)),
        {"weight": "high needs-review", "unknowns": ["Who is on this mailing list."]},
    ),
    (
        "program-paused",
        a_dossier(
            registry=a_registry(
                programs=(PROGRAM, replace(PROGRAM, program_id="p2", status=Activity.PAUSED)),
                contracts=(),
                authorizations=(),
            )
        ),
        {
            "weight": "high needs-review",
            "unknowns": ["Which program of the partner this meeting belongs to."],
        },
    ),
    (
        "no-staff-joined",
        FIRING["staff-unexpected-account"],
        {
            "weight": "critical needs-review",
            "unknowns": ["Whether the participant who bears the host's name is the host."],
        },
    ),
    (
        "unapproved-platform",
        linked("tel:+15551234567"),
        {
            "weight": "low confirmed",
            "about": ("dial-in", "northstar", "path"),
            "facts": {"platform": "a dial-in number", "program": "College Path"},
        },
    ),
    (
        "unapproved-platform",
        linked(SHORT_LINK),
        {
            "weight": "high needs-review",
            "about": ("bit.ly", "northstar", "path"),
            "facts": {
                "platform": "an unknown place behind a short link",
                "program": "College Path",
                "host": "bit.ly",
            },
            "unknowns": ["Where the link leads."],
        },
    ),
    (
        "unapproved-platform",
        replace(linked(SHORT_LINK), invitees=(HOST, STRANGER, *CLASS)),
        {"officer": "Link to an unknown place behind a short link, not approved for this program."},
    ),
    (
        "authorizer-role",
        a_dossier(schools_when_issued={"a1": (replace(LINCOLN, principals=()),)}),
        {
            "weight": "high needs-review",
            "unknowns": ["Since when the authorizer has the role the registry shows now."],
        },
    ),
    (
        "authorizer-role",
        a_dossier(
            registry=a_registry(
                schools=(LINCOLN, replace(WASHINGTON, leads=("lead@x.example",))),
                authorizations=(replace(AUTHORIZATION, authorizer_address="lead@x.example"),),
            )
        ),
        {"officer": "Authorizer was lead of Washington School, not of Lincoln School."},
    ),
    (
        "uninvited-external-joined",
        held(*ALL, partner((5, 10), person="p2", is_invited=False), is_final=False),
        {
            "officer": "Northstar joined without invitation.",
            "weight": "medium confirmed",
            "about": ("northstar", "northstar", "path"),
        },
    ),
    (
        "uninvited-external-joined",
        held(*ALL, partner((5, 10), person="p2", is_invited=False), registry=CLINIC),
        {"officer": "A contracted partner joined without invitation."},
    ),
    (
        "outside-authorized-window",
        held(*(replace(a, visits=(a_visit(a.person_key, -12, 57),)) for a in ALL)),
        {"officer": "Ran 12 min over; Began 12 min early."},
    ),
    (
        "student-contacts-visible",
        a_dossier(
            meeting={"disclosure": Disclosure(at(-90), at(-60), 3, seen_by=("northstar", "z"))},
            registry=a_registry(partners=(NORTHSTAR, replace(NORTHSTAR, partner_id="z"))),
        ),
        {"about": ("guest-list", None, None)},
    ),
    (
        "guest-added-by-partner",
        replace(FIRING["guest-added-by-partner"], registry=CONFIDENTIAL),
        {"officer": "Fewer than 3 guests added after approval."},
    ),
    (
        "unidentified-participant",
        held(*ALL, somebody((10, 12), form=IdentityForm.MASKED), registry=CONFIDENTIAL),
        {"officer": "Fewer than 3 unidentified, 2:00, by an account outside the district."},
    ),
    (
        "substitute-supervisor",
        replace(
            FIRING["substitute-supervisor"],
            attendances=(*FIRING["substitute-supervisor"].attendances, somebody((0, 45))),
        ),
        {
            "weight": "info needs-review",
            "unknowns": ["Whether the host was there without their account."],
        },
    ),
    (
        "evidence-incomplete",
        held(*ALL, evidence={k: v for k, v in EVERYTHING.items() if k != Evidence.ATTENDANCE}),
        {"unknowns": ["who was in the call could not be read"]},
    ),
    (
        "evidence-incomplete",
        held(*ALL, an_attendance("u", Kind.UNKNOWN, (0, 45))),
        {"unknowns": ["the directory could not be asked about a participant"]},
    ),
    (
        "open-access-space",
        a_dossier(
            space=replace(OPEN, cohosts=()),
            cohosts=(an_invitee(Kind.INACTIVE, "gone@district.example"),),
        ),
        {"facts": {"access": "open", "cohosts": "1 other"}, "unknowns": None},
    ),
    (
        "contract-not-started",
        a_dossier(registry=a_registry(contracts=(replace(CONTRACT, signed_on=None),))),
        {
            "officer": "Contract starts once it is signed, meeting 2026-10-13.",
            "teacher": "Move the meeting to a day after the contract is signed.",
        },
    ),
    (
        "contract-not-started",
        in_tokyo(registry=a_registry(contracts=(replace(CONTRACT, starts_on=date(2026, 10, 15)),))),
        {"officer": "Contract starts 2026-10-15, meeting 2026-10-14."},
    ),
    (
        "authorization-scope",
        in_tokyo(**with_approval(ends_on=EVENING)),
        {"officer": "Approved for 2026-08-01 to 2026-10-12, held for 2026-10-14."},
    ),
    (
        "certification-expired",
        in_tokyo(
            registry=a_registry(
                certifications=(replace(CERTIFICATION, certified_on=MORROW, expires_on=MORROW),)
            ),
            meeting={"end_at": at(25 * 60)},
        ),
        {"officer": "Certification lapsed 2026-10-14."},
    ),
    (
        "authorization-missing",
        in_tokyo(host=Host(HOST), **with_approval(revoked_at=at(-10))),
        {"officer": "Authorization a1 for Lincoln School was revoked on 2026-10-13, held anyway."},
    ),
    (
        "authorization-missing",
        in_tokyo(**with_approval(revoked_at=at(0))),
        {
            "officer": "Authorization a1 for Lincoln School was revoked on 2026-10-14, "
            "held for Lincoln School."
        },
    ),
]


@pytest.mark.parametrize(("rule", "dossier", "wanted"), VARIANTS)
def test_what_a_rule_says_in_other_cases(
    rule: str, dossier: Dossier, wanted: dict[str, object]
) -> None:
    """The other branches of its sentences, and why it needs review."""
    saying = said(the(rule, dossier))

    assert {part: saying.get(part) for part in wanted} == wanted


ALPHA = replace(NORTHSTAR, partner_id="alpha", name="Alpha")
ALPHA_PROGRAM = replace(PROGRAM, program_id="alpha-path", partner_id="alpha")
ALPHAS_GUEST = an_invitee(Kind.PARTNER, "a@alpha.example", partner_id="alpha")


@pytest.mark.parametrize(
    "of_alpha",
    [
        (),
        (
            replace(
                AUTHORIZATION, authorization_id="a0", partner_id="alpha", program_id="alpha-path"
            ),
        ),
    ],
    ids=["nothing", "all in order"],
)
@pytest.mark.parametrize(
    "of_northstar",
    [
        ("authorizer-role", {"authorizer_address": "w@x.example"}),
        ("authorization-scope", {"ends_on": EVENING}),
        ("authorization-missing", {"partner_id": "other"}),
    ],
)
def test_each_partner_of_a_meeting_is_judged(
    of_alpha: tuple[Authorization, ...], of_northstar: tuple[str, dict[str, Any]]
) -> None:
    """Whatever is said of the first, the second is not passed over."""
    rule, changes = of_northstar
    registry = a_registry(
        partners=(ALPHA, NORTHSTAR),
        programs=(ALPHA_PROGRAM, PROGRAM),
        authorizations=(*of_alpha, replace(AUTHORIZATION, **changes)),
    )
    people = (HOST, ALPHAS_GUEST, PARTNER, *CLASS)

    concerned = {
        f.concern.partner_id
        for f in judge(a_dossier(people, registry=registry)).findings
        if f.rule == rule
    }

    assert "northstar" in concerned


def test_people_without_a_clearance_of_their_own_are_counted() -> None:
    """Only where the district asks each for one; only the number is told."""
    policy = Policy(limits=Limits(personal_clearance=True))
    second = an_invitee(Kind.PARTNER, "second@partner.example", partner_id="northstar")

    concern = the("certification-missing", a_dossier((HOST, PARTNER, second)), policy).concern

    assert concern.facts["people"] == 2
    assert concern.program_id == "path"


def test_who_approved_saw_the_guest_list() -> None:
    """A guest added before the approval is no addition after it."""
    dossier = FIRING["guest-added-by-partner"]

    after = replace(dossier, **with_approval(issued_at=at(-4 * DAY + 60)))

    assert not found("guest-added-by-partner", after)


def test_a_source_tells_its_own_problem() -> None:
    """The sentence that came with the source, where there is one."""
    known = {Evidence.SPACE: SourceState(is_full=False, problem="the scope is not granted")}
    dossier = a_dossier(space=OPEN, evidence=EVERYTHING | known)

    (undecided,) = asked("open-access-space", dossier).undecided

    assert undecided.reason == "the scope is not granted"


@pytest.mark.parametrize(
    ("now", "diff"),
    [
        (a_dossier(meeting={"end_at": at(61)}), "end 2026-10-13 10:45 → 2026-10-13 11:01"),
        (
            a_dossier(meeting={"is_recurring": True}),
            "start 2026-10-13 10:00 → Tue 10:00; end 2026-10-13 10:45 → Tue 10:45; "
            "repetition single → recurring",
        ),
        (a_dossier((HOST, PARTNER, STRANGER, EVE, *CLASS)), "outside guests 2 added, 0 removed"),
        (
            a_dossier(host=Host(an_invitee(Kind.STAFF, "b@district.example"), LINCOLN)),
            "host another host",
        ),
        (
            linked(f"{ZOOM} https://teams.microsoft.com/l/meetup-join/1"),
            "platform google-meet → teams+zoom",
        ),
        (a_dossier((HOST, PARTNER)), "audience students → adults"),
    ],
)
def test_what_changed_after_approval(now: Dossier, diff: str) -> None:
    """Each part with what it was and what it is."""
    assert now.meeting is not None
    approved = fingerprints_after(a_dossier(), Policy())
    dossier = replace(now, meeting=replace(now.meeting, fingerprints=approved))

    assert the("authorization-stale", dossier).message == f"Changed after approval: {diff}."


@pytest.mark.parametrize(
    ("evidence", "reason"),
    [
        (EVERYTHING, "the audit log of calendars may still lack who added a guest"),
        (
            without(Evidence.EDITS),
            "who added a guest is not known: the audit log of calendars cannot be read",
        ),
    ],
)
def test_a_log_that_is_late_accuses_nobody(
    evidence: dict[Evidence, SourceState], reason: str
) -> None:
    """Nor does one that cannot be read; which of them it is is said."""
    dossier = replace(
        FIRING["guest-added-by-partner"], edits=(), edits_read_at=None, evidence=evidence
    )

    (undecided,) = asked("guest-added-by-partner", dossier).undecided

    assert reason in undecided.reason
    assert not found("guest-added-by-partner", dossier)
