"""Partner status: registration, look-alikes, contracts, certification, pauses, flyers."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from meetbot.domain.addresses import parse_domain
from meetbot.domain.dossier import Dossier
from meetbot.domain.findings import Certainty, Evidence, Phase, Severity
from meetbot.domain.meetings import Scope
from meetbot.domain.people import Confidence, Kind
from meetbot.domain.policy import Limits, Policy
from meetbot.domain.registry import (
    Activity,
    Certification,
    Contract,
    ExemptionKind,
    Identity,
    IdentityKind,
    PartnerKind,
    Program,
    ProgramType,
)
from tests.dossiers import (
    CERTIFICATION,
    CLASS,
    CONTRACT,
    HOST,
    LINCOLN,
    NORTHSTAR,
    PARTNER,
    PROGRAM,
    STRANGER,
    YEAR,
    a_dossier,
    a_guest,
    a_registry,
    a_student,
    an_exemption,
    an_invitee,
    found,
    held,
    is_undecided,
    judge,
    partner,
    staff,
    stranger,
    students,
    the,
    without,
)


def on(start: datetime, minutes: int, **changes: Any) -> Dossier:
    """The clean meeting at another time."""
    times = {"start_at": start, "end_at": start + timedelta(minutes=minutes)}
    return a_dossier(meeting=times, as_of=start - timedelta(days=5), **changes)


# --- partner-unregistered -----------------------------------------------------------------------


def test_an_outsider_whom_nobody_knows_is_flagged_by_domain() -> None:
    """Two people of one unregistered organization are one flag, named by the domain."""
    other = an_invitee(Kind.EXTERNAL, "other@elsewhere.example")
    finding = the("partner-unregistered", a_dossier((HOST, STRANGER, other, *CLASS)))

    assert finding.concern.subject == "elsewhere.example"
    assert finding.severity is Severity.HIGH
    assert finding.concern.certainty is Certainty.CONFIRMED
    assert finding.message == "External guest at elsewhere.example is not in the registry."
    assert finding.advice == "This guest is not an approved partner yet."


def test_free_mail_outsiders_are_one_flag_each() -> None:
    """A free-mail host is no organization: each person has a flag, without the address."""
    people = [
        an_invitee(Kind.EXTERNAL, "a@gmail.com", guest=a_guest("a@gmail.com", address_key=key))
        for key in ("11112222aaaa", "33334444bbbb")
    ]
    subjects = [
        f.concern.subject for f in found("partner-unregistered", a_dossier((HOST, *people)))
    ]

    assert subjects == ["gmail.com#11112222", "gmail.com#33334444"]


def test_registered_and_exempt_outsiders_are_not_unregistered() -> None:
    """Partners, parents and interpreters are no unregistered guests."""
    parent = an_invitee(Kind.EXEMPT, "parent@gmail.com")

    assert not found("partner-unregistered", a_dossier((HOST, PARTNER, parent, *CLASS)))


@pytest.mark.parametrize("kind", [Kind.UNKNOWN, Kind.INACTIVE, Kind.ROOM])
def test_who_was_not_looked_up_is_no_outsider(kind: Kind) -> None:
    """Unknown, inactive and room accounts are never called unregistered."""
    assert not found("partner-unregistered", a_dossier((HOST, an_invitee(kind, "x@d.example"))))


def test_the_name_of_a_registered_person_needs_review() -> None:
    """A free-mail account with a registered person's full name may be that person's own."""
    people = a_registry(
        identities=(
            Identity("northstar", IdentityKind.ADDRESS, "dreyes@partner.example", "Dana Reyes"),
        )
    )
    own = an_invitee(Kind.EXTERNAL, "dana.reyes84@gmail.com")
    other = an_invitee(Kind.EXTERNAL, "dana.white@gmail.com")

    review = the("partner-unregistered", a_dossier((HOST, own, *CLASS), registry=people))
    sure = the("partner-unregistered", a_dossier((HOST, other, *CLASS), registry=people))

    assert review.concern.certainty is Certainty.NEEDS_REVIEW
    assert sure.concern.certainty is Certainty.CONFIRMED


def test_a_mailing_list_needs_review() -> None:
    """Who is on an outside mailing list cannot be known, so it is never confirmed."""
    group = an_invitee(Kind.EXTERNAL, "friends@googlegroups.com")

    finding = the("partner-unregistered", a_dossier((HOST, group, *CLASS)))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


def test_a_meeting_of_adults_gives_one_low_line_per_domain() -> None:
    """Adult scope: low, needs review, and no other rule says anything."""
    dossier = a_dossier(
        (HOST, STRANGER),
        scope=Scope.ADULT,
        meeting={"guests_can_invite": True, "organizer": STRANGER.guest},
    )

    (finding,) = judge(dossier).findings

    assert (finding.rule, finding.severity) == ("partner-unregistered", Severity.LOW)
    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


def test_an_uninvited_stranger_in_the_call_is_unregistered_too() -> None:
    """Presence counts like an invitation."""
    dossier = held(staff((0, 45)), stranger((1, 40)), *students((0, 45)))

    assert the("partner-unregistered", dossier).concern.subject == "elsewhere.example"


def test_a_half_read_guest_list_is_no_pass() -> None:
    """What is seen is flagged, but without the whole list the rule is undecided."""
    dossier = a_dossier(evidence=without(Evidence.GUESTS))

    assert is_undecided("partner-unregistered", dossier)
    assert found("partner-unregistered", replace(dossier, invitees=(HOST, STRANGER)))


def test_without_a_registry_nobody_is_accused() -> None:
    """A registry that was never read makes the rule undecided, without findings."""
    dossier = a_dossier((HOST, STRANGER), evidence=without(Evidence.REGISTRY))

    assert not found("partner-unregistered", dossier)
    assert is_undecided("partner-unregistered", dossier)


# --- partner-lookalike-domain -------------------------------------------------------------------


def test_a_lookalike_domain_names_the_partner_it_imitates() -> None:
    """An invited look-alike (vector I3) is flagged with the imitated partner."""
    fake = an_invitee(Kind.EXTERNAL, "guide@xn--prtner-4ve.example", lookalike_of="northstar")

    finding = the("partner-lookalike-domain", a_dossier((HOST, fake, *CLASS)))

    assert finding.concern.subject == "xn--prtner-4ve.example"
    assert finding.message == "Address imitates Northstar."


def test_a_lookalike_that_only_joined_is_found_too() -> None:
    """The registry is asked about domains of people in the call as well."""
    fake = stranger((1, 40), domain=parse_domain("p\u0430rtner.example"))

    dossier = held(staff((0, 45)), fake, *students((0, 45)))

    assert the("partner-lookalike-domain", dossier).concern.partner_id == "northstar"


def test_a_registered_form_of_a_domain_imitates_nobody() -> None:
    """A partner may register both forms of its name."""
    assert not found("partner-lookalike-domain", a_dossier((HOST, PARTNER, STRANGER, *CLASS)))


@pytest.mark.parametrize(
    ("by_address", "certainty"), [(False, Certainty.NEEDS_REVIEW), (True, Certainty.CONFIRMED)]
)
def test_a_lookalike_known_by_name_only_needs_review(
    by_address: bool, certainty: Certainty
) -> None:
    """Unless somebody else of that domain was seen by address, first or last."""
    domain = "xn--prtner-4ve.example"
    fake = an_invitee(Kind.EXTERNAL, f"guide@{domain}", lookalike_of="northstar")
    guess = replace(fake, confidence=Confidence.COMPATIBLE)
    sure = (replace(fake, guest=a_guest(f"other@{domain}")),) if by_address else ()

    for people in ((*sure, guess), (guess, *sure)):
        finding = the("partner-lookalike-domain", a_dossier((HOST, *people, *CLASS)))
        assert finding.concern.certainty is certainty


# --- contracts ----------------------------------------------------------------------------------


def test_no_contract_row_is_contract_missing() -> None:
    """Without a contract for the program; the sentence names it."""
    finding = the("contract-missing", a_dossier(registry=a_registry(contracts=())))

    assert finding.message == "No contract for College Path."
    assert finding.concern.subject == "northstar/path"
    assert finding.concern.certainty is Certainty.CONFIRMED


def test_an_unknown_program_needs_review() -> None:
    """With two programs and nothing to choose by, nothing is confirmed."""
    second = replace(PROGRAM, program_id="second", name="Second")
    registry = a_registry(programs=(PROGRAM, second), contracts=(), authorizations=())

    finding = the("contract-missing", a_dossier(registry=registry))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW
    assert finding.concern.subject == "northstar"
    assert finding.message == "No contract for this program."


def test_the_name_of_a_mental_health_program_is_withheld() -> None:
    """No sentence or fact hints at a mental-health program or its partner."""
    program = replace(PROGRAM, name="Calm Minds", type=ProgramType.MENTAL_HEALTH)
    registry = a_registry(programs=(program,), contracts=(), certifications=(), authorizations=())
    links_and_more = a_dossier(registry=registry, host=replace(a_dossier().host, invitee=PARTNER))

    verdict = judge(links_and_more)

    assert len(verdict.findings) >= 4
    for finding in verdict.findings:
        told = repr((finding.message, finding.advice, finding.fix, finding.concern.facts))
        assert "Calm" not in told
        assert "Northstar" not in told
        assert "mental" not in told


D1_CONTRACT = replace(CONTRACT, starts_on=date(2025, 8, 1), ends_on=date(2026, 6, 30))
D1_CONTRACT = replace(D1_CONTRACT, signed_on=date(2025, 8, 1))


def test_the_last_evening_of_a_contract_is_inside() -> None:
    """Vector D1: 18:30 local on the last day is after midnight UTC and still valid."""
    dossier = on(
        datetime(2026, 6, 30, 23, 30, tzinfo=UTC), 60, registry=a_registry(contracts=(D1_CONTRACT,))
    )

    assert not found("contract-expired", dossier)


def test_the_day_after_a_contract_is_expired() -> None:
    """Vector D2: midnight of the next local day."""
    dossier = on(
        datetime(2026, 7, 1, 5, tzinfo=UTC), 45, registry=a_registry(contracts=(D1_CONTRACT,))
    )

    assert the("contract-expired", dossier).message == "Contract ended 2026-06-30."
    assert not found("contract-missing", dossier)


def test_an_adjacent_renewal_continues_a_contract() -> None:
    """Renewal rows next to each other are one contract."""
    renewed = replace(
        CONTRACT, contract_id="c2", starts_on=date(2026, 7, 1), signed_on=date(2026, 6, 1)
    )
    registry = a_registry(contracts=(D1_CONTRACT, renewed))
    dossier = on(datetime(2026, 7, 1, 4, 30, tzinfo=UTC), 60, registry=registry)

    assert not found("contract-expired", dossier)
    assert not found("contract-not-started", dossier)


@pytest.mark.parametrize(
    ("contract", "message"),
    [
        (
            replace(CONTRACT, starts_on=date(2026, 10, 14)),
            "Contract starts 2026-10-14, meeting 2026-10-13.",
        ),
        (replace(CONTRACT, signed_on=None), "Contract starts once it is signed, meeting"),
        (
            replace(CONTRACT, signed_on=date(2026, 10, 20)),
            "Contract starts 2026-10-20, meeting 2026-10-13.",
        ),
    ],
)
def test_a_contract_counts_from_first_day_or_signature(contract: Contract, message: str) -> None:
    """Later first day, missing or later signature: not started. A late signature starts late."""
    finding = the("contract-not-started", a_dossier(registry=a_registry(contracts=(contract,))))

    assert finding.message.startswith(message)


def test_a_contract_that_starts_today_has_started() -> None:
    """The first local day counts in full."""
    contract = replace(CONTRACT, starts_on=date(2026, 10, 13), signed_on=date(2026, 10, 13))

    assert not found("contract-not-started", a_dossier(registry=a_registry(contracts=(contract,))))


def test_a_contract_for_another_school_is_out_of_scope() -> None:
    """Valid in time, for other schools: medium, and the schools are named."""
    contract = replace(CONTRACT, school_ids=("washington",))

    finding = the("contract-scope", a_dossier(registry=a_registry(contracts=(contract,))))

    assert finding.message == "Contract covers Washington School."
    assert finding.severity is Severity.MEDIUM


def test_district_wide_and_shared_buildings_are_in_scope() -> None:
    """`*` covers every school, and a school in the same unit is covered too."""
    everywhere = replace(CONTRACT, school_ids=("*",))
    neighbor = replace(LINCOLN, school_id="annex")
    beside = replace(CONTRACT, school_ids=("annex",))
    for registry in (
        a_registry(contracts=(everywhere,)),
        a_registry(contracts=(beside,), schools=(LINCOLN, neighbor)),
    ):
        assert not found("contract-scope", a_dossier(registry=registry))


# --- certification ------------------------------------------------------------------------------


def test_no_certification_is_missing() -> None:
    """Neither the organization nor a person has one."""
    finding = the("certification-missing", a_dossier(registry=a_registry(certifications=())))

    assert finding.message == "Certification not on file."
    assert finding.concern.subject == "northstar"


def test_a_person_may_be_certified_for_themselves() -> None:
    """A certification of the person suffices where the organization has none."""
    own = Certification("northstar", "Guide@partner.example", *YEAR)

    assert not found("certification-missing", a_dossier(registry=a_registry(certifications=(own,))))


def test_personal_clearance_asks_each_person() -> None:
    """With personal clearance the organization's certification is not enough."""
    policy = Policy(limits=Limits(personal_clearance=True))

    assert the("certification-missing", a_dossier(), policy)
    assert not found("certification-missing", a_dossier())


