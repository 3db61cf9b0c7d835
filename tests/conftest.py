"""Settings for all tests."""

from __future__ import annotations

import time
from collections.abc import Iterator

import pytest
from hypothesis import HealthCheck, Phase, settings

settings.register_profile(
    "meetbot", deadline=None, suppress_health_check=[HealthCheck.too_slow], print_blob=True
)
settings.register_profile("fuzz", parent=settings.get_profile("meetbot"), max_examples=2000)
settings.register_profile(
    "mutation",
    parent=settings.get_profile("meetbot"),
    max_examples=3,
    derandomize=True,
    phases=[Phase.explicit, Phase.generate],
)
settings.load_profile("meetbot")


@pytest.fixture
def machine_in_chicago(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The machine's own time zone, which must not matter, is another than that of the servers."""
    with monkeypatch.context() as patch:
        patch.setenv("TZ", "America/Chicago")
        time.tzset()
        yield
    time.tzset()
