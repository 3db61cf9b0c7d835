"""The configuration is read whole, and every mistake in it is reported at once."""

from __future__ import annotations

import dataclasses
import os
from datetime import date, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.findings import Severity
from meetbot.domain.platforms import Platform
from meetbot.domain.policy import Limits, Policy, SpecialAccounts
from meetbot.domain.retention import Retention
from meetbot.domain.shared_files import FileWords
from meetbot.domain.thresholds import Thresholds
from meetbot.errors import BadInput, Mistake
from meetbot.settings import (
    Endpoint,
    Settings,
    SmtpServer,
    Weekly,
    load_policy,
    load_settings,
)

RULES = frozenset({"partner-unregistered", "guests-can-invite", "contract-scope"})
TEMPLATES = Path(__file__).parents[2] / "meetbot" / "templates" / "config"

SMALLEST = """
[district]
name = "Example Public Schools"
timezone = "America/Chicago"
domains = ["district.example"]
staff_units = ["/Staff"]
student_units = ["/Students"]
[google]
credentials = "credentials.json"
admin_subject = "admin@district.example"
[database]
url = "sqlite:///meetbot.db"
[mail]
url = "smtp://127.0.0.1:1025"
sender = "meetbot@district.example"
officers = ["officer@district.example"]
"""


@pytest.fixture
def file(tmp_path: Path) -> Path:
    path = tmp_path / "meetbot.toml"
    path.write_text(SMALLEST, encoding="utf-8")
    return path


def changed(file: Path, old: str, new: str) -> Path:
    """The smallest configuration with one piece replaced."""
    text = file.read_text(encoding="utf-8")
    assert old in text
    file.write_text(text.replace(old, new), encoding="utf-8")
    return file


def load(file: Path, **environ: str) -> Settings:
    return load_settings(file, environ, RULES)


def mistakes_of(file: Path, **environ: str) -> tuple[Mistake, ...]:
    with pytest.raises(BadInput) as caught:
        load(file, **environ)
    return caught.value.mistakes


def the_mistake(file: Path, **environ: str) -> Mistake:
    (mistake,) = mistakes_of(file, **environ)
    assert mistake.fix
    return mistake


def test_template_is_valid() -> None:
    """The configuration that `init` writes loads, with the values it shows."""
    found = load(TEMPLATES / "meetbot.toml")

    assert found.district.timezone == ZoneInfo("America/Chicago")
    assert found.district.not_staff_units == ("/Staff/Contractors",)
    assert found.mail.server == SmtpServer("127.0.0.1", 1025, "none")
    assert found.mail.contacts["mental-health"] == "school-mental-health@district.example"
    assert found.schedule.reminders == (timedelta(days=7), timedelta(days=1), timedelta(hours=1))
    assert found.schedule.weekly == Weekly(0, time(7, 30))
    assert found.service.health == Endpoint("127.0.0.1", 9464)


def test_policy_template_is_the_default() -> None:
    """The policy that `init` writes says in full what an absent file means."""
    assert load_policy(TEMPLATES / "policy.toml", RULES) == Policy()


@pytest.mark.parametrize(
    ("table", "values"),
    [
        ("thresholds", Thresholds),
        ("limits", Limits),
        ("retention", Retention),
        ("accounts", SpecialAccounts),
    ],
)
def test_policy_template_names_every_value(table: str, values: type) -> None:
    """No threshold, limit or time can be set that the template does not explain."""
    text = (TEMPLATES / "policy.toml").read_text(encoding="utf-8")
    section = text.split(f"[{table}]\n")[1].split("\n\n")[0]

    written = [line.split(" = ")[0].rstrip() for line in section.splitlines()]

    assert written == [field.name for field in dataclasses.fields(values)]


def test_a_rule_in_shadow(file: Path) -> None:
    """`shadow = true` is read per rule; it makes no sense for a rule that is switched off."""
    policy = file.with_name("policy.toml")
    policy.write_text("[rules.contract-scope]\nshadow = true\n", encoding="utf-8")
    assert load(file).policy.shadows == {"contract-scope"}

    policy.write_text("[rules.contract-scope]\nshadow = true\nenabled = false\n", encoding="utf-8")
    mistake = the_mistake(file)
    assert mistake.place.endswith("policy.toml: rules.contract-scope.shadow")
    assert "switched off" in mistake.what


