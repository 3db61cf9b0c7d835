"""Who was expected by account and did not come, and who may have come in their place.

A name that anybody can type neither clears nor confirms: what is told here always needs review.
"""

from __future__ import annotations

from meetbot.domain.attendance import Attendance
from meetbot.domain.dossier import Dossier, Invitee
from meetbot.domain.identity import are_names_compatible
from meetbot.domain.people import Kind


def is_host_absent(dossier: Dossier) -> bool:
    """Whether a staff member hosts and was not in the call by their own account.

    Staff whose address is not known may be the host.
    """
    host = dossier.host.invitee
    if host is None or not dossier.host.is_staff or _is_here(host, dossier):
        return False
    return not any(a.kind is Kind.STAFF and a.address_key is None for a in dossier.attendances)


def host_stand_in(dossier: Dossier) -> Attendance | None:
    """The one outsider or unknown participant whose name may be that of the absent host.

    Nobody where two come into question, or where the name fits another absent guest as well.
    """
    host = dossier.host.invitee
    if host is None or not is_host_absent(dossier):
        return None
    found = [a for a in dossier.attendances if _is_new_face(a) and _fits(a, host)]
    return found[0] if len(found) == 1 and _fits_nobody_else(found[0], host, dossier) else None


def partner_stand_ins(dossier: Dossier) -> tuple[tuple[Invitee, Attendance], ...]:
    """Absent registered guests, each with the one outsider of another address who may be they."""
    strangers = [a for a in dossier.attendances if _has_other_address(a)]
    pairs = []
    for invitee in dossier.outsiders:
        is_expected = invitee.kind is Kind.PARTNER and invitee.guest.response != "declined"
        if not is_expected or _is_here(invitee, dossier):
            continue
        found = [a for a in strangers if _fits(a, invitee)]
        if len(found) == 1 and _fits_nobody_else(found[0], invitee, dossier):
            pairs.append((invitee, found[0]))
    return tuple(pairs)


def _is_here(invitee: Invitee, dossier: Dossier) -> bool:
    return any(a.address_key == invitee.guest.address_key for a in dossier.attendances)


def _is_new_face(attendance: Attendance) -> bool:
    is_stranger = attendance.kind is Kind.EXTERNAL and not attendance.is_invited
    return is_stranger or attendance.kind is Kind.UNIDENTIFIED


def _has_other_address(attendance: Attendance) -> bool:
    """Whether an address is known that is no guest's: a clear one, or an obscured one."""
    if attendance.kind is Kind.EXTERNAL:
        return attendance.confidence.confirms and not attendance.is_invited
    masked = any(visit.identity.masked for visit in attendance.visits)
    return attendance.kind is Kind.UNIDENTIFIED and masked


def _fits(attendance: Attendance, invitee: Invitee) -> bool:
    return are_names_compatible(attendance.name_tokens, invitee.guest.name_tokens)


def _fits_nobody_else(attendance: Attendance, invitee: Invitee, dossier: Dossier) -> bool:
    return not any(
        other.guest.address_key != invitee.guest.address_key
        and not _is_here(other, dossier)
        and _fits(attendance, other)
        for other in dossier.invitees
    )
