"""What an approval was given for, and what counts as a change of it."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from meetbot.domain.dossier import Host
from meetbot.domain.meetings import Fingerprint
from meetbot.domain.platforms import Platform, PlatformLink
from meetbot.domain.policy import Limits, Policy
from meetbot.rules.fingerprints import (
    differences,
    fingerprint_of,
    fingerprints_after,
    stored_for,
)
from tests.dossiers import (
    AUTHORIZATION,
    HOST,
    PARTNER,
    STRANGER,
    a_dossier,
    a_registry,
    adhoc,
    at,
)

ZOOM = PlatformLink(Platform.ZOOM, "zoom.us")
TEAMS = PlatformLink(Platform.TEAMS, "teams.microsoft.com")
CLEAN = Fingerprint(
    authorization_id="a1",
    issued_at=AUTHORIZATION.issued_at,
    starts="2026-10-13 10:00",
    ends="2026-10-13 10:45",
    series="single",
    host=HOST.guest.address_key,
    externals=(PARTNER.guest.address_key,),
    platform="google-meet",
    audience="students",
)


def test_the_meeting_as_it_was_approved() -> None:
    """Local times, keyed people, platform and audience; of an ad-hoc call what is known."""
    weekly = fingerprint_of(a_dossier(meeting={"is_recurring": True}), AUTHORIZATION)
    guests = fingerprint_of(a_dossier((HOST, STRANGER, PARTNER)), AUTHORIZATION)
    call = fingerprint_of(adhoc(host=Host(None)), AUTHORIZATION)

    assert fingerprint_of(a_dossier(), AUTHORIZATION) == CLEAN
    assert weekly == replace(CLEAN, starts="Tue 10:00", ends="Tue 10:45", series="recurring")
    keys = tuple(sorted(i.guest.address_key for i in (STRANGER, PARTNER)))
    assert guests == replace(CLEAN, externals=keys, audience="adults")
    assert call == replace(CLEAN, host="", externals=(), audience="adults")


@pytest.mark.parametrize(
    ("meeting", "platform"),
    [
        ({}, "google-meet"),
        ({"links": (ZOOM,)}, "google-meet+zoom"),
        ({"meeting_code": None, "links": (ZOOM,)}, "zoom"),
        ({"meeting_code": None, "links": (ZOOM, TEAMS, ZOOM)}, "teams+zoom"),
        ({"meeting_code": None}, "google-meet"),
    ],
    ids=["code", "code and link", "link", "links", "neither"],
)
def test_the_platform_is_where_the_invitation_leads(meeting: dict[str, Any], platform: str) -> None:
    """Google Meet where it has a code, or names nothing else."""
    assert fingerprint_of(a_dossier(meeting=meeting), AUTHORIZATION).platform == platform


def test_a_first_fingerprint_is_kept_for_each_covering_approval() -> None:
    """Beside those that are kept already; none of a call without an event."""
    second = replace(AUTHORIZATION, authorization_id="a2")
    registry = a_registry(authorizations=(AUTHORIZATION, second))
    kept = (replace(CLEAN, host="somebody else"),)
    dossier = a_dossier(registry=registry, meeting={"fingerprints": kept})

    assert fingerprints_after(dossier, Policy()) == (*kept, replace(CLEAN, authorization_id="a2"))
    cancelled = {"fingerprints": kept, "is_cancelled": True}
    assert fingerprints_after(a_dossier(registry=registry, meeting=cancelled), Policy()) == kept
    assert fingerprints_after(adhoc(), Policy()) == ()


@pytest.mark.parametrize(("limit", "is_kept"), [(10, True), (9, False)])
def test_an_approval_that_a_small_move_kept_is_fingerprinted(limit: int, is_kept: bool) -> None:
    """What is a small move is the district's to say."""
    late = replace(AUTHORIZATION, issued_at=at(-1))
    earlier = {"start_at": at(-10), "end_at": at(35)}
    dossier = a_dossier(registry=a_registry(authorizations=(late,)), meeting=earlier)
    policy = Policy(limits=Limits(authorization_move=timedelta(minutes=limit)))

    assert bool(fingerprints_after(dossier, policy)) is is_kept


def test_a_new_issue_is_another_approval() -> None:
    """The fingerprint of this very one, or none."""
    dossier = a_dossier(meeting={"fingerprints": (replace(CLEAN, authorization_id="x"), CLEAN)})

    assert stored_for(dossier, AUTHORIZATION) == CLEAN
    assert stored_for(dossier, replace(AUTHORIZATION, issued_at=at(-60))) is None
    assert stored_for(adhoc(), AUTHORIZATION) is None


@pytest.mark.parametrize(
    ("changes", "told"),
    [
        ({}, {}),
        ({"starts": "2026-10-13 10:15", "ends": "2026-10-13 10:30"}, {}),
        (
            {"starts": "2026-10-13 10:16"},
            {"start": "2026-10-13 10:00 → 2026-10-13 10:16"},
        ),
        ({"ends": "2026-10-14 10:45"}, {"end": "2026-10-13 10:45 → 2026-10-14 10:45"}),
        ({"ends": "2026-10-13 11:01"}, {"end": "2026-10-13 10:45 → 2026-10-13 11:01"}),
        ({"series": "recurring"}, {"repetition": "single → recurring"}),
        ({"host": "x"}, {"host": "another host"}),
        ({"externals": ("x", "y")}, {"outside guests": "2 added, 1 removed"}),
        ({"platform": "zoom"}, {"platform": "google-meet → zoom"}),
        ({"audience": "adults"}, {"audience": "students → adults"}),
    ],
)
def test_what_has_changed_is_told(changes: dict[str, Any], told: dict[str, str]) -> None:
    """Field by field, of guests only how many; a quarter of an hour on one day is no change."""
    assert differences(CLEAN, replace(CLEAN, **changes), Policy()) == told