def test_a_registry_in_a_spreadsheet(file: Path) -> None:
    """`[registry]` names a spreadsheet by its id or address, and how often it is imported."""
    text = file.read_text(encoding="utf-8")
    file.write_text(f'{text}[registry]\nsource = "sheet:1AbC"\nevery = "30m"\n', encoding="utf-8")

    found = load(file).registry
    assert (found.spreadsheet, found.every) == ("1AbC", timedelta(minutes=30))
    address = "sheet:https://docs.google.com/spreadsheets/d/1XyZ/edit#gid=0"
    assert load(file, MEETBOT_REGISTRY__SOURCE=address).registry.spreadsheet == "1XyZ"
    (mistake,) = mistakes_of(file, MEETBOT_REGISTRY__SOURCE="config/registry")
    assert mistake.place == "MEETBOT_REGISTRY__SOURCE (registry.source)"


def test_words_of_files_and_certificated_units(tmp_path: Path) -> None:
    """A district's own words and units; what is no word and no unit is said with its fix."""
    policy = tmp_path / "policy.toml"
    policy.write_text(
        'certificated_units = ["/Staff/Teachers/"]\n[files]\nroster = ["Liste", "Liste"]\n',
        encoding="utf-8",
    )
    found = load_policy(policy, RULES)

    assert found.certificated_units == ("/Staff/Teachers",)
    assert found.files == FileWords(roster=("Liste",))

    policy.write_text(
        'certificated_units = ["Staff"]\n[files]\nroster = ["-"]\nrosters = []\n',
        encoding="utf-8",
    )
    with pytest.raises(BadInput) as wrong:
        load_policy(policy, RULES)
    assert {mistake.place.rpartition(": ")[2] for mistake in wrong.value.mistakes} == {
        "certificated_units[0]",
        "files.roster[0]",
        "files.rosters",
    }


def test_defaults(file: Path) -> None:
    """What is left out has the documented value, and officers stand in for other roles."""
    found = load(file)

    assert found.schedule.live == timedelta(seconds=60)
    assert found.schedule.lookback == timedelta(days=7)
    assert found.google.api_root is None
    assert found.mail.operators == found.mail.privacy_officers == found.mail.officers
    assert found.privacy.pseudonym_key is None
    assert found.policy == Policy()


def test_result_is_frozen(file: Path) -> None:
    """Nobody can change the settings once they are read."""
    with pytest.raises(ValueError, match="frozen"):
        load(file).schedule.live = timedelta(0)  # type: ignore[misc]


def test_missing_file(tmp_path: Path) -> None:
    """A configuration that is not there is one mistake, and the fix names `init`."""
    mistake = the_mistake(tmp_path / "none.toml")

    assert "none.toml" in mistake.place
    assert "meetbot init" in mistake.fix


def test_file_is_found_by_environment(file: Path) -> None:
    """Without --config the variable MEETBOT_CONFIG names the file."""
    found = load_settings(None, {"MEETBOT_CONFIG": str(file)}, RULES)

    assert found.district.name == "Example Public Schools"


def test_option_goes_before_environment(file: Path) -> None:
    """--config wins over MEETBOT_CONFIG."""
    assert load(file, MEETBOT_CONFIG="elsewhere.toml").district.name == "Example Public Schools"


@pytest.mark.parametrize(
    ("content", "what"),
    [(b"[district\n", "TOML"), (b"name = '\xff'\n", "UTF-8"), (b"a = 1\na = 2\n", "TOML")],
)
def test_unreadable_file(file: Path, content: bytes, what: str) -> None:
    """Bad syntax and bad encoding are told apart."""
    file.write_bytes(content)

    assert what in the_mistake(file).what


def test_folder_instead_of_file(tmp_path: Path) -> None:
    """A folder named as the configuration is a mistake like any other."""
    assert "cannot be read" in the_mistake(tmp_path).what


def test_byte_order_mark(file: Path) -> None:
    """A file saved by a Windows editor is read."""
    file.write_bytes(b"\xef\xbb\xbf" + file.read_bytes())

    assert load(file).district.domains == ("district.example",)