@pytest.mark.parametrize(
    ("expires_on", "fires"), [(date(2026, 10, 12), True), (date(2026, 10, 13), False)]
)
def test_a_certification_must_hold_for_the_whole_meeting(expires_on: date, fires: bool) -> None:
    """Expired the day before fires; expiring on the day does not."""
    row = replace(CERTIFICATION, expires_on=expires_on)
    findings = found("certification-expired", a_dossier(registry=a_registry(certifications=(row,))))

    assert bool(findings) is fires
    for finding in findings:
        assert finding.message == finding.advice == "Certification lapsed 2026-10-12."


def test_a_renewed_certification_is_not_expired() -> None:
    """Rows next to each other are one."""
    before = replace(CERTIFICATION, expires_on=date(2026, 10, 12))
    after = replace(CERTIFICATION, certified_on=date(2026, 10, 13))
    registry = a_registry(certifications=(before, after))

    assert not found("certification-expired", a_dossier(registry=registry))


def test_a_certification_that_comes_later_did_not_lapse() -> None:
    """The sentence says when it starts."""
    row = replace(CERTIFICATION, certified_on=date(2026, 10, 20))
    finding = the("certification-expired", a_dossier(registry=a_registry(certifications=(row,))))

    assert finding.message == "Certification starts only on 2026-10-20."


