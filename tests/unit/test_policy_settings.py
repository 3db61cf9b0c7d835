"""Settings of a policy by name: what differs, and one taken from another policy."""

from __future__ import annotations

from dataclasses import fields
from datetime import date, time, timedelta

from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.findings import Severity
from meetbot.domain.platforms import Platform
from meetbot.domain.policy import (
    Limits,
    Policy,
    RuleSwitch,
    SchoolCalendar,
    SpecialAccounts,
    differing,
    settings_of,
    shown_setting,
    with_setting,
)
from meetbot.domain.retention import Retention
from meetbot.domain.shared_files import FileWords
from meetbot.domain.thresholds import Thresholds

THANKSGIVING = (date(2026, 11, 26), date(2026, 11, 27))
WINTER = (date(2026, 12, 21), date(2027, 1, 1))
RULES = ("contract-scope", "staff-left-early")
SWITCHES = st.builds(
    RuleSwitch, st.booleans(), st.none() | st.sampled_from(Severity), is_shadow=st.booleans()
)
POLICIES = st.builds(
    Policy,
    thresholds=st.builds(Thresholds, after_s=st.integers(0, 99), gap_sum_s=st.integers(0, 99)),
    limits=st.builds(
        Limits,
        unidentified=st.timedeltas(timedelta(0), timedelta(days=1)),
        personal_clearance=st.booleans(),
    ),
    approved_platforms=st.frozensets(st.sampled_from(Platform)),
    rules=st.dictionaries(st.sampled_from(RULES), SWITCHES),
    school_calendar=st.builds(SchoolCalendar, closes=st.sampled_from([time(15), time(16)])),
    retention=st.builds(Retention, attendance=st.timedeltas(timedelta(1), timedelta(9))),
    accounts=st.builds(SpecialAccounts, delegates=st.tuples(st.sampled_from("ab"))),
    files=st.builds(FileWords, roster=st.tuples(st.sampled_from("ab"))),
    certificated_units=st.tuples(st.sampled_from(["/Staff", "/Teachers"])),
)


@given(POLICIES, POLICIES)
def test_setting_by_setting_one_policy_becomes_the_other(one: Policy, other: Policy) -> None:
    """The names that differ are all there is between two policies."""
    changed = one
    for name in differing(one, other):
        before = changed
        changed = with_setting(changed, name, other)
        assert differing(before, changed) == (name,)

    assert settings_of(changed, RULES) == settings_of(other, RULES)
    assert differing(changed, other) == ()


def test_every_part_of_a_policy_has_settings() -> None:
    """What is new in a policy cannot differ without being named."""
    names = {name.partition(".")[0] for name in settings_of(Policy(), ["contract-scope"])}
    assert names == {part.name for part in fields(Policy)}


def test_equal_policies_do_not_differ() -> None:
    """A switch that says the default is no difference to none."""
    assert differing(Policy(), Policy(rules={"contract-scope": RuleSwitch()})) == ()


def test_names_are_those_of_the_file() -> None:
    """As `policy.toml` writes them."""
    other = Policy(
        thresholds=Thresholds(after_s=1),
        limits=Limits(unidentified=timedelta(0)),
        rules={"contract-scope": RuleSwitch(severity=Severity.LOW, is_shadow=True)},
        approved_platforms=frozenset(),
    )
    assert differing(Policy(), other) == (
        "approved_platforms",
        "thresholds.after_s",
        "limits.unidentified",
        "rules.contract-scope.severity",
        "rules.contract-scope.shadow",
    )


def test_values_read_as_in_the_file() -> None:
    """Short and plain."""
    shown = map(
        shown_setting,
        (
            60,
            True,
            False,
            timedelta(minutes=2),
            frozenset({Platform.ZOOM, Platform.GOOGLE_MEET}),
            frozenset(),
            ("/Staff", "/Teachers"),
            Severity.HIGH,
            None,
            SchoolCalendar(),
            SchoolCalendar(holidays=(THANKSGIVING, WINTER)),
        ),
    )
    assert list(shown) == [
        "60",
        "true",
        "false",
        "120s",
        "google-meet, zoom",
        "none",
        "/Staff, /Teachers",
        "high",
        "the catalogue's",
        "days (0, 1, 2, 3, 4), 08:00 to 16:00",
        "days (0, 1, 2, 3, 4), 08:00 to 16:00, "
        "without 2026-11-26 to 2026-11-27, 2026-12-21 to 2027-01-01",
    ]
