"""The five presence rules on a dossier: the supervision algebra, and what limits its certainty.

`domain.presence` decides a case; here a dossier becomes such a case, and a flag is confirmed only
if it still stands when everything is left out that may not confirm: partners recognized by name
only (E3), and times that are only an outer limit of when somebody was there.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from meetbot.domain.attendance import Attendance, Identity, Visit
from meetbot.domain.classes import PersonClass
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity, TimelineSpan
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.policy import Policy
from meetbot.domain.presence import (
    Component,
    ComponentKind,
    Presence,
    PresenceCase,
    PresenceFlag,
    PresenceRule,
    PresenceVisit,
    Totals,
    decide,
)
from meetbot.rules.exemptions import is_confidential, is_monitored_tutoring
from meetbot.rules.once import once_per_dossier
from meetbot.rules.rule import Unsure
from meetbot.rules.seconds import from_second, is_partner, to_second
from meetbot.rules.stand_ins import host_stand_in
from meetbot.rules.wording import clock, local_time, minutes

_CLASSES = {
    Kind.STAFF: PersonClass.STAFF,
    Kind.PARTNER: PersonClass.PARTNER,
    Kind.EXTERNAL: PersonClass.PARTNER,
    Kind.STUDENT: PersonClass.STUDENT,
    Kind.ROOM: PersonClass.ROOM,
    Kind.UNIDENTIFIED: PersonClass.UNIDENTIFIED,
    Kind.UNKNOWN: PersonClass.UNIDENTIFIED,
    Kind.INACTIVE: PersonClass.UNIDENTIFIED,
}
"""Exempt outsiders are nobody to the algebra. Who is suspended now and attended was active then."""

_KINDS = {
    PresenceRule.NO_STAFF_JOINED: ComponentKind.NONE,
    PresenceRule.STAFF_JOINED_LATE: ComponentKind.BEFORE,
    PresenceRule.STAFF_LEFT_EARLY: ComponentKind.AFTER,
    PresenceRule.STAFF_PRESENCE_GAP: ComponentKind.GAP,
    PresenceRule.PARTNER_ALONE_WITH_STUDENT: ComponentKind.ALONE,
}


@dataclass(frozen=True, slots=True)
class _Decisions:
    """The case as it stands, without what may not confirm, and for the hidden class alone."""

    whole: Presence
    strict: Presence
    hidden: Presence
    """Without unregistered outsiders whom nobody invited: they bring no hidden class."""

    @property
    def all(self) -> tuple[Presence, Presence, Presence]:
        return (self.whole, self.strict, self.hidden)


# --- From dossier to case -----------------------------------------------------------------------


@once_per_dossier
def _decisions(dossier: Dossier, policy: Policy) -> _Decisions:
    present = _as_unidentified(host_stand_in(dossier), dossier.attendances)
    whole = strict = hidden = decide(_case(dossier, policy, present))
    if any(map(_is_unsure, present)):
        strict = decide(_case(dossier, policy, present, is_strict=True))
    brought = tuple(a for a in present if not _is_uninvited_stranger(a))
    if len(brought) != len(present):
        hidden = decide(_case(dossier, policy, brought))
    return _Decisions(whole, strict, hidden)


def _as_unidentified(
    stand_in: Attendance | None, present: tuple[Attendance, ...]
) -> tuple[Attendance, ...]:
    """An outsider who bears the absent host's name may be the host (`staff-unexpected-account`)."""
    if stand_in is None or stand_in.kind is Kind.UNIDENTIFIED:
        return present
    unknown = replace(stand_in, kind=Kind.UNIDENTIFIED)
    return tuple(unknown if a is stand_in else a for a in present)


def _is_unsure(attendance: Attendance) -> bool:
    """Whether something of this attendance may not confirm a flag."""
    person_class = _class_of(attendance, is_strict=False)
    return person_class is not _class_of(attendance, is_strict=True) or any(
        person_class is not None and _is_outer_limit(visit, person_class)
        for visit in attendance.visits
    )


def _is_uninvited_stranger(attendance: Attendance) -> bool:
    return attendance.kind is Kind.EXTERNAL and not attendance.is_invited