# --- program-paused, flyer-only-program ---------------------------------------------------------


@pytest.mark.parametrize(
    ("partner_row", "program"),
    [
        (NORTHSTAR, replace(PROGRAM, status=Activity.PAUSED)),
        (replace(NORTHSTAR, status=Activity.PAUSED), PROGRAM),
    ],
)
def test_a_paused_program_or_organization_may_not_meet(partner_row: Any, program: Program) -> None:
    """Either one paused is enough, contract or not."""
    registry = a_registry(partners=(partner_row,), programs=(program,))

    assert the("program-paused", a_dossier(registry=registry)).severity is Severity.HIGH


@pytest.mark.parametrize("kind", [PartnerKind.LEASE, PartnerKind.PERMIT])
def test_paused_tenants_may_meet_only_under_a_contract(kind: PartnerKind) -> None:
    """Judged by program: a paused tenant's contracted program may meet."""
    tenant = replace(NORTHSTAR, kind=kind, status=Activity.PAUSED)

    paused = a_dossier(registry=a_registry(partners=(tenant,), contracts=()))
    contracted = a_dossier(registry=a_registry(partners=(tenant,)))

    assert the("program-paused", paused).message == "Lease/permit programs are paused."
    assert not found("program-paused", contracted)


@pytest.mark.parametrize("kind", [PartnerKind.LEASE, PartnerKind.PERMIT])
def test_a_tenant_that_the_registry_calls_active_is_not_paused(kind: PartnerKind) -> None:
    """Nobody is told that something is paused which the registry says is not."""
    tenant = replace(NORTHSTAR, kind=kind)

    dossier = a_dossier(registry=a_registry(partners=(tenant,), contracts=()))

    assert not found("program-paused", dossier)
    assert found("contract-missing", dossier)


