"""Somebody was in the call whom nobody can name."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from datetime import timedelta

from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind
from meetbot.rules.engagements import sole_partner
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.legs import unidentified_people
from meetbot.rules.rule import LIVE_AND_AFTER, Unsure, rule
from meetbot.rules.seconds import shared, spans_of, total, without
from meetbot.rules.wording import clock, counted, listed

_WAYS = {IdentityForm.PHONE: "phone", IdentityForm.ANONYMOUS: "browser"}
_OTHER_WAY = "an account outside the district"


@rule(
    "unidentified-participant",
    severity=Severity.MEDIUM,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    officer="{n} unidentified, {duration}, by {way}.",
    teacher="Who was this? Admit only people you know.",
    fix="Host names the person; officer accepts.",
    admin="Admin console, Apps, Google Workspace, Google Meet, Meet safety settings, Domain: only "
    "users signed in with a Google account.",
)
def unidentified_participant(dossier: Dossier, policy: Policy) -> Iterator[Concern | Unsure]:
    """Anonymous, phone or unmatched for a minute or more; high with students and no staff.

    The second leg of somebody else in the call, and the line of an invited interpreter, are not
    counted. An E4 identity never confirms.
    """
    if any(person.kind is Kind.UNKNOWN for person in dossier.attendances):
        reason = "the directory could not be asked about a participant"
        yield Unsure(reason, frozenset({Evidence.DIRECTORY}))
    people = _unidentified(dossier, policy)
    if not people:
        return
    longest = max(total(spans_of(dossier, [person])) for person in people)
    ways = Counter(_WAYS.get(person.form, _OTHER_WAY) for person in people)
    yield Concern(
        subject="unidentified",
        facts={
            "n": counted(len(people), is_confidential=is_confidential(dossier)),
            "duration": clock(longest),
            "way": listed(sorted(ways)),
        },
        severity=Severity.HIGH if _was_with_students_only(people, dossier, policy) else None,
        certainty=Certainty.NEEDS_REVIEW,
        is_provisional=not dossier.is_final,
        partner_id=sole_partner(dossier),
    )


def _unidentified(dossier: Dossier, policy: Policy) -> list[Attendance]:
    people: list[Attendance] = []
    for person in unidentified_people(dossier, policy, lines_of={ExemptionKind.INTERPRETER}):
        seen = timedelta(seconds=total(spans_of(dossier, [person])))
        if seen and seen >= policy.limits.unidentified:
            people.append(person)
    return people


def _was_with_students_only(people: list[Attendance], dossier: Dossier, policy: Policy) -> bool:
    def spans(kind: Kind) -> tuple[tuple[int, int], ...]:
        return spans_of(dossier, (a for a in dossier.attendances if a.kind is kind))

    together = shared(spans_of(dossier, people), spans(Kind.STUDENT))
    unsupervised = without(together, spans(Kind.STAFF))
    return any(end - start >= max(policy.thresholds.jitter_s, 1) for start, end in unsupervised)