def _case(
    dossier: Dossier,
    policy: Policy,
    attendances: tuple[Attendance, ...],
    *,
    is_strict: bool = False,
) -> PresenceCase:
    return PresenceCase(
        visits=tuple(
            _visit(attendance, visit, person_class)
            for attendance in attendances
            if (person_class := _class_of(attendance, is_strict=is_strict)) is not None
            for visit in attendance.visits
            if not (is_strict and _is_outer_limit(visit, person_class))
        ),
        conference=tuple(
            (to_second(c.start_at), to_second(c.end_at) if c.end_at else None)
            for c in dossier.conferences
        ),
        observed_at=to_second(dossier.as_of) if dossier.is_live else None,
        thresholds=policy.thresholds,
    )


def _class_of(attendance: Attendance, *, is_strict: bool) -> PersonClass | None:
    person_class = _CLASSES.get(attendance.kind)
    if person_class is not PersonClass.PARTNER:
        return person_class
    is_sure = attendance.confidence.confirms
    if is_partner(attendance) and (is_sure or not is_strict):
        return PersonClass.PARTNER
    return PersonClass.UNIDENTIFIED


def _is_outer_limit(visit: Visit[Identity], person_class: PersonClass) -> bool:
    """Whether a time from first join to last leave hides when a partner or student was away."""
    return visit.is_hull and person_class in (PersonClass.PARTNER, PersonClass.STUDENT)


def _visit(
    attendance: Attendance, visit: Visit[Identity], person_class: PersonClass
) -> PresenceVisit:
    return PresenceVisit(
        # One class per person, whatever a source says (A12).
        person=f"{person_class}:{attendance.person_key}",
        person_class=person_class,
        start=to_second(visit.start_at),
        end=to_second(visit.end_at) if visit.end_at else None,
        last_seen=to_second(visit.last_seen_at) if visit.last_seen_at else None,
    )


# --- What one rule says -------------------------------------------------------------------------


def presence_concerns(
    rule: PresenceRule, dossier: Dossier, policy: Policy
) -> Iterator[Concern | Unsure]:
    """The flag of one presence rule, if any; nothing where no call was held or it is exempt."""
    if not _applies(rule, dossier, policy):
        return
    decisions = _decisions(dossier, policy)
    is_looked_up = all(a.kind is not Kind.UNKNOWN for a in dossier.attendances)
    flag = next((f for f in decisions.whole.flags if f.rule is rule), None)
    concern = _concern(flag, decisions, dossier) if flag else None
    if concern and (is_looked_up or concern.certainty is Certainty.CONFIRMED):
        yield concern
    if not is_looked_up:
        reason = "the directory could not be asked about a participant"
        yield Unsure(reason, frozenset({Evidence.DIRECTORY}))


def _applies(rule: PresenceRule, dossier: Dossier, policy: Policy) -> bool:
    if not dossier.conferences or is_confidential(dossier):
        return False
    is_alone = rule is PresenceRule.PARTNER_ALONE_WITH_STUDENT
    return not (is_alone and is_monitored_tutoring(dossier, policy))


def _concern(flag: PresenceFlag, decisions: _Decisions, dossier: Dossier) -> Concern | None:
    answer, severity = decisions.whole, flag.severity
    certainty = flag.confidence
    if flag.hidden_class_only:
        answer = decisions.hidden
        if not any(f.rule is flag.rule and f.hidden_class_only for f in answer.flags):
            return None
    is_certain = certainty is Certainty.CONFIRMED
    if is_certain:
        sure = _confirmed(flag.rule, decisions.strict)
        certainty = Certainty.CONFIRMED if sure else Certainty.NEEDS_REVIEW
        severity = min(severity, sure or severity, key=lambda s: s.rank)
    components = answer.certain if is_certain else answer.possible
    own = tuple(c for c in components if c.kind is _KINDS[flag.rule])
    partners = _partners_present(dossier) or dossier.partner_ids
    return Concern(
        subject="presence",
        facts=_facts(flag.rule, components, own, dossier),
        severity=severity,
        certainty=certainty,
        is_provisional=flag.provisional or not dossier.is_final,
        partner_id=partners[0] if len(partners) == 1 else None,
        spans=tuple(
            TimelineSpan(str(c.kind), from_second(c.start), from_second(c.end)) for c in own
        ),
        unknowns=() if certainty is Certainty.CONFIRMED else tuple(_unknowns(flag, dossier)),
    )