def test_one_paused_program_of_several_needs_review() -> None:
    """Where the program is unknown and only one of them is paused."""
    second = replace(PROGRAM, program_id="second", status=Activity.PAUSED)
    registry = a_registry(programs=(PROGRAM, second), contracts=(), authorizations=())

    finding = the("program-paused", a_dossier(registry=registry))

    assert finding.concern.certainty is Certainty.NEEDS_REVIEW


def test_where_every_program_is_paused_it_matters_not_which_it_is() -> None:
    """Confirmed, though the program is not known."""
    paused = replace(PROGRAM, status=Activity.PAUSED)
    second = replace(paused, program_id="second")
    registry = a_registry(programs=(paused, second), contracts=(), authorizations=())

    finding = the("program-paused", a_dossier(registry=registry))

    assert finding.concern.certainty is Certainty.CONFIRMED
    assert finding.concern.program_id is None


def test_a_contract_for_another_program_lets_no_tenant_meet() -> None:
    """Judged by program: the one that is held has none of its own."""
    tenant = replace(NORTHSTAR, kind=PartnerKind.LEASE, status=Activity.PAUSED)
    second = replace(PROGRAM, program_id="second")
    other = replace(CONTRACT, program_id="second")
    registry = a_registry(partners=(tenant,), programs=(PROGRAM, second), contracts=(other,))

    assert the("program-paused", a_dossier(registry=registry)).concern.program_id == "path"


