"""What a token opens and when, and what is kept of it."""

from __future__ import annotations

from datetime import datetime, timedelta

import pytest

from meetbot.domain.tokens import ApiToken, Scope, token_digest
from tests.builders import T0, at

SECOND = timedelta(seconds=1)


@pytest.mark.parametrize(
    ("asked_at", "ended_at", "good"),
    [
        (T0, None, True),
        (at(60) - SECOND, None, True),
        (at(60), None, False),
        (at(60) + SECOND, None, False),
        (at(10), at(5), False),
        (at(61), at(5), False),
    ],
)
def test_a_token_is_good_until_it_expires_or_is_ended(
    asked_at: datetime, ended_at: datetime | None, good: bool
) -> None:
    """At the very instant of its expiry it opens nothing, and once ended never again."""
    token = ApiToken(
        id="T1",
        name="case-system",
        digest=token_digest("mbt_example"),
        scopes=(Scope.READ,),
        by="olga@district.example",
        added_at=T0,
        expires_at=at(60),
        ended_at=ended_at,
    )
    assert token.is_good(asked_at) is good


@pytest.mark.parametrize(
    ("token", "digest"),
    [
        ("mbt_example", "96d9bf0f22f51569e73b6a2db08e72f2d3673780895a05f893e5c6ae26efcd23"),
        ("mbt_\u00e9", "80b4f72791bafdabc4f1197a488d778a9b5559e11b786c07740d936fa05f6d7c"),
        ("\ud800", "91a681b998555fb475479817b126c94e57e52011fa1842c5d188795a4a05226b"),
    ],
)
def test_a_token_is_kept_as_its_sha_256(token: str, digest: str) -> None:
    """Tokens given out stay good in later versions, and no text that a program sends raises."""
    assert token_digest(token) == digest
