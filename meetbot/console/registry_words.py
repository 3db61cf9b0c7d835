"""The registry's files, columns and words as the pages call them."""

from __future__ import annotations

from flask_babel import lazy_gettext
from flask_babel.speaklater import LazyString

from meetbot.domain.registry import RegistryFile

FILES: dict[RegistryFile, LazyString] = {
    RegistryFile.SCHOOLS: lazy_gettext("Schools and departments"),
    RegistryFile.PARTNERS: lazy_gettext("Partners"),
    RegistryFile.PROGRAMS: lazy_gettext("Programs"),
    RegistryFile.IDENTITIES: lazy_gettext("Addresses and domains"),
    RegistryFile.CONTRACTS: lazy_gettext("Contracts"),
    RegistryFile.CERTIFICATIONS: lazy_gettext("Certifications"),
    RegistryFile.AUTHORIZATIONS: lazy_gettext("Authorizations"),
    RegistryFile.EXEMPTIONS: lazy_gettext("Exemptions"),
}
COLUMNS: dict[str, LazyString] = {
    "school_id": lazy_gettext("School id"),
    "school_ids": lazy_gettext("School ids"),
    "partner_id": lazy_gettext("Partner id"),
    "program_id": lazy_gettext("Program id"),
    "contract_id": lazy_gettext("Contract id"),
    "authorization_id": lazy_gettext("Authorization id"),
    "name": lazy_gettext("Name"),
    "kind": lazy_gettext("Kind"),
    "type": lazy_gettext("Type"),
    "status": lazy_gettext("Status"),
    "unit_paths": lazy_gettext("Units"),
    "principals": lazy_gettext("Principals"),
    "leads": lazy_gettext("Leads"),
    "school_official": lazy_gettext("School official"),
    "value": lazy_gettext("Value"),
    "person_name": lazy_gettext("Person"),
    "signed_on": lazy_gettext("Signed on"),
    "starts_on": lazy_gettext("First day"),
    "ends_on": lazy_gettext("Last day"),
    "person_address": lazy_gettext("Person's address"),
    "certified_on": lazy_gettext("Certified on"),
    "expires_on": lazy_gettext("Valid to"),
    "host_address": lazy_gettext("Host"),
    "authorizer_address": lazy_gettext("Approved by"),
    "issued_at": lazy_gettext("Issued at"),
    "revoked_at": lazy_gettext("Revoked at"),
    "platform": lazy_gettext("Platform"),
    "consent_on_file": lazy_gettext("Consent on file"),
    "reason": lazy_gettext("Reason"),
    "owner": lazy_gettext("Owner"),
}
HINTS: dict[str, LazyString] = {
    "list": lazy_gettext("Several with a semicolon between them."),
    "instant": lazy_gettext("Date, time and zone, such as 2026-09-01T14:30:00Z."),
    "date": lazy_gettext("As year, month and day: 2026-09-01."),
}
"""By the form of a column."""
VALUES: dict[str, LazyString] = {
    "active": lazy_gettext("active"),
    "paused": lazy_gettext("paused"),
    "school": lazy_gettext("school"),
    "department": lazy_gettext("department"),
    "contracted": lazy_gettext("contracted"),
    "lease": lazy_gettext("lease holder"),
    "permit": lazy_gettext("permit holder"),
    "community": lazy_gettext("community organization"),
    "address": lazy_gettext("address"),
    "domain": lazy_gettext("domain"),
    "yes": lazy_gettext("yes"),
    "college-access": lazy_gettext("college access"),
    "mental-health": lazy_gettext("school mental health"),
    "after-school": lazy_gettext("after school"),
    "other": lazy_gettext("other"),
    "guardian": lazy_gettext("guardian"),
    "interpreter": lazy_gettext("interpreter"),
    "legal-advocate": lazy_gettext("legal advocate"),
    "agency-interview": lazy_gettext("agency interview"),
    "adult-business": lazy_gettext("adult business"),
    "confidential-clinical": lazy_gettext("confidential clinical"),
    "monitored-tutoring": lazy_gettext("monitored tutoring"),
    "platform-exception": lazy_gettext("platform exception"),
}
"""The words of fixed sets; a platform keeps its own name."""
_WORD_COLUMNS = frozenset({"kind", "type", "status", "school_official", "consent_on_file"})
LONGEST_SHOWN = 200


def shown_cell(column: str, text: str) -> str:
    """A cell as a page shows it."""
    if column in _WORD_COLUMNS and text in VALUES:
        return str(VALUES[text])
    return text if len(text) <= LONGEST_SHOWN else f"{text[: LONGEST_SHOWN - 1]}…"