def test_all_mistakes_at_once(file: Path) -> None:
    """File, environment and policy are checked together; each mistake has its key and a fix."""
    file.write_text(
        """
        [district]
        name = 5
        timezone = "America/Chicagoo"
        domains = ["district.example", "not a domain"]
        staff_units = ["Staff"]
        student_units = []
        [google]
        credential = "key.json"
        admin_subject = "nobody"
        api_root = "http://api.example"
        [mail]
        transport = "pigeon"
        url = "http://mail.district.example"
        sender = "x"
        officers = "officer@district.example"
        [mail.contacts]
        afterschool = "a@district.example"
        [schedule]
        live = "soon"
        reminders = ["7d", "1 hour"]
        [service]
        health = "0.0.0.0:9464"
        [sevrice]
        """,
        encoding="utf-8",
    )
    file.with_name("policy.toml").write_text(
        'approved_platforms = ["zom"]\n'
        "[thresholds]\nnone_s = -1\nafter = 3\n"
        '[rules.guests-can-invit]\nenabled = true\n[rules.contract-scope]\nseverity = "bad"\n',
        encoding="utf-8",
    )

    found = mistakes_of(file, MEETBOT_MAIL__OFICERS="x")

    places = {mistake.place.rpartition(": ")[2] for mistake in found}
    assert places == {
        "district.name",
        "district.timezone",
        "district.domains[1]",
        "district.staff_units[0]",
        "district.student_units",
        "google.credentials",
        "google.credential",
        "google.admin_subject",
        "google.api_root",
        "database",
        "mail.transport",
        "mail.url",
        "mail.sender",
        "mail.officers",
        "mail.contacts.afterschool",
        "schedule.live",
        "schedule.reminders[1]",
        "service.health",
        "sevrice",
        "MEETBOT_MAIL__OFICERS",
        "approved_platforms[0]",
        "thresholds.none_s",
        "thresholds.after",
        "rules.guests-can-invit",
        "rules.contract-scope.severity",
    }
    assert all(mistake.fix and mistake.what for mistake in found)
    fixes = {mistake.place.rpartition(": ")[2]: mistake.fix for mistake in found}
    assert "America/Chicago" in fixes["district.timezone"]
    assert fixes["google.credential"] == "did you mean credentials?"
    assert fixes["mail.contacts.afterschool"] == "did you mean after-school?"
    assert fixes["sevrice"] == "did you mean service?"
    assert fixes["rules.guests-can-invit"] == "did you mean guests-can-invite?"
    assert fixes["MEETBOT_MAIL__OFICERS"] == "did you mean MEETBOT_MAIL__OFFICERS?"
    assert 'officers = ["compliance@district.example"]' in fixes["mail.officers"]


@pytest.mark.parametrize("section", ["district", "google", "database", "mail"])
def test_missing_section(file: Path, section: str) -> None:
    """A section that must be there is named when it is not."""
    tables = SMALLEST.split("\n[")[1:]
    kept = [table for table in tables if not table.startswith(f"{section}]")]
    file.write_text("\n".join(f"[{table}" for table in kept), encoding="utf-8")

    mistake = the_mistake(file)

    assert mistake.place.endswith(f": {section}")
    assert mistake.what == "is missing"


@pytest.mark.parametrize(
    "value",
    ['"officer@partner.example"', '"officer@evil.district.example"', '"a@district.example.evil"'],
)
@pytest.mark.parametrize("key", ["officers", "privacy_officers", "operators"])
def test_recipients_are_inside_the_district(file: Path, key: str, value: str) -> None:
    """Mail about a flag can never be addressed outside the district's own domains."""
    text = file.read_text(encoding="utf-8").replace(
        'officers = ["officer@district.example"]\n',
        "" if key == "officers" else 'officers = ["officer@district.example"]\n',
    )
    file.write_text(f"{text}{key} = [{value}]\n", encoding="utf-8")

    mistake = the_mistake(file)

    assert mistake.place.endswith(f"mail.{key}[0]")
    assert "domain" in mistake.what


@pytest.mark.parametrize(
    "address", ["x", "a@b", "a b@district.example", "a@district.example\\r\\nBcc: x@y.example"]
)
def test_address_must_be_one(file: Path, address: str) -> None:
    """Something that is no address, or would add a header, is refused."""
    changed(file, '"meetbot@district.example"', f'"{address}"')

    assert the_mistake(file).place.endswith("mail.sender")


def test_addresses_and_domains_are_normalized(file: Path) -> None:
    """Case does not matter, and a domain is kept in its ASCII form."""
    changed(file, '["district.example"]', '["District.EXAMPLE", "bücher.example"]')
    changed(file, "officer@district.example", "Officer@BÜCHER.example")

    found = load(file)

    assert found.district.domains == ("district.example", "xn--bcher-kva.example")
    assert found.mail.officers == ("officer@xn--bcher-kva.example",)


def test_one_unit_is_not_both(file: Path) -> None:
    """An org unit listed for staff and for students is a mistake."""
    changed(file, '["/Students"]', '["/staff/"]')

    assert "staff_units" in the_mistake(file).what


@pytest.mark.parametrize(
    "root",
    [
        "https://proxy.example/google",
        "http://127.0.0.1:8085",
        "http://[::1]:1",
        "http://localhost:1/",
    ],
)
def test_api_root(file: Path, root: str) -> None:
    """Any https root will do, and http on this machine."""
    found = load(file, MEETBOT_GOOGLE__API_ROOT=root)

    assert found.google.api_root == root.rstrip("/")


