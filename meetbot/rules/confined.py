"""What a flag about a confidential meeting was decided on, and nothing more (catalogue §1, §4).

Who was there is told by role and number, partners, programs and addresses by number. Left out are
the invitation, authorizations, names, and every key by which somebody could be found elsewhere.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from meetbot.domain.addresses import parse_address, parse_domain
from meetbot.domain.attendance import Attendance, Conference, Identity, Visit
from meetbot.domain.dossier import Dossier, Host, Invitee
from meetbot.domain.findings import Evidence, Verdict
from meetbot.domain.meetings import KeptGuest
from meetbot.domain.people import Kind
from meetbot.domain.policy import Policy
from meetbot.domain.registry import (
    Contract,
    Exemption,
    ExemptionKind,
    ProgramType,
    Registry,
    Row,
    School,
)
from meetbot.rules.engagements import Engagement, engagements
from meetbot.rules.evaluate import evaluate
from meetbot.rules.exemptions import expected_partners

CONFINED = frozenset({"confidential-intruder"})
"""Rules whose flags about a confidential meeting can be decided again."""
_SOURCES = (Evidence.ATTENDANCE, Evidence.GUESTS, Evidence.DIRECTORY)


def confined(dossier: Dossier, policy: Policy) -> Dossier | None:
    """The dossier with what these rules decide on; None if they would decide it otherwise."""
    small = _Confined(dossier).dossier()
    return small if _said(small, policy) == _said(dossier, policy) else None


def _said(dossier: Dossier, policy: Policy) -> Verdict:
    return replace(evaluate(dossier, policy, only=CONFINED), recheck_at=None)


class _Numbers:
    """`partner-1`, `partner-2` …: equal things have one number."""

    def __init__(self, word: str) -> None:
        self._word = word
        self._found: dict[str, str] = {}

    def __call__(self, name: str) -> str:
        return self._found.setdefault(name, f"{self._word}-{len(self._found) + 1}")

    def known(self, name: str) -> str | None:
        """The number of something that was met before."""
        return self._found.get(name)


class _Confined:
    def __init__(self, dossier: Dossier) -> None:
        self._whole = dossier
        self._person = _Numbers("person")
        self._visit = _Numbers("visit")
        self._partner = _Numbers("partner")
        self._program = _Numbers("program")
        self._contract = _Numbers("contract")
        self._mailbox = _Numbers("clinician")
        self._domain = _Numbers("domain")

    def dossier(self) -> Dossier:
        """Registry last: its rows about people count only where these are in the meeting."""
        whole = self._whole
        invitees = tuple(map(self._invitee, whole.invitees))
        attendances = tuple(map(self._attendance, whole.attendances))
        school = whole.host.school
        return Dossier(
            key=whole.key,
            phase=whole.phase,
            scope=whole.scope,
            as_of=whole.as_of,
            start_at=whole.start_at,
            end_at=whole.end_at,
            meeting=None,
            invitees=invitees,
            host=Host(None, _bare_school(school) if school else None),
            conferences=tuple(
                Conference(c.name, c.source, None, c.start_at, c.end_at) for c in whole.conferences
            ),
            attendances=attendances,
            registry=Registry.of_rows(self._rows()),
            evidence={s: whole.evidence[s] for s in _SOURCES if s in whole.evidence},
            zone=whole.zone,
            is_live=whole.is_live,
            is_final=whole.is_final,
            late_after=whole.late_after,
        )

    # --- people ---

    def _invitee(self, one: Invitee) -> Invitee:
        address = self._address(one.guest.address) if one.kind is Kind.PARTNER else None
        domain = address.rpartition("@")[2] if address else ""
        return Invitee(
            KeptGuest(self._person(one.guest.address_key), domain, address),
            one.kind,
            one.confidence,
            self._partner(one.partner_id) if one.partner_id else None,
            exemption=_bare_exemption(one.exemption),
        )

    def _attendance(self, one: Attendance) -> Attendance:
        is_partner = one.kind is Kind.PARTNER
        return Attendance(
            person_key=self._person(f"seen {one.person_key}"),
            kind=one.kind,
            confidence=one.confidence,
            visits=tuple(self._seen(visit, is_partner=is_partner) for visit in one.visits),
            partner_id=self._partner(one.partner_id) if one.partner_id else None,
            address_key=self._person(one.address_key) if one.address_key else None,
            is_invited=one.is_invited,
            form=one.form,
            exemption=_bare_exemption(one.exemption),
        )

    def _seen(self, visit: Visit[Identity], *, is_partner: bool) -> Visit[Identity]:
        address = self._address(visit.identity.address) if is_partner else None
        return Visit(
            source=visit.source,
            key=self._visit(visit.key),
            conference=visit.conference,
            participant=self._visit(f"participant {visit.participant}"),
            identity=Identity(visit.identity.form, address=address),
            start_at=visit.start_at,
            end_at=visit.end_at,
            last_seen_at=visit.last_seen_at,
            is_hull=visit.is_hull,
        )

    def _address(self, text: str | None) -> str | None:
        """`clinician-1@domain-1.invalid`: no such domain can be (RFC 2606)."""
        address = parse_address(text) if text else None
        if address is None:
            return None
        return f"{self._mailbox(address.key)}@{self._domain(address.domain)}.invalid"

    # --- registry ---

    def _rows(self) -> Iterator[Row]:
        whole = self._whole
        if whole.host.school is not None:
            for school_id in sorted(whole.registry.schools_beside(whole.host.school.school_id)):
                school = whole.registry.school(school_id)
                if school is not None:
                    yield _bare_school(school)
        expected = expected_partners(whole)
        for engagement in engagements(whole):
            if engagement.partner_id in expected:
                yield from self._of_partner(engagement)

    def _of_partner(self, engagement: Engagement) -> Iterator[Row]:
        registry, partner_id = self._whole.registry, engagement.partner_id
        label = self._partner(partner_id)
        if engagement.partner is not None:
            yield replace(engagement.partner, partner_id=label, name="")
        for certification in registry.certifications_of(partner_id):
            person = certification.person_address
            shown = self._present(person) if person else None
            if person is None or shown is not None:
                yield replace(certification, partner_id=label, person_address=shown)
        program = registry.program(engagement.program_id) if engagement.program_id else None
        if program is not None:
            number = self._program(program.program_id)
            yield replace(
                program, program_id=number, partner_id=label, name="", type=ProgramType.OTHER
            )
            for contract in registry.contracts_of(partner_id):
                if contract.program_id == program.program_id:
                    yield self._bare_contract(contract, label, number)
        for row in registry.exemptions:
            value = self._program.known(row.value) or self._present(row.value)
            if row.kind is ExemptionKind.CONFIDENTIAL_CLINICAL and value is not None:
                yield replace(row, value=value, reason="", owner="")

    def _bare_contract(self, contract: Contract, partner: str, program: str) -> Contract:
        number = self._contract(contract.contract_id)
        return replace(contract, contract_id=number, partner_id=partner, program_id=program)

    def _present(self, text: str) -> str | None:
        """The number of a clinician's address or domain; None for who is not in the meeting."""
        address = parse_address(text)
        if address is None:
            domain = self._domain.known(parse_domain(text) or text)
            return f"{domain}.invalid" if domain else None
        return self._address(text) if self._mailbox.known(address.key) else None


def _bare_school(school: School) -> School:
    return replace(school, name="", principals=(), leads=())


def _bare_exemption(row: Exemption | None) -> Exemption | None:
    return None if row is None else replace(row, value="", reason="", owner="")
