"""The registry of the demo district, in the columns of the registry files."""

from collections.abc import Mapping, Sequence
from datetime import UTC, date, datetime, time, timedelta

from meetbot.sandbox.model import Cell

Rows = list[dict[str, str]]

_PARTNERS = {
    # partner_id: name, kind, domain, program type
    "bright-path": ("Bright Path Scholars", "contracted", "brightpath.example", "college-access"),
    "calm-harbor": ("Calm Harbor Counseling", "contracted", "calmharbor.example", "mental-health"),
    "maker-yard": ("Maker Yard", "contracted", "makeryard.example", "after-school"),
    "river-arts": ("River Arts Collective", "contracted", "riverarts.example", "other"),
    "river-film": ("River Arts Film", "contracted", "riverarts-film.example", "other"),
    "code-lanterns": ("Code Lanterns", "contracted", "codelanterns.example", "after-school"),
    "summit-prep": ("Summit Prep", "contracted", "summitprep.example", "college-access"),
    "page-turners": ("Page Turners", "contracted", "pageturners.example", "other"),
    "open-hands": ("Open Hands Mentors", "contracted", "openhands.example", "after-school"),
    "story-bridge": ("Story Bridge", "contracted", "storybridge.example", "other"),
    "lens-lab": ("Lens Lab", "contracted", "lenslab.example", "after-school"),
    "quick-start": ("Quick Start Studio", "contracted", "quickstart.example", "after-school"),
    "star-tutors": ("Star Tutors", "contracted", "startutors.example", "college-access"),
    "northside-futsal": ("Northside Futsal", "lease", "northsidefutsal.example", "after-school"),
    "green-thumb": ("Green Thumb Neighbors", "community", "greenthumb.example", "other"),
}
_SCHOOL_OF = {
    "bright-path": ["harbor"],
    "calm-harbor": ["support"],
    "maker-yard": ["cedar", "lakeview"],
    "river-arts": ["lakeview"],
    "river-film": ["harbor"],
    "code-lanterns": ["cedar"],
    "summit-prep": ["harbor"],
    "page-turners": ["cedar"],
    "open-hands": ["lakeview"],
    "lens-lab": ["harbor"],
    "quick-start": ["cedar"],
    "star-tutors": ["lakeview"],
    "northside-futsal": ["cedar"],
}
"""Where each partner is authorized; story-bridge and green-thumb nowhere."""
_SCHOOLS = {"cedar": "Cedar Ridge", "lakeview": "Lakeview", "harbor": "Harbor"}


def registry_rows(today: date, retroactive_start: datetime, without_role: str) -> dict[str, Rows]:
    """Rows by file name. `today` is a local day.

    One approval comes 20 h after `retroactive_start`, one from somebody `without_role`.
    """
    return {
        "schools.csv": _schools(),
        "partners.csv": _partners(),
        "programs.csv": _programs(),
        "identities.csv": _identities(),
        "contracts.csv": _contracts(today),
        "certifications.csv": _certifications(today),
        "authorizations.csv": _authorizations(today, retroactive_start, without_role),
        "exemptions.csv": _exemptions(today),
    }


def sheet_tabs(files: Mapping[str, Rows]) -> dict[str, list[list[Cell]]]:
    """The same rows as tabs of a spreadsheet, in which days are real days and yes is a tick."""
    return {
        name.removesuffix(".csv"): [
            list(rows[0]),
            *([_cell(column, text) for column, text in row.items()] for row in rows),
        ]
        for name, rows in files.items()
    }


def _cell(column: str, text: str) -> Cell:
    if column in ("school_official", "consent_on_file"):
        return text == "yes"
    return date.fromisoformat(text) if column.endswith("_on") and text else text


def _schools() -> Rows:
    rows = [
        {
            "school_id": key,
            "name": f"{name} School",
            "kind": "school",
            "unit_paths": f"/Staff/{name};/Students/{name}",
            "principals": f"principal.{key}@district.example",
            "leads": "",
        }
        for key, name in _SCHOOLS.items()
    ]
    support = {
        "school_id": "support",
        "name": "Student Support",
        "kind": "department",
        "unit_paths": "/Staff/Student Support",
        "principals": "superintendent@district.example",
        "leads": "lead.support@district.example",
    }
    return [*rows, support]


def _partners() -> Rows:
    return [
        {
            "partner_id": key,
            "name": name,
            "kind": kind,
            "status": "paused" if kind == "lease" else "active",
            "school_official": "",
        }
        for key, (name, kind, _, _) in _PARTNERS.items()
    ]