@pytest.mark.parametrize(
    "root",
    [
        "http://api.example",
        "http://127.0.0.1.evil.example",
        "http://localhost@evil.example",
        "ftp://127.0.0.1",
        "https://",
        "https://h:99999",
        "https://h/?a=b",
        "",
    ],
)
def test_api_root_elsewhere(file: Path, root: str) -> None:
    """Tokens never travel in the clear to another machine."""
    assert "google.api_root" in the_mistake(file, MEETBOT_GOOGLE__API_ROOT=root).place


@pytest.mark.parametrize(
    "url", ["mysql://h/db", "postgresql://h/db", "sqlite://", "sqlite:///", "meetbot.db"]
)
def test_database_url(file: Path, url: str) -> None:
    """Other databases are refused with the two forms that work."""
    assert "postgresql+psycopg://" in the_mistake(file, MEETBOT_DATABASE__URL=url).fix


@pytest.mark.parametrize(
    ("url", "server"),
    [
        ("smtp://127.0.0.1:1025", SmtpServer("127.0.0.1", 1025, "none")),
        ("smtp://relay.district.example", SmtpServer("relay.district.example", 25, "none")),
        ("smtp+starttls://h:5587", SmtpServer("h", 5587, "starttls")),
        ("smtp+starttls://u:p@h", SmtpServer("h", 587, "starttls", "u", "p")),
        ("smtps://u%40d.example:p%2F%40@h", SmtpServer("h", 465, "tls", "u@d.example", "p/@")),
        ("smtps://u@d.example:p@[::1]:2", SmtpServer("::1", 2, "tls", "u@d.example", "p")),
        ("smtp://u:p@localhost", SmtpServer("localhost", 25, "none", "u", "p")),
    ],
)
def test_mail_url(file: Path, url: str, server: SmtpServer) -> None:
    """Security, port and login are read from the URL."""
    assert load(file, MEETBOT_MAIL__URL=url).mail.server == server


@pytest.mark.parametrize(
    "url",
    [
        "http://h",
        "smtp://",
        "smtps://h:0",
        "smtps://u@h",
        "smtps://:pw@h",
        "smtp://u:pw@h.example",
        "smtps://h/x",
    ],
)
def test_mail_url_that_cannot_work(file: Path, url: str) -> None:
    """A bad mail server is refused without repeating a password."""
    mistake = the_mistake(file, MEETBOT_MAIL__URL=url)

    assert "mail.url" in mistake.place
    assert "pw" not in str(mistake)


def test_mail_password_beside_the_url(file: Path, tmp_path: Path) -> None:
    """The password may come from a file, and then is in no text of the settings."""
    secret = tmp_path / "secret"
    secret.write_text("hunter2\n", encoding="utf-8")

    found = load(
        file,
        MEETBOT_MAIL__URL="smtp+starttls://user@host:587",
        MEETBOT_MAIL__PASSWORD_FILE=str(secret),
    )

    assert found.mail.server is not None
    assert found.mail.server.password == "hunter2"
    assert "hunter2" not in repr(found)


def test_two_passwords(file: Path) -> None:
    """A password in the URL and another beside it is a mistake, whichever would win."""
    mistake = the_mistake(file, MEETBOT_MAIL__URL="smtps://u:one@h", MEETBOT_MAIL__PASSWORD="two")

    assert "one of them" in mistake.fix


def test_gmail_needs_no_url(file: Path) -> None:
    """With transport gmail there is no mail server, even where a URL is left."""
    assert load(file, MEETBOT_MAIL__TRANSPORT="gmail").mail.server is None


def test_smtp_needs_a_url(file: Path) -> None:
    """With transport smtp the URL is asked for."""
    changed(file, 'url = "smtp://127.0.0.1:1025"\n', "")

    assert the_mistake(file).place.endswith("mail.url")


def test_environment_wins(file: Path) -> None:
    """Any key can be set by environment: text, lists with commas or as JSON, tables as JSON."""
    found = load(
        file,
        MEETBOT_DATABASE__URL="postgresql+psycopg://h/db",
        MEETBOT_MAIL__OFFICERS="a@district.example, b@district.example",
        MEETBOT_MAIL__OPERATORS='["c@district.example"]',
        MEETBOT_MAIL__CONTACTS='{"other": "d@district.example"}',
        MEETBOT_MAIL__CONTACTS__AFTER_SCHOOL="e@district.example",
        MEETBOT_SCHEDULE__LIVE="30s",
        MEETBOT_SERVICE__HEALTH="[::1]:0",
    )

    assert found.database.url == "postgresql+psycopg://h/db"
    assert found.mail.officers == ("a@district.example", "b@district.example")
    assert found.mail.operators == ("c@district.example",)
    assert found.mail.contacts == {
        "other": "d@district.example",
        "after-school": "e@district.example",
    }
    assert found.schedule.live == timedelta(seconds=30)
    assert found.service.health == Endpoint("::1", 0)


