"""Telephones in a call: the second leg of somebody who is there, and lines of invited people."""

from __future__ import annotations

from collections.abc import Collection, Iterator

from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.dossier import Dossier
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind


def unidentified_people(
    dossier: Dossier, policy: Policy, *, lines_of: Collection[ExemptionKind]
) -> Iterator[Attendance]:
    """Unidentified participants, without second legs and without lines.

    For each invited person with one of the exemptions `lines_of` who was not seen by their own
    account, one telephone is taken to be their line.
    """
    lines = _lines(dossier, lines_of)
    for person in dossier.attendances:
        if person.kind is not Kind.UNIDENTIFIED or _is_second_leg(person, dossier, policy):
            continue
        if person.form is IdentityForm.PHONE and lines:
            lines -= 1
            continue
        yield person


def _is_second_leg(person: Attendance, dossier: Dossier, policy: Policy) -> bool:
    """Whether a phone joined so soon after exactly one attendee that it is that person's."""
    if person.form is not IdentityForm.PHONE:
        return False
    joined = [visit.start_at for visit in person.visits]
    near = [
        other
        for other in dossier.attendances
        if other.confidence is not Confidence.NONE
        and any(
            abs(at - visit.start_at) <= policy.limits.phone_leg
            for at in joined
            for visit in other.visits
        )
    ]
    return len(near) == 1


def _lines(dossier: Dossier, kinds: Collection[ExemptionKind]) -> int:
    """How many invited people of these exemptions were not seen by their own account."""
    seen = {attendance.address_key for attendance in dossier.attendances}
    return sum(
        1
        for invitee in dossier.invitees
        if invitee.exemption is not None
        and invitee.exemption.kind in kinds
        and invitee.guest.address_key not in seen
    )
