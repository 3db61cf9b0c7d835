"""Codes of flags and cases as words that people read, in the language of the request."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TypeAlias

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from meetbot.domain.attendance import IdentityForm
from meetbot.domain.casework import CaseStatus, EventKind
from meetbot.domain.findings import Certainty, Evidence, Severity
from meetbot.domain.flags import ChangeKind, FlagStatus
from meetbot.domain.notices import Audience, NoticeKind
from meetbot.errors import Mistake
from meetbot.jobs.cases import Answer, Who
from meetbot.jobs.decisions import UNDONE
from meetbot.ports import OutboxState

Words: TypeAlias = Mapping[str, LazyString]

SEVERITIES: Words = {
    Severity.CRITICAL: lazy_gettext("Critical"),
    Severity.HIGH: lazy_gettext("High"),
    Severity.MEDIUM: lazy_gettext("Medium"),
    Severity.LOW: lazy_gettext("Low"),
    Severity.INFO: lazy_gettext("For information"),
}
CASE_STATUSES: Words = {
    CaseStatus.OPEN: lazy_gettext("Open"),
    CaseStatus.ACKNOWLEDGED: lazy_gettext("Being looked into"),
    CaseStatus.CLOSED: lazy_gettext("Closed"),
}
FLAG_STATUSES: Words = {
    FlagStatus.OPEN: lazy_gettext("Open"),
    FlagStatus.ACKNOWLEDGED: lazy_gettext("Being looked into"),
    FlagStatus.UPHELD: lazy_gettext("Upheld"),
    FlagStatus.DISMISSED: lazy_gettext("Dismissed"),
    FlagStatus.WITHDRAWN: lazy_gettext("Withdrawn by meetbot"),
    FlagStatus.SUPERSEDED: lazy_gettext("Replaced by another finding"),
}
CERTAINTIES: Words = {
    Certainty.CONFIRMED: lazy_gettext("Confirmed"),
    Certainty.NEEDS_REVIEW: lazy_gettext("Needs review"),
}
REASONS: Words = {
    "seen": lazy_gettext("Seen"),
    "policy-not-followed": lazy_gettext("Policy was not followed"),
    "data-disclosed": lazy_gettext("Student data was disclosed"),
    "identity-corrected": lazy_gettext("Somebody was taken for somebody else"),
    "supervised-otherwise": lazy_gettext("Staff supervised in another way"),
    "authorized-elsewhere": lazy_gettext("It was authorized elsewhere"),
    "technical": lazy_gettext("Technical fault, such as a dropped line or a wrong log"),
    "duplicate": lazy_gettext("The same as another case"),
    "not-applicable": lazy_gettext("The policy does not apply here"),
    "other": lazy_gettext("Something else (say what in the note)"),
    UNDONE: lazy_gettext("An earlier decision was undone"),
}
EVENTS: Words = {
    EventKind.ACKNOWLEDGED: lazy_gettext("Acknowledged"),
    EventKind.ASKED: lazy_gettext("Host was asked"),
    EventKind.ANSWERED: lazy_gettext("Host answered"),
    EventKind.IDENTIFIED: lazy_gettext("Host named somebody unknown"),
    EventKind.ACCEPTED: lazy_gettext("Host's word was accepted"),
    EventKind.ESCALATED: lazy_gettext("Escalated"),
    EventKind.PROPOSED: lazy_gettext("Decision proposed"),
    EventKind.CONFIRMED: lazy_gettext("Proposal confirmed"),
    EventKind.REJECTED: lazy_gettext("Proposal rejected"),
    EventKind.UPHELD: lazy_gettext("Upheld"),
    EventKind.DISMISSED: lazy_gettext("Dismissed"),
    EventKind.UNDONE: lazy_gettext("Undone"),
    EventKind.NOTED: lazy_gettext("Note"),
}
CHANGES: Words = {
    ChangeKind.OPENED: lazy_gettext("Found"),
    ChangeKind.REOPENED: lazy_gettext("Found again"),
    ChangeKind.UPDATED: lazy_gettext("Facts changed"),
    ChangeKind.WITHDRAWN: lazy_gettext("Withdrawn by meetbot"),
    ChangeKind.SUPERSEDED: lazy_gettext("Replaced by another finding"),
}
SOURCES: Words = {
    Evidence.CALENDAR: lazy_gettext("Calendar"),
    Evidence.GUESTS: lazy_gettext("Guest list"),
    Evidence.DIRECTORY: lazy_gettext("Directory of accounts"),
    Evidence.REGISTRY: lazy_gettext("Partner registry"),
    Evidence.ATTENDANCE: lazy_gettext("Who was in the call"),
    Evidence.TEXT: lazy_gettext("Text of the invitation"),
    Evidence.SPACE: lazy_gettext("Settings of the meeting room"),
    Evidence.EDITS: lazy_gettext("Log of calendar changes"),
}
AUDIENCES: Words = {
    Audience.HOST: lazy_gettext("host"),
    Audience.OFFICERS: lazy_gettext("officers"),
    Audience.PRINCIPAL: lazy_gettext("principal"),
    Audience.PRIVACY: lazy_gettext("privacy officers"),
    Audience.DIGEST: lazy_gettext("officers, daily summary"),
    Audience.OPERATORS: lazy_gettext("operators"),
    Audience.ESCALATION: lazy_gettext("principal and privacy officers"),
    Audience.OVERDUE: lazy_gettext("officers, again"),
}
NOTICES: Words = {
    NoticeKind.FLAG: lazy_gettext("May not match policy"),
    NoticeKind.FIX_IT: lazy_gettext("Something to put right"),
    NoticeKind.WITHDRAWN: lazy_gettext("Withdrawn"),
    NoticeKind.REMINDER: lazy_gettext("Reminder of the meeting"),
    NoticeKind.NUDGE: lazy_gettext("Staff are missing now"),
    NoticeKind.DIGEST: lazy_gettext("Daily summary"),
    NoticeKind.WEEKLY: lazy_gettext("Weekly summary"),
    NoticeKind.ESCALATION: lazy_gettext("Nobody has acknowledged it"),
    NoticeKind.QUESTION: lazy_gettext("Question to the host"),
    NoticeKind.OUTCOME: lazy_gettext("What was decided"),
    NoticeKind.HANDED_UP: lazy_gettext("Handed up"),
    NoticeKind.OPERATIONS: lazy_gettext("For operators"),
}
OUTBOX: Words = {
    OutboxState.QUEUED: lazy_gettext("waiting to be sent"),
    OutboxState.IN_FLIGHT: lazy_gettext("being sent"),
    OutboxState.SENT: lazy_gettext("sent"),
    OutboxState.FAILED: lazy_gettext("could not be delivered"),
    OutboxState.DROPPED: lazy_gettext("not sent, as it was no longer of use"),
}
NO_RECORD: Words = {
    "a meeting of adults: nothing but host and outside domains is kept": lazy_gettext(
        "It was a meeting of adults, of which nothing but host and outside domains is kept."
    ),
    "a confidential meeting: nothing but counts is kept": lazy_gettext(
        "It was a confidential meeting, of which nothing but counts is kept."
    ),
    "nobody from outside is left in the meeting: nothing is kept": lazy_gettext(
        "Nobody from outside is left in the meeting, of which nothing is kept."
    ),
    "it was found by a meetbot that kept no record of what it saw": lazy_gettext(
        "It was found by an older meetbot that kept no record of what it saw."
    ),
}
"""Why there is no record (`jobs.case_facts`)."""
RULES: Words = {
    "adhoc-meeting": lazy_gettext("Call without a calendar event"),
    "authorization-missing": lazy_gettext("No authorization"),
    "authorization-retroactive": lazy_gettext("Authorized only after the start"),
    "authorization-scope": lazy_gettext("Authorization does not cover this meeting"),
    "authorization-stale": lazy_gettext("Meeting changed after it was authorized"),
    "authorizer-role": lazy_gettext("Authorized by somebody without that role"),
    "certification-expired": lazy_gettext("Certification has expired"),
    "certification-missing": lazy_gettext("No certification"),
    "confidential-intruder": lazy_gettext("Extra person in a confidential meeting"),
    "contract-expired": lazy_gettext("Contract has ended"),
    "contract-missing": lazy_gettext("No contract"),
    "contract-not-started": lazy_gettext("Contract has not begun"),
    "contract-scope": lazy_gettext("Contract does not cover this school"),
    "created-by-delegate": lazy_gettext("Created by somebody else for the host"),
    "evidence-incomplete": lazy_gettext("Cannot tell: evidence is missing"),
    "flyer-only-program": lazy_gettext("Community program: flyers only"),
    "guest-added-by-partner": lazy_gettext("Partner added a guest"),
    "guests-can-invite": lazy_gettext("Guests can invite others"),
    "meeting-code-reused": lazy_gettext("Meeting link was used for another meeting"),
    "no-staff-joined": lazy_gettext("No staff joined"),
    "open-access-space": lazy_gettext("Anyone with the link can enter"),
    "organizer-not-staff": lazy_gettext("Not organized by staff"),
    "organizer-unresolved": lazy_gettext("Host is not known"),
    "outside-authorized-window": lazy_gettext("Went on outside the agreed time"),
    "partner-alone-with-student": lazy_gettext("Partner alone with one student"),
    "partner-lookalike-domain": lazy_gettext("Address imitates a partner's"),
    "partner-unexpected-account": lazy_gettext("Partner used another account"),
    "partner-unregistered": lazy_gettext("Guest from outside the registry"),
    "program-paused": lazy_gettext("Program is paused"),
    "staff-joined-late": lazy_gettext("Staff joined late"),
    "staff-left-early": lazy_gettext("Staff left early"),
    "staff-presence-gap": lazy_gettext("Staff were away in between"),
    "staff-unexpected-account": lazy_gettext("Host may have used another account"),
    "student-contacts-visible": lazy_gettext("Student addresses were visible"),
    "student-data-in-text": lazy_gettext("Student data in the invitation"),
    "student-roster-attached": lazy_gettext("File that may list students"),
    "substitute-supervisor": lazy_gettext("Somebody covered for the host"),
    "unapproved-platform": lazy_gettext("Platform that is not approved"),
    "unidentified-participant": lazy_gettext("Somebody unknown in the call"),
    "uninvited-external-joined": lazy_gettext("Uninvited outsider in the call"),
}
ANSWERS: Words = {
    Answer.OTHER_DEVICE: lazy_gettext("I was there, with another device or account"),
    Answer.COLLEAGUE: lazy_gettext("A colleague was there and supervised"),
    Answer.LEFT_EARLY: lazy_gettext("Yes, I had to leave early"),
    Answer.PARTNER_ALONE: lazy_gettext("Yes, the partner was alone by mistake"),
    Answer.MENDED: lazy_gettext("It is put right now"),
    Answer.NOT_MINE: lazy_gettext("This is not my meeting"),
    Answer.AS_SEEN: lazy_gettext("Yes, it was as described"),
    Answer.OTHER: lazy_gettext("Something else (I write it below)"),
}
WHO: Words = {
    Who.ME: lazy_gettext("Me, with another device or by phone"),
    Who.COLLEAGUE: lazy_gettext("A colleague"),
    Who.STUDENT: lazy_gettext("A student (please write no name)"),
    Who.PARTNER: lazy_gettext("Somebody of a partner"),
    Who.FAMILY: lazy_gettext("An interpreter, parent or guardian"),
    Who.UNKNOWN: lazy_gettext("I do not know"),
}
FORMS: Words = {
    IdentityForm.SIGNED_IN: lazy_gettext("signed in, with an account nobody knows"),
    IdentityForm.ADDRESS: lazy_gettext("signed in, with an address nobody knows"),
    IdentityForm.MASKED: lazy_gettext("signed in, with an address that is hidden"),
    IdentityForm.ANONYMOUS: lazy_gettext("not signed in"),
    IdentityForm.PHONE: lazy_gettext("by phone"),
    IdentityForm.DEVICE: lazy_gettext("a device"),
}
"""In which way somebody unknown came."""
_MISTAKES: Words = {
    "holds a name, an address or an id of a student": lazy_gettext(
        "This holds a name, an address or an id of a student. Write it without, such as"
        " “a student”. Nothing was stored."
    ),
    "is no staff account of the district": lazy_gettext(
        "No staff member has this address. Write the colleague's district address."
    ),
    "is nobody of the registry": lazy_gettext("Choose a partner of the list."),
    "has no open flag": lazy_gettext("Nothing is open here any more: somebody was faster."),
    "are all decided": lazy_gettext("All of it is decided already."),
    "cannot be undone any more": lazy_gettext(
        "This cannot be undone any more: the minute is over, or something came after it."
    ),
    "has a proposal that waits for a second officer": lazy_gettext(
        "Another decision was proposed first. A second officer has to confirm or reject it."
    ),
    "is your own proposal": lazy_gettext("You proposed it yourself: another officer has to agree."),
    "is what you said yourself": lazy_gettext(
        "You said so yourself: another officer has to agree."
    ),
    "is no proposal that waits": lazy_gettext("There is no such proposal any more."),
    "is accepted already": lazy_gettext("This is accepted already."),
    "has no host with a staff account": lazy_gettext(
        "Nobody can be asked by mail: the meeting has no host with a staff account."
    ),
    "is confidential: its host is told nothing by mail": lazy_gettext(
        "Of a confidential meeting nothing is mailed. Speak with the clinician."
    ),
}
"""What jobs find wrong, in sentences for whoever filled in the form."""
_CONTACTS: Words = {
    "before": lazy_gettext("before staff joined"),
    "after": lazy_gettext("after staff left"),
    "gap": lazy_gettext("while staff were away"),
    "none": lazy_gettext("no staff joined"),
    "alone": lazy_gettext("partner alone with one student"),
}
_LANES: Words = {
    "Host": lazy_gettext("Host"),
    "Staff": lazy_gettext("Staff"),
    "Partner": lazy_gettext("Partner"),
    "Outside guest": lazy_gettext("Outside guest"),
    "Exempt guest": lazy_gettext("Exempt guest"),
    "Student": lazy_gettext("Student"),
    "Room device": lazy_gettext("Room device"),
    "Unidentified": lazy_gettext("Unidentified"),
    "Inactive account": lazy_gettext("Inactive account"),
}
"""First words of the labels in a timeline (`domain.cards`)."""


def said(words: Words, code: str) -> str:
    """A code in words; the code itself where this version has none for it."""
    return str(words.get(code, code))


def contact(kind: str) -> str:
    """A kind of contact without staff."""
    return str(_CONTACTS.get(kind) or gettext("without staff"))


def lane(label: str) -> str:
    """Somebody's label in a timeline, such as `Student 1`."""
    known = next((word for word in _LANES if label == word or label.startswith(word + " ")), None)
    return label if known is None else f"{_LANES[known]}{label[len(known) :]}"


def mistake(found: Mistake) -> str:
    """What is wrong and what to do; as the job put it where there are no words for it."""
    known = _MISTAKES.get(found.what)
    return str(known) if known else f"{found.what}: {found.fix}"