def test_environment_is_named_in_mistakes(file: Path) -> None:
    """A bad value from the environment is reported under its variable and its key."""
    assert (
        the_mistake(file, MEETBOT_SCHEDULE__LIVE="x").place
        == "MEETBOT_SCHEDULE__LIVE (schedule.live)"
    )


def test_misspelled_variable(file: Path) -> None:
    """A variable with a single underscore is not passed over in silence."""
    mistake = the_mistake(file, MEETBOT_DATABASE_URL="sqlite:///x.db")

    assert mistake.fix == "did you mean MEETBOT_DATABASE__URL?"


def test_foreign_variable(file: Path) -> None:
    """Variables that do not resemble a key are somebody else's."""
    assert load(file, MEETBOT_VERSION="7", PATH="/bin", MEETBOTS__X="1")


@pytest.mark.parametrize("content", [None, b"", b"\n", b"\xff\xfe"])
def test_unreadable_secret(file: Path, tmp_path: Path, content: bytes | None) -> None:
    """A secret file that cannot be read is one mistake, under the variable that names it."""
    secret = tmp_path / "secret"
    if content is not None:
        secret.write_bytes(content)

    mistake = the_mistake(file, MEETBOT_DATABASE__URL_FILE=str(secret))

    assert mistake.place == "MEETBOT_DATABASE__URL_FILE"


def test_secret_twice(file: Path) -> None:
    """A secret given both plainly and as a file is a mistake."""
    mistake = the_mistake(
        file, MEETBOT_DATABASE__URL="sqlite:///a.db", MEETBOT_DATABASE__URL_FILE="x"
    )

    assert "MEETBOT_DATABASE__URL is set too" in mistake.what


def test_only_secrets_come_from_files(file: Path) -> None:
    """Other keys have no `_FILE` form."""
    assert "no key" in the_mistake(file, MEETBOT_DISTRICT__NAME_FILE="x").what


def test_secret_values_are_never_shown(file: Path) -> None:
    """A mistake in a secret does not print it."""
    found = mistakes_of(
        file,
        MEETBOT_DATABASE__URL="mysql://u:topsecret@h/db",
        MEETBOT_PRIVACY__PSEUDONYM_KEY="topsecret",
        MEETBOT_MAIL__URL="smtps://u:topsecret@h/x",
    )

    assert len(found) == 3
    assert "topsecret" not in "".join(map(str, found))


def test_pseudonym_key(file: Path) -> None:
    """A long enough key is taken as bytes and hidden."""
    found = load(file, MEETBOT_PRIVACY__PSEUDONYM_KEY="k" * 32)

    assert found.privacy.pseudonym_key == b"k" * 32
    assert "kkk" not in repr(found)


@pytest.mark.parametrize(
    ("text", "length"),
    [
        ("60s", timedelta(seconds=60)),
        ("5m", timedelta(minutes=5)),
        ("24h", timedelta(hours=24)),
        ("7d", timedelta(days=7)),
    ],
)
def test_durations(file: Path, text: str, length: timedelta) -> None:
    """A duration is a number and s, m, h or d."""
    assert load(file, MEETBOT_SCHEDULE__CALENDARS=text).schedule.calendars == length


@pytest.mark.parametrize("text", ["", "5", "5 m", "-5m", "5w", "0s", "1.5h", "999999999d", "٥m"])
def test_bad_durations(file: Path, text: str) -> None:
    """Anything else is refused, and so is no time at all."""
    assert "schedule.calendars" in the_mistake(file, MEETBOT_SCHEDULE__CALENDARS=text).place


@pytest.mark.parametrize(
    "zone", ["", "Chicago", "America", "../../etc/passwd", "/etc/localtime", "a\\u0000b"]
)
def test_bad_zones(file: Path, zone: str) -> None:
    """Whatever is not in the time zone database is a mistake."""
    changed(file, "America/Chicago", zone)

    assert the_mistake(file).place.endswith("district.timezone")


def test_wrong_type_of_section(file: Path) -> None:
    """A value where a table belongs is reported as such, even if the environment adds to it."""
    file.write_text("schedule = 5\n" + SMALLEST, encoding="utf-8")

    mistake = the_mistake(file, MEETBOT_SCHEDULE__LIVE="5s")

    assert mistake.what == "must be a table"


def test_health_is_on_loopback(file: Path) -> None:
    """Health and figures are not offered to the network."""
    assert "loopback" in the_mistake(file, MEETBOT_SERVICE__HEALTH="10.0.0.1:9464").what


