"""Somebody else of the staff supervised the meeting in place of the host."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from meetbot.domain.attendance import Attendance
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.people import Kind, within
from meetbot.domain.policy import Policy
from meetbot.rules.engagements import sole_partner
from meetbot.rules.exemptions import is_confidential
from meetbot.rules.rule import LIVE_AND_AFTER, rule
from meetbot.rules.seconds import is_partner, shared, spans_of
from meetbot.rules.stand_ins import is_host_absent

_MAY_BE_HOST = (Kind.UNIDENTIFIED, Kind.UNKNOWN, Kind.ROOM, Kind.EXTERNAL)


@rule(
    "substitute-supervisor",
    severity=Severity.INFO,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    wants={Evidence.CALENDAR, Evidence.GUESTS},
    officer="{role} covered for the host.",
    teacher="Tell your principal about cover.",
    fix="Note.",
)
def substitute_supervisor(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """The host was not there, and staff who are not on the guest list were there with the partner.

    Invited staff are co-teachers, not substitutes. Medium if the district names its certificated
    units and nobody who covered is in one. A host who is only late is not replaced yet.
    """
    if not is_host_absent(dossier) or is_confidential(dossier) or _may_still_come(dossier, policy):
        return
    staff = [a for a in dossier.attendances if a.kind is Kind.STAFF and _met_partner(a, dossier)]
    if not staff or any(a.is_invited for a in staff):
        return
    units = policy.certificated_units
    is_certificated = any(_is_in(a, units) for a in staff)
    is_sure = not any(a.kind in _MAY_BE_HOST for a in dossier.attendances)
    yield Concern(
        subject="cover",
        facts={"role": _role(units, is_certificated=is_certificated)},
        severity=Severity.MEDIUM if units and not is_certificated else Severity.INFO,
        certainty=Certainty.CONFIRMED if is_sure else Certainty.NEEDS_REVIEW,
        is_provisional=not dossier.is_final,
        partner_id=sole_partner(dossier),
        unknowns=() if is_sure else ("Whether the host was there without their account.",),
    )


def _may_still_come(dossier: Dossier, policy: Policy) -> bool:
    wait = timedelta(seconds=policy.thresholds.none_wait_s)
    return dossier.is_live and dossier.as_of < dossier.start_at + wait


def _met_partner(staff: Attendance, dossier: Dossier) -> bool:
    partners = spans_of(dossier, (a for a in dossier.attendances if is_partner(a)))
    return bool(shared(spans_of(dossier, [staff]), partners))


def _is_in(staff: Attendance, units: tuple[str, ...]) -> bool:
    return staff.unit_path is not None and any(within(staff.unit_path, unit) for unit in units)


def _role(units: tuple[str, ...], *, is_certificated: bool) -> str:
    if not units:
        return "Another staff member"
    return "Certificated staff" if is_certificated else "Staff outside the certificated units"