def _confirmed(rule: PresenceRule, answer: Presence) -> Severity | None:
    flags = (f for f in answer.flags if f.rule is rule and f.confidence is Certainty.CONFIRMED)
    return next((f.severity for f in flags), None)


def _partners_present(dossier: Dossier) -> tuple[str, ...]:
    ids = {a.partner_id for a in dossier.attendances if is_partner(a) and a.partner_id}
    return tuple(sorted(ids))


def _facts(
    rule: PresenceRule,
    components: tuple[Component, ...],
    own: tuple[Component, ...],
    dossier: Dossier,
) -> dict[str, object]:
    """Only what this rule's sentence and its reader need."""
    totals = Totals.of(components)
    seconds = sum(component.seconds for component in own)
    facts: dict[str, object] = {"seconds": seconds, "duration": clock(seconds)}
    if rule is PresenceRule.NO_STAFF_JOINED:
        facts["n"] = minutes(seconds)
    if rule is PresenceRule.STAFF_LEFT_EARLY:
        facts["t"] = local_time(_staff_left_at(own, dossier), dossier.zone)
    if rule is PresenceRule.STAFF_PRESENCE_GAP:
        facts["n"] = totals.gaps
        facts["gaps"] = "1 gap" if totals.gaps == 1 else f"{totals.gaps} gaps"
        facts["longest"] = clock(totals.longest_gap)
    return facts


def _staff_left_at(own: tuple[Component, ...], dossier: Dossier) -> datetime:
    """The last moment staff were seen before the first stretch without them, or its start.

    Its start where a room device or an unknown participant stood for them.
    """
    first = from_second(own[0].start)
    ends = (
        visit.end_at or visit.last_seen_at or visit.start_at
        for attendance in dossier.attendances
        if attendance.kind is Kind.STAFF
        for visit in attendance.visits
    )
    return max((end for end in ends if end <= first), default=first)


def _unknowns(flag: PresenceFlag, dossier: Dossier) -> Iterator[str]:
    """Why a flag needs review, in sentences."""
    present = dossier.attendances
    if flag.hidden_class_only:
        yield "No student account was seen; a class may have shared one screen."
    if host_stand_in(dossier) is not None:
        yield "Whether the participant who bears the host's name is the host."
    if any(_CLASSES.get(a.kind) is PersonClass.UNIDENTIFIED for a in present):
        yield "Who the unidentified participants were; one of them may have been staff."
    if any(a.kind is Kind.ROOM for a in present):
        yield "Who sat in front of the room device."
    if any(is_partner(a) and a.confidence is Confidence.COMPATIBLE for a in present):
        yield "Whether the outside guest recognized by name only is who they seem to be."
    if any(v.end_at is None and not dossier.is_live for a in present for v in a.visits):
        yield "When somebody left whose leaving was not recorded."
    if any(v.is_hull for a in present for v in a.visits):
        yield "Whether somebody was away between first joining and last leaving."


# --- Live ---------------------------------------------------------------------------------------


def waiting_without_staff(dossier: Dossier, policy: Policy) -> timedelta:
    """For how long partner and students have been together without staff up to now.

    Zero when the call is not running, somebody who could be staff is there, or the meeting is
    exempt. The nudge to the host rests on it, so partners known by name only count too.
    """
    if not dossier.is_live or is_confidential(dossier):
        return timedelta(0)
    now = to_second(dossier.as_of)
    certain = _decisions(dossier, policy).whole.certain
    open_now = (c.seconds for c in certain if c.end == now)
    return timedelta(seconds=max(open_now, default=0))


def contact_totals(dossier: Dossier, policy: Policy) -> tuple[Totals, Totals]:
    """Seconds of contact without staff by kind: certain, and possible."""
    whole = _decisions(dossier, policy).whole
    return Totals.of(whole.certain), Totals.of(whole.possible)


def presence_recheck(dossier: Dossier, policy: Policy) -> datetime | None:
    """When the presence rules say something else if everything open stays open."""
    is_off = not any(policy.switch(rule).is_enabled for rule in PresenceRule)
    if is_off or not dossier.is_live or not dossier.conferences or is_confidential(dossier):
        return None
    seconds = [answer.recheck_at for answer in _decisions(dossier, policy).all]
    return min((from_second(s) for s in seconds if s is not None), default=None)