def test_policy_values(file: Path) -> None:
    """Thresholds, limits, platforms, school hours and switches reach the domain's policy."""
    file.with_name("policy.toml").write_text(
        """
        approved_platforms = ["google-meet", "zoom"]
        [thresholds]
        after_s = 90
        [limits]
        outside_window = "0s"
        personal_clearance = true
        [school]
        days = ["fri", "mon"]
        closes = "15:30"
        holidays = [["2026-12-21", 2027-01-01], 2026-11-26, "2026-11-27", "2026-11-26"]
        [retention]
        evidence = "2000d"
        [accounts]
        delegates = ["Booking@District.example", "aide@district.example"]
        [rules.guests-can-invite]
        enabled = false
        [rules.contract-scope]
        severity = "high"
        """,
        encoding="utf-8",
    )

    policy = load(file).policy

    assert policy.approved_platforms == {Platform.GOOGLE_MEET, Platform.ZOOM}
    assert policy.thresholds == Thresholds(after_s=90)
    assert policy.limits == Limits(outside_window=timedelta(0), personal_clearance=True)
    assert policy.accounts.delegates == ("aide@district.example", "booking@district.example")
    assert policy.accounts.webinar_hosts == ()
    assert policy.school_calendar.weekdays == (0, 4)
    assert policy.school_calendar.closes == time(15, 30)
    assert policy.school_calendar.holidays == (
        (date(2026, 11, 26), date(2026, 11, 26)),
        (date(2026, 11, 27), date(2026, 11, 27)),
        (date(2026, 12, 21), date(2027, 1, 1)),
    )
    assert policy.retention == Retention(evidence=timedelta(days=2000))
    assert not policy.switch("guests-can-invite").is_enabled
    assert policy.switch("contract-scope").severity is Severity.HIGH
    assert policy.switch("partner-unregistered").severity is None


@pytest.mark.parametrize(
    "text",
    [
        '[thresholds]\nnone_s = "60"',
        "[thresholds]\nnone_s = 60.0",
        "[thresholds]\nnone_s = true",
        "[limits]\nmedium_school_days = -1",
        "[limits]\npersonal_clearance = 1",
        "[limits]\noutside_window = 10",
        "[school]\ndays = []",
        '[school]\ndays = ["Mo"]',
        '[school]\nopens = "16:00"\ncloses = "08:00"',
        '[school]\nholidays = "2026-11-26"',
        '[school]\nholidays = ["2026-11-31"]',
        '[school]\nholidays = ["26.11.2026"]',
        "[school]\nholidays = [20261126]",
        "[school]\nholidays = [2026-11-26T00:00:00Z]",
        '[school]\nholidays = [["2026-11-26"]]',
        '[school]\nholidays = [["2026-11-27", "2026-11-26"]]',
        '[school]\nholidays = [["2026-11-26", "2027-11-28"]]',
        '[school]\nholidays = ["9999-12-31"]',
        '[limits]\nacknowledge = "1"',
        '[retention]\nattendance = "29d"',
        '[retention]\nattendance = "60d"\nconfidential = "61d"',
        '[retention]\nattendance = "100d"\nevidence = "99d"',
        '[retention]\nconfidential = "0s"',
        "[retention]\nevidence = 1096",
        '[retention]\nforever = "1d"',
        'approved_platforms = "zoom"',
        '[accounts]\ndelegates = "booking@district.example"',
        '[accounts]\ndelegates = ["booking"]',
        "[accounts]\nwebinar_hosts = [1]",
        '[accounts]\nbooking = ["booking@district.example"]',
        "[rules]\nguests-can-invite = false",
        "[rules.guests-can-invite]\nenabeld = true",
        '[rules.guests-can-invite]\nenabled = "no"',
        "[tresholds]",
    ],
)
def test_policy_mistakes(tmp_path: Path, text: str) -> None:
    """Each mistake in a policy file is found, and its fix is not empty."""
    policy = tmp_path / "policy.toml"
    policy.write_text(text, encoding="utf-8")

    with pytest.raises(BadInput) as caught:
        load_policy(policy, RULES)

    (mistake,) = caught.value.mistakes
    assert mistake.place.startswith(str(policy))
    assert mistake.fix


def test_nothing_is_read_again_that_was_deleted(file: Path) -> None:
    """The first reading may not look further back than anything is kept."""
    with file.open("a", encoding="utf-8") as stream:
        stream.write('[schedule]\nlookback = "31d"\n')
    (mistake,) = mistakes_of(file)
    assert mistake.place == f"{file}: schedule.lookback"

    file.with_name("policy.toml").write_text('[retention]\nconfidential = "31d"\n')
    assert load(file).schedule.lookback == timedelta(days=31)


def test_policy_that_is_asked_for_must_exist(tmp_path: Path) -> None:
    """Naming a policy file that is not there is a mistake, unlike having none."""
    with pytest.raises(BadInput, match="no such file"):
        load_policy(tmp_path / "other.toml", RULES)