COMMUNITY = a_registry(partners=(replace(NORTHSTAR, kind=PartnerKind.COMMUNITY),))


def test_a_community_program_reaches_families_by_flyer_only() -> None:
    """With students invited it is flagged, in the same words for officer and teacher."""
    finding = the("flyer-only-program", a_dossier(registry=COMMUNITY))

    assert finding.severity is Severity.MEDIUM
    assert finding.message == finding.advice
    assert finding.message == "Community programs reach families only through the flyer page."


def test_any_program_of_a_community_partner_is_flyer_only() -> None:
    """Confirmed, though which of them it is is not known."""
    second = replace(PROGRAM, program_id="second")
    registry = replace(COMMUNITY, programs=(PROGRAM, second), contracts=(), authorizations=())

    concern = the("flyer-only-program", a_dossier(registry=registry)).concern

    assert (concern.certainty, concern.program_id) == (Certainty.CONFIRMED, None)


def test_a_parent_makes_it_a_family_meeting() -> None:
    """Parents are families, though exempt as outsiders."""
    parent = an_invitee(Kind.EXEMPT, "parent@gmail.com")

    assert the("flyer-only-program", a_dossier((HOST, PARTNER, parent), registry=COMMUNITY))


def test_a_call_of_staff_and_community_partner_is_fine() -> None:
    """A staff-only information call is no family meeting."""
    dossier = a_dossier((HOST, PARTNER), registry=COMMUNITY)

    assert not found("flyer-only-program", dossier)
    assert not is_undecided("flyer-only-program", dossier)


def test_a_guest_nobody_could_look_up_leaves_it_open() -> None:
    """An unknown guest may be a student: undecided."""
    unknown = an_invitee(Kind.UNKNOWN, "x@district.example", confidence=Confidence.NONE)

    assert is_undecided(
        "flyer-only-program", a_dossier((HOST, PARTNER, unknown), registry=COMMUNITY)
    )


def test_registry_rules_speak_of_partners_who_came_uninvited() -> None:
    """A partner who is present only is judged like an invited one."""
    dossier = held(
        staff((0, 45)),
        partner((0, 45), is_invited=False),
        *students((0, 45)),
        invitees=(HOST, a_student()),
        registry=a_registry(contracts=()),
    )

    assert the("contract-missing", dossier).phase is Phase.AFTER


def test_exemptions_do_not_suppress_registry_rules() -> None:
    """A tutoring exemption changes nothing about contract or certification."""
    registry = a_registry(
        certifications=(),
        exemptions=(an_exemption(ExemptionKind.MONITORED_TUTORING),),
    )

    assert the("certification-missing", a_dossier(registry=registry))


def test_one_sure_address_of_an_organization_confirms_its_flag() -> None:
    """A second person known by name only takes nothing away."""
    guessed = stranger((0, 45), confidence=Confidence.COMPATIBLE)
    dossier = held(staff((0, 45)), guessed, *students((0, 45)))
    both = replace(dossier, invitees=(HOST, STRANGER, *CLASS))

    assert the("partner-unregistered", dossier).concern.certainty is Certainty.NEEDS_REVIEW
    assert the("partner-unregistered", both).concern.certainty is Certainty.CONFIRMED


def test_the_name_of_any_registered_person_is_recognized() -> None:
    """Rows without a person's name, or with another's, do not hide the one that fits."""
    rows = (
        Identity("northstar", IdentityKind.DOMAIN, "partner.example"),
        Identity("northstar", IdentityKind.ADDRESS, "d@partner.example", "Dana Reyes"),
        Identity("northstar", IdentityKind.ADDRESS, "a@partner.example", "Ana"),
    )
    own = an_invitee(Kind.EXTERNAL, "danareyes@gmail.com")
    dossier = a_dossier((HOST, own, *CLASS), registry=a_registry(identities=rows))

    assert the("partner-unregistered", dossier).concern.certainty is Certainty.NEEDS_REVIEW
