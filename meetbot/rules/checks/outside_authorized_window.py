"""Partner and students met outside the time of the meeting or of its authorization."""

from __future__ import annotations

from collections.abc import Iterator

from meetbot.domain.authorizing import AuthorizationRetroactive, Authorized
from meetbot.domain.dates import local_interval
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Concern, Evidence, Severity
from meetbot.domain.policy import Policy
from meetbot.domain.spans import Span, union
from meetbot.rules.engagements import authorization_of, engagements, sole_partner
from meetbot.rules.rule import LIVE_AND_AFTER, rule
from meetbot.rules.seconds import contact_spans, to_second, total, without


@rule(
    "outside-authorized-window",
    severity=Severity.MEDIUM,
    phases=LIVE_AND_AFTER,
    needs={Evidence.ATTENDANCE},
    wants={Evidence.CALENDAR, Evidence.REGISTRY},
    officer="{what}.",
    teacher="Extend the event before you run over.",
    fix="Note or re-authorize.",
)
def outside_authorized_window(dossier: Dossier, policy: Policy) -> Iterator[Concern]:
    """More than ten minutes before the start or after the end, even if supervised.

    Also on days other than those the authorization was given for.
    """
    if dossier.meeting is None:
        return
    what = _outside(contact_spans(dossier), dossier, policy)
    if what:
        is_sure = bool(_outside(contact_spans(dossier, is_sure=True), dossier, policy))
        yield Concern(
            subject="window",
            facts={"what": what},
            certainty=Certainty.CONFIRMED if is_sure else Certainty.NEEDS_REVIEW,
            is_provisional=not dossier.is_final,
            partner_id=sole_partner(dossier),
        )


def _outside(contact: tuple[Span, ...], dossier: Dossier, policy: Policy) -> str:
    if not contact:
        return ""
    return _outside_schedule(contact, dossier, policy) or _outside_days(contact, dossier, policy)


def _outside_schedule(contact: tuple[Span, ...], dossier: Dossier, policy: Policy) -> str:
    over = contact[-1][1] - to_second(dossier.end_at)
    early = to_second(dossier.start_at) - contact[0][0]
    limit = policy.limits.outside_window.total_seconds()
    said = [f"Ran {over // 60} min over"] if over > limit else []
    if early > limit:
        said.append(f"Began {early // 60} min early")
    return "; ".join(said)


def _outside_days(contact: tuple[Span, ...], dossier: Dossier, policy: Policy) -> str:
    """Contact outside the local days of every authorization that covers the meeting."""
    for engagement in engagements(dossier):
        answer = authorization_of(dossier, engagement, policy)
        if isinstance(answer, Authorized):
            rows = answer.rows
        elif isinstance(answer, AuthorizationRetroactive):
            rows = (answer.row,)
        else:
            continue
        days = [local_interval(row.starts_on, row.ends_on, dossier.zone) for row in rows]
        allowed = union((to_second(d.start_at), to_second(d.end_at)) for d in days)
        outside = total(without(contact, allowed))
        if outside:
            return f"Ran {-(-outside // 60)} min outside the authorized days"
    return ""