@given(
    st.dictionaries(
        st.sampled_from(
            [
                "MEETBOT_DISTRICT__NAME",
                "MEETBOT_DISTRICT__DOMAINS",
                "MEETBOT_DISTRICT__TIMEZONE",
                "MEETBOT_GOOGLE__API_ROOT",
                "MEETBOT_MAIL__URL",
                "MEETBOT_MAIL__OFFICERS",
                "MEETBOT_MAIL__CONTACTS",
                "MEETBOT_SCHEDULE__REMINDERS",
                "MEETBOT_SERVICE__HEALTH",
                "MEETBOT_NOTHING__SUCH",
            ]
        ),
        st.one_of(st.text(), st.sampled_from(["[1]", "[[]]", '{"other": 1}', "smtps://[", "[::1"])),
        max_size=3,
    )
)
def test_any_environment_gives_settings_or_mistakes(environ: dict[str, str]) -> None:
    """Whatever the environment holds, the answer is settings or mistakes that have fixes."""
    mistakes: tuple[Mistake, ...] | None = None
    try:
        load_settings(TEMPLATES / "meetbot.toml", environ, RULES)
    except BadInput as wrong:
        mistakes = wrong.mistakes

    assert mistakes != ()
    assert all(mistake.place and mistake.what and mistake.fix for mistake in mistakes or ())


