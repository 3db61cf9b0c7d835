"""What goes in and out. Nothing in it is of a student."""

from __future__ import annotations

from typing import Annotated, Any, Literal

from pydantic import BaseModel, ConfigDict, Field, StringConstraints

from meetbot.domain.casework import Case, CaseEvent, CaseStatus, EventKind
from meetbot.domain.findings import Severity
from meetbot.domain.flag_documents import flag_document, instant
from meetbot.domain.flags import Flag, FlagStatus
from meetbot.domain.notices import Coverage

CASE_ID = r"C-[0-9a-f]{12}"
FLAG_ID = r"F-[0-9a-f]{12}"
CaseId = Annotated[str, StringConstraints(pattern=f"^{CASE_ID}$")]
FlagId = Annotated[str, StringConstraints(pattern=f"^{FLAG_ID}$")]
Moment = Annotated[
    str, Field(description="RFC 3339 in UTC, whole seconds", examples=["2026-10-13T15:00:00Z"])
]
Word = Annotated[str, StringConstraints(max_length=200)]
_MOST = 200
_PLACE = "`next` of the page before"


class _Model(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class WrongField(_Model):
    """One mistake, and how to put it right."""

    place: str
    what: str
    fix: str


class Problem(_Model):
    """RFC 9457."""

    title: str
    status: int
    detail: str
    errors: list[WrongField] = []


class FlagModel(_Model):
    """One flag, as `meetbot flags list --json` has it."""

    id: FlagId
    rule: str
    severity: Severity
    confidence: Literal["confirmed", "needs-review"]
    status: FlagStatus
    provisional: bool
    phase: Literal["scheduled", "live", "after"]
    occurrence: Occurrence
    subject: str
    school_id: str | None
    partner_id: str | None
    program_id: str | None
    opened_at: Moment
    updated_at: Moment
    message: str
    evidence: dict[str, Any]

    @classmethod
    def of(cls, flag: Flag) -> FlagModel:
        """The model of a flag."""
        return cls.model_validate(flag_document(flag))


class Occurrence(_Model):
    """Which meeting: its event, or the one call."""

    ical_uid: str | None
    original_start: Moment
    meeting_code: str | None
    conference_records: list[str]


class CaseModel(_Model):
    """All flags of one occurrence."""

    id: CaseId
    status: CaseStatus
    severity: Severity
    private: bool
    school_id: str | None
    schools: list[str]
    partners: list[str]
    rules: list[str]
    starts_at: Moment
    opened_at: Moment
    updated_at: Moment
    flags: int
    pending: int
    version: Annotated[int, Field(description="Rises with every change; the ETag of the case")]

    @classmethod
    def of(cls, case: Case) -> CaseModel:
        """The model of a case."""
        return cls(**_case_values(case))


def _case_values(case: Case) -> dict[str, Any]:
    return {
        "id": case.id,
        "status": case.status,
        "severity": case.severity,
        "private": case.is_private,
        "school_id": case.school_id,
        "schools": list(case.schools),
        "partners": list(case.partners),
        "rules": list(case.rules),
        "starts_at": instant(case.starts_at),
        "opened_at": instant(case.opened_at),
        "updated_at": instant(case.updated_at),
        "flags": case.flags,
        "pending": case.pending,
        "version": case.version,
    }


class EventModel(_Model):
    """One thing that was done about a case."""

    number: int
    kind: EventKind
    at: Moment
    by: str
    choice: str
    note: str
    flags: list[FlagId]

    @classmethod
    def of(cls, event: CaseEvent) -> EventModel:
        """The model of an event."""
        return cls(
            number=event.number,
            kind=event.kind,
            at=instant(event.at),
            by=event.by,
            choice=event.choice,
            note=event.note,
            flags=[step.flag_id for step in event.steps],
        )


class CaseDetail(_Model):
    """A case with its flags and what was done about it."""

    case: CaseModel
    flags: list[FlagModel]
    events: list[EventModel]


class CaseList(_Model):
    """Some cases; `next` is the `after` of the next page, null on the last."""

    cases: list[CaseModel]
    next: str | None


class FlagList(_Model):
    """Some flags, the last opened first; `next` as for cases."""

    flags: list[FlagModel]
    next: str | None


class CoverageModel(_Model):
    """How much is watched at present."""

    complete: bool
    calendars_read: int
    calendars_failed: int
    meetings_checked: int
    conferences_seen: int
    undecided: int
    audit_lag_seconds: int | None
    problems: list[str]

    @classmethod
    def of(cls, coverage: Coverage) -> CoverageModel:
        """The model of a coverage."""
        return cls(
            complete=coverage.is_complete,
            calendars_read=coverage.calendars_read,
            calendars_failed=coverage.calendars_failed,
            meetings_checked=coverage.meetings_checked,
            conferences_seen=coverage.conferences_seen,
            undecided=coverage.undecided,
            audit_lag_seconds=coverage.audit_lag_seconds,
            problems=list(coverage.problems),
        )


class DecisionBody(_Model):
    """A decision of an officer, passed on."""

    decision: Annotated[
        Literal["acknowledged", "upheld", "dismissed"], Field(alias="as", description="What")
    ]
    reason: Annotated[Word, Field(description="A reason code, see `meetbot flags decide --help`")]
    note: Annotated[str, StringConstraints(max_length=1000)] = ""
    by: Annotated[Word, Field(description="Address of the officer")]


class DecisionAnswer(_Model):
    """What was done. `proposed`: another officer has to confirm it."""

    case: CaseModel
    event: EventModel
    proposed: bool


Limit = Annotated[int, Field(ge=1, le=_MOST)]


class CaseFilter(_Model):
    """Which cases; everything given must fit."""

    after: Annotated[
        str | None,
        Field(pattern=rf"^[0-4]\.[0-9]{{1,16}}\.{CASE_ID}$", description=_PLACE),
    ] = None
    limit: Limit = 50
    status: CaseStatus | None = None
    severity: Severity | None = None
    rule: Word | None = None
    partner: Word | None = None
    school: Word | None = None
    order: Literal["newest", "severe"] = "newest"


class FlagFilter(_Model):
    """Which flags; everything given must fit."""

    after: Annotated[
        str | None, Field(pattern=rf"^[0-9]{{1,16}}\.{FLAG_ID}$", description=_PLACE)
    ] = None
    limit: Limit = 50
    status: Literal["open", "closed", "all"] = "open"
    rule: Word | None = None
