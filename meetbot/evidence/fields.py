"""Which texts of a dossier or flag may leave the database as they are; all others are renamed.

A text field that is in none of these tables is renamed like an id: what nobody thought of does
not leak. A test names it, so that somebody thinks of it.
"""

from __future__ import annotations

from collections.abc import Mapping

from meetbot.domain import attendance, registry_rows
from meetbot.domain.attendance import Attendance, Conference, Visit
from meetbot.domain.dossier import Dossier, Host, Invitee, SharedCode, SourceState
from meetbot.domain.findings import FlagKey, TimelineSpan, Undecided
from meetbot.domain.flags import Flag
from meetbot.domain.guest_list import Edit, Entry
from meetbot.domain.meetings import Disclosure, Fingerprint, KeptGuest, Meeting, OccurrenceKey
from meetbot.domain.platforms import PlatformLink
from meetbot.domain.policy import Policy, SpecialAccounts
from meetbot.domain.registry import (
    Authorization,
    Certification,
    Contract,
    Exemption,
    Partner,
    Program,
    School,
)
from meetbot.domain.shared_files import FileWords, SharedFile
from meetbot.domain.snapshots import Snapshot
from meetbot.domain.spaces import SpaceFacts

KEPT: Mapping[type, frozenset[str]] = {
    Snapshot: frozenset({"program", "rules", "about"}),
    Dossier: frozenset({"student_domains", "contradictions", "schools_when_issued"}),
    SourceState: frozenset({"problem"}),
    Undecided: frozenset({"rule", "reason"}),
    Policy: frozenset({"rules", "certificated_units"}),
    FileWords: frozenset({"roster", "sensitive", "harmless"}),
    SharedFile: frozenset({"kind", "word"}),
    SpaceFacts: frozenset({"problem"}),
    Edit: frozenset({"partner_id"}),
    PlatformLink: frozenset({"host"}),
    Disclosure: frozenset({"seen_by"}),
    Fingerprint: frozenset(
        {"authorization_id", "starts", "ends", "series", "platform", "audience"}
    ),
    KeptGuest: frozenset({"domain", "response"}),
    Invitee: frozenset({"partner_id", "lookalike_of"}),
    Conference: frozenset({"name"}),
    Visit: frozenset({"conference"}),
    attendance.Identity: frozenset({"domain"}),
    Attendance: frozenset({"partner_id", "domain", "lookalike_of", "unit_path"}),
    School: frozenset({"school_id", "name", "unit_paths"}),
    Partner: frozenset({"partner_id", "name"}),
    Program: frozenset({"program_id", "partner_id", "name"}),
    registry_rows.Identity: frozenset({"partner_id"}),
    Contract: frozenset({"contract_id", "partner_id", "program_id", "school_ids"}),
    Certification: frozenset({"partner_id"}),
    Authorization: frozenset({"authorization_id", "partner_id", "program_id", "school_id"}),
    TimelineSpan: frozenset({"kind"}),
    FlagKey: frozenset({"rule"}),
    Flag: frozenset(
        {
            "id",
            "message",
            "advice",
            "fix",
            "admin",
            "facts",
            "unknowns",
            "family",
            "school_id",
            "partner_id",
            "program_id",
            "conference_records",
            "told",
        }
    ),
}
"""Organizations, rules, days and sentences. Names and addresses within them are renamed."""

DROPPED: Mapping[type, frozenset[str]] = {
    Exemption: frozenset({"reason", "owner"}),
}
"""Free text about people, on which no rule rests."""

RENAMED: Mapping[type, frozenset[str]] = {
    OccurrenceKey: frozenset({"ical_uid", "meeting_code"}),
    Meeting: frozenset({"meeting_code", "calendars"}),
    Fingerprint: frozenset({"host", "externals"}),
    KeptGuest: frozenset({"address_key", "address", "name_tokens", "via_group"}),
    Host: frozenset({"display_name", "stand_ins"}),
    Invitee: frozenset({"person_name"}),
    SharedCode: frozenset({"externals"}),
    SpaceFacts: frozenset({"code", "organizer_key", "name"}),
    SpecialAccounts: frozenset({"delegates", "webinar_hosts"}),
    Entry: frozenset({"key"}),
    Edit: frozenset({"guest_key"}),
    Conference: frozenset(
        {"meeting_code", "space", "organizer", "organizer_key", "calendar_event_id"}
    ),
    Visit: frozenset({"key", "participant"}),
    attendance.Identity: frozenset(
        {"id_key", "address_key", "address", "masked", "name_key", "name_tokens"}
    ),
    Attendance: frozenset({"person_key", "address_key"}),
    School: frozenset({"principals", "leads"}),
    registry_rows.Identity: frozenset({"value", "person_name"}),
    Certification: frozenset({"person_address"}),
    Authorization: frozenset({"host_address", "authorizer_address"}),
    Exemption: frozenset({"value"}),
    FlagKey: frozenset({"occurrence", "subject"}),
}
"""People, accounts, codes and links: one name inside the file for each."""