def test_environment_of_the_tests_is_not_read(file: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only the mapping given counts, not the process's own environment."""
    monkeypatch.setenv("MEETBOT_DISTRICT__NAME", "Other")

    assert load(file).district.name == "Example Public Schools"
    assert load_settings(file, os.environ, RULES).district.name == "Other"


# --- webhooks -----------------------------------------------------------------------------------

_HOOK = (
    SMALLEST
    + """
[webhooks.case-system]
url = "https://cases.district.example/meetbot"
"""
)
_HOOK_SECRET = "whsec_c2VjcmV0LXNlY3JldC1zZWNyZXQtc2VjcmV0"


def _hooks(tmp_path: Path, text: str, **environ: str) -> Settings:
    file = tmp_path / "meetbot.toml"
    file.write_text(text)
    return load_settings(file, environ, RULES)


def test_the_secret_of_a_webhook_comes_from_its_own_variable(tmp_path: Path) -> None:
    """As itself or from a file, and it is never shown."""
    secret = tmp_path / "secret"
    secret.write_text(_HOOK_SECRET + "\n")
    for environ in (
        {"MEETBOT_WEBHOOKS__CASE_SYSTEM__SECRET": _HOOK_SECRET},
        {"MEETBOT_WEBHOOKS__CASE_SYSTEM__SECRET_FILE": str(secret)},
    ):
        settings = _hooks(tmp_path, _HOOK, **environ)
        assert settings.webhooks["case-system"].secret == _HOOK_SECRET
        assert _HOOK_SECRET not in repr(settings)


@pytest.mark.parametrize(
    ("lines", "place", "what"),
    [
        ("", "webhooks.case-system.secret", "is missing"),
        ('secret = "short"', "webhooks.case-system.secret", "base64"),
        (f'secret = "{_HOOK_SECRET}"\nevents = []', "webhooks.case-system.events", "empty"),
        (f'secret = "{_HOOK_SECRET}"\nevents = ["x"]', "events[0]", "not one of the choices"),
    ],
)
def test_mistakes_of_a_webhook_name_its_key(
    tmp_path: Path, lines: str, place: str, what: str
) -> None:
    """The table's name is part of the place."""
    with pytest.raises(BadInput) as caught:
        _hooks(tmp_path, _HOOK + lines)
    (mistake,) = caught.value.mistakes
    assert place in mistake.place
    assert what in mistake.what


@pytest.mark.parametrize(
    "url", ["http://cases.district.example/", "https://a:b@cases.example/", "ftp://x/", "cases"]
)
def test_flags_never_travel_in_the_clear(tmp_path: Path, url: str) -> None:
    """http only on loopback, and no password in an address."""
    text = SMALLEST + f'[webhooks.x]\nurl = "{url}"\nsecret = "{_HOOK_SECRET}"\n'
    with pytest.raises(BadInput) as caught:
        _hooks(tmp_path, text)
    assert "webhooks.x.url" in caught.value.mistakes[0].place


def test_a_webhook_on_loopback_may_use_http(tmp_path: Path) -> None:
    """For programs beside meetbot."""
    text = f'[webhooks.x]\nurl = "http://127.0.0.1:9/x"\nsecret = "{_HOOK_SECRET}"\n'
    assert _hooks(tmp_path, SMALLEST + text).webhooks["x"].is_internal


# --- console ------------------------------------------------------------------------------------

CONSOLE = """
[console]
base_url = "https://meetbot.district.example/"
listen = "[::1]:8443"
officers = ["Officer.One@district.example"]
keepers = ["registrar@district.example", "registrar@district.example"]
trusted_proxies = ["127.0.0.1", "10.1.2.3/24"]
[console.oidc]
client_id = "abc"
client_secret = "hidden"
"""


def with_console(file: Path, text: str) -> Path:
    file.write_text(file.read_text(encoding="utf-8") + text, encoding="utf-8")
    return file


def test_the_console(file: Path) -> None:
    """Address, roles, provider and proxies are read; the provider is Google unless said."""
    found = load(with_console(file, CONSOLE)).console

    assert found.base_url == "https://meetbot.district.example"
    assert found.listen == Endpoint("::1", 8443)
    assert found.keepers == ("registrar@district.example",)
    assert [str(network) for network in found.trusted_proxies] == ["127.0.0.1/32", "10.1.2.0/24"]
    assert found.oidc is not None
    assert found.oidc.issuer == "https://accounts.google.com"
    assert "hidden" not in repr(found)


def test_roles_of_the_console_that_are_left_out(file: Path) -> None:
    """Whom mails go to may read the same here; to edit and to audit somebody has to be named."""
    settings = load(file)

    assert settings.console.oidc is None
    assert settings.console.people(settings.mail) == {
        "officers": ("officer@district.example",),
        "privacy_officers": ("officer@district.example",),
        "operators": ("officer@district.example",),
        "keepers": (),
        "auditors": (),
    }
    named = load(with_console(file, "[console]\nofficers = []\noperators = ['a@district.example']"))
    people = named.console.people(named.mail)
    assert people["officers"] == ()
    assert people["operators"] == ("a@district.example",)


def test_mistakes_of_the_console(file: Path) -> None:
    """Each has its key and a fix; a secret is not shown."""
    with_console(
        file,
        """
        [console]
        base_url = "http://meetbot.district.example"
        listen = "meetbot.district.example:80"
        auditors = ["auditor@partner.example"]
        trusted_proxies = ["proxy"]
        secret_key = "topsecret"
        [console.oidc]
        issuer = "http://login.example"
        client_secret = "topsecret\\n"
        client = "x"
        """,
    )

    found = {mistake.place.rpartition(": ")[2]: mistake for mistake in mistakes_of(file)}

    assert found.keys() == {
        "console.listen",
        "console.auditors[0]",
        "console.trusted_proxies[0]",
        "console.secret_key",
        "console.oidc.issuer",
        "console.oidc.client_id",
        "console.oidc.client_secret",
        "console.oidc.client",
    }
    assert found["console.oidc.client"].fix.startswith("did you mean client_")
    assert "sign in" in found["console.auditors[0]"].fix
    assert all(mistake.fix for mistake in found.values())
    assert "topsecret" not in "".join(map(str, found.values()))


def test_sessions_never_travel_in_the_clear(file: Path) -> None:
    """Where people sign in, the console's address is https or this machine."""
    with_console(file, CONSOLE.replace("https://meetbot", "http://meetbot"))

    mistake = the_mistake(file)

    assert mistake.place.endswith("console.base_url")
    assert "https://" in mistake.fix
    assert load(file, MEETBOT_CONSOLE__BASE_URL="http://[::1]:8000").console.oidc is not None


def test_the_provider_by_environment(file: Path, tmp_path: Path) -> None:
    """The environment alone may name it, its secret in a file."""
    secret = tmp_path / "client-secret"
    secret.write_text("hidden\n", encoding="utf-8")

    found = load(
        file,
        MEETBOT_CONSOLE__OIDC__ISSUER="http://127.0.0.1:9400/",
        MEETBOT_CONSOLE__OIDC__CLIENT_ID="abc",
        MEETBOT_CONSOLE__OIDC__CLIENT_SECRET_FILE=str(secret),
        MEETBOT_CONSOLE__OFFICERS="a@district.example, b@district.example",
    ).console

    assert found.oidc is not None
    assert (found.oidc.issuer, found.oidc.client_secret) == ("http://127.0.0.1:9400", "hidden")
    assert found.officers == ("a@district.example", "b@district.example")

    secret.unlink()
    places = {
        mistake.place
        for mistake in mistakes_of(
            file,
            MEETBOT_CONSOLE__OIDC__CLIENT_ID="abc",
            MEETBOT_CONSOLE__OIDC__CLIENT_SECRET_FILE=str(secret),
        )
    }
    assert places == {"MEETBOT_CONSOLE__OIDC__CLIENT_SECRET_FILE"}
