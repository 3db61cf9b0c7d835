"""What is kept of a confidential meeting of which a flag speaks: enough to decide, and no more."""

from __future__ import annotations

from dataclasses import replace

import pytest

from meetbot.domain.attendance import Attendance, IdentityForm
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Evidence
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.platforms import Platform, PlatformLink
from meetbot.domain.policy import Policy
from meetbot.domain.registry import ExemptionKind
from meetbot.rules import CONFINED, confined, evaluate, is_confidential
from meetbot.store.columns import dump
from tests.dossiers import (
    HOST,
    an_attendance,
    an_exemption,
    an_invitee,
    partner,
    running,
    somebody,
    staff,
    stranger,
    without,
)
from tests.unit.rules.test_confidential_rules import (
    CLINIC,
    CLINICAL,
    CLINICIAN_HOSTS,
    INVITED,
    OTHER_PARTNER,
    exempt,
    session,
    the_student,
)

POLICY = Policy()
GUARDIAN = an_invitee(
    Kind.EXEMPT,
    "mum@home.example",
    exemption=an_exemption(ExemptionKind.GUARDIAN, "mum@home.example"),
)
PHONE = somebody((10, 45), form=IdentityForm.PHONE)
LIVE = running(
    11,
    partner((0, None)),
    the_student((0, None)),
    staff((10, None)),
    registry=CLINIC,
    invitees=INVITED,
    host=CLINICIAN_HOSTS,
)


@pytest.mark.parametrize(
    "dossier",
    [
        session(staff((10, 11))),
        session(stranger((10, 11))),
        session(partner((10, 11), **OTHER_PARTNER)),
        session(somebody((10, 11))),
        session(partner((10, 11), person="p2", address_key="colleague", is_invited=False)),
        session(an_attendance("k2", Kind.STUDENT, (10, 20)), evidence=without(Evidence.GUESTS)),
        session(PHONE, invitees=(*INVITED, GUARDIAN)),
        session(PHONE, exempt(ExemptionKind.GUARDIAN, (0, 45)), invitees=(*INVITED, HOST)),
        session(an_attendance("q", Kind.UNKNOWN, (0, 45), confidence=Confidence.NONE)),
        session(
            staff((10, 11)),
            registry=replace(CLINIC, exemptions=(replace(CLINICAL, value="partner.example"),)),
        ),
        session(
            staff((10, 11)),
            registry=replace(
                CLINIC, exemptions=(replace(CLINICAL, value="guide@partner.example"),)
            ),
        ),
        session(),
        LIVE,
    ],
    ids=[
        "staff", "outsider", "another partner", "anonymous", "colleague", "list cut",
        "guardian's line", "guardian and a phone", "not looked up", "by domain", "by address",
        "clean", "live",
    ],
)  # fmt: skip
def test_it_decides_as_the_whole_dossier(dossier: Dossier) -> None:
    """The same findings and the same doubts, of a meeting that is confidential still."""
    small = confined(dossier, POLICY)

    assert small is not None
    assert is_confidential(small) == is_confidential(dossier)
    one, other = (evaluate(d, POLICY, only=CONFINED) for d in (small, dossier))
    assert (one.findings, one.undecided, one.decided) == (
        other.findings,
        other.undecided,
        other.decided,
    )


@pytest.mark.parametrize("extra", [staff((10, 11)), partner((10, 11), **OTHER_PARTNER)])
def test_nobody_and_no_service_is_named_in_it(extra: Attendance) -> None:
    """No address, key, name or title of a person, partner, program or school."""
    dossier = session(extra)
    small = confined(dossier, POLICY)
    assert small is not None
    text = dump(Dossier, small).lower()

    known = [i.guest.address_key for i in dossier.invitees]
    known += [i.guest.domain for i in dossier.invitees if i.guest.domain]
    known += [a.person_key for a in dossier.attendances if len(a.person_key) > 2]
    for row in dossier.registry.all_rows():
        known += [
            str(getattr(row, name))
            for name in ("name", "partner_id", "program_id", "contract_id")
            if getattr(row, name, None)
        ]
    assert len(known) > 8
    assert [word for word in known if f'"{word.lower()}' in text] == []
    assert {(row.reason, row.owner) for row in small.registry.exemptions} == {("", "")}
    assert small.meeting is None
    assert (small.registry.authorizations, small.registry.identities) == ((), ())


def test_what_it_could_not_decide_alike_is_not_kept() -> None:
    """An exemption for Zoom holds by the link in the invitation, which is left out."""
    link = PlatformLink(Platform.ZOOM, "zoom.us")
    dossier = session(
        staff((10, 11)),
        meeting={"links": (link,)},
        registry=replace(CLINIC, exemptions=(replace(CLINICAL, platform=Platform.ZOOM),)),
    )
    assert is_confidential(dossier)
    assert confined(dossier, POLICY) is None