def _programs() -> Rows:
    return [
        {
            "program_id": f"{key}-program",
            "partner_id": key,
            "name": f"{name} program",
            "type": program_type,
            "status": "paused" if kind == "lease" else "active",
        }
        for key, (name, kind, _, program_type) in _PARTNERS.items()
    ]


def _identities() -> Rows:
    rows = [
        {"partner_id": key, "kind": "domain", "value": domain, "person_name": ""}
        for key, (_, _, domain, _) in _PARTNERS.items()
    ]
    people = [
        ("bright-path", "lena@brightpath.example", "Lena Ortiz"),
        ("maker-yard", "omar@makeryard.example", "Omar Fields"),
        ("river-arts", "tess@riverarts.example", "Tess Lowe"),
        ("calm-harbor", "dr.wynn@calmharbor.example", "Avery Wynn"),
    ]
    return rows + [
        {"partner_id": key, "kind": "address", "value": value, "person_name": name}
        for key, value, name in people
    ]


def _days(today: date, first: int, last: int) -> tuple[str, str]:
    start, end = today + timedelta(days=first), today + timedelta(days=last)
    return start.isoformat(), end.isoformat()


def _contracts(today: date) -> Rows:
    """All run for the year, but: one over, one still to come, one missing, community has none."""
    spans = {"code-lanterns": (-300, -10), "summit-prep": (20, 300)}
    rows = []
    for key in _PARTNERS:
        if key in ("river-film", "green-thumb"):
            continue
        starts, ends = _days(today, *spans.get(key, (-200, 160)))
        rows.append(
            {
                "contract_id": f"C-{key}",
                "partner_id": key,
                "program_id": f"{key}-program",
                "school_ids": "*",
                "signed_on": _days(today, -310, 0)[0],
                "starts_on": starts,
                "ends_on": ends,
            }
        )
    return rows


def _certifications(today: date) -> Rows:
    spans = {"page-turners": (-370, -5)}
    rows = []
    for key in _PARTNERS:
        if key in ("open-hands", "green-thumb"):
            continue
        certified, expires = _days(today, *spans.get(key, (-200, 160)))
        rows.append(
            {
                "partner_id": key,
                "person_address": "",
                "certified_on": certified,
                "expires_on": expires,
            }
        )
    return rows


def _authorizations(today: date, retroactive_start: datetime, without_role: str) -> Rows:
    """By the principal or lead; one by a teacher, one revoked, one too late."""
    issued = datetime.combine(today - timedelta(days=30), time(14), UTC)
    rows = []
    for key, schools in _SCHOOL_OF.items():
        for school in schools:
            starts, ends = _days(today, -60, 120)
            rows.append(
                {
                    "authorization_id": f"A-{key}-{school}",
                    "partner_id": key,
                    "program_id": f"{key}-program",
                    "school_id": school,
                    "host_address": "",
                    "starts_on": starts,
                    "ends_on": ends,
                    "authorizer_address": _authorizer(school),
                    "issued_at": _text(issued),
                    "revoked_at": "",
                }
            )
    _change(rows, "A-star-tutors-lakeview", "authorizer_address", without_role)
    revoked = datetime.combine(today - timedelta(days=1), time(14), UTC)
    _change(rows, "A-lens-lab-harbor", "revoked_at", _text(revoked))
    late = retroactive_start + timedelta(hours=20)
    _change(rows, "A-quick-start-cedar", "issued_at", _text(late))
    return rows


def _authorizer(school: str) -> str:
    if school == "support":
        return "lead.support@district.example"
    return f"principal.{school}@district.example"


def _change(rows: Rows, authorization_id: str, column: str, value: str) -> None:
    for row in rows:
        if row["authorization_id"] == authorization_id:
            row[column] = value


def _text(at: datetime) -> str:
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _exemptions(today: date) -> Rows:
    starts, ends = _days(today, -60, 120)
    kinds: Sequence[tuple[str, str, str, str]] = [
        ("guardian", "guardian.reyes@homemail.example", "", "family conference"),
        ("confidential-clinical", "calm-harbor-program", "yes", "licensed clinician"),
    ]
    return [
        {
            "kind": kind,
            "value": value,
            "platform": "",
            "consent_on_file": consent,
            "reason": reason,
            "owner": "lead.support@district.example",
            "starts_on": starts,
            "ends_on": ends,
        }
        for kind, value, consent, reason in kinds
    ]
