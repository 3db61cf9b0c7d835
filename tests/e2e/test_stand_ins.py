"""Over real HTTP: other accounts of host and partner, cover, and confidential meetings."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from meetbot.sandbox.model import Attendee, Joins
from tests.command import meetbot
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    NOON,
    OFFICER,
    PARTNER,
    PRINCIPAL,
    PRIVACY,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    small_rows,
    there,
)

START = NOON - 30 * HOUR
CLASS = STUDENTS[:2]
LISTED = [Attendee(PARTNER, "Pia Bright"), *map(Attendee, CLASS)]


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """The small district; each test holds its lesson yesterday."""
    with a_scene(tmp_path) as made:
        yield made


def test_a_partner_with_another_address(scene: Scene) -> None:
    """The invited partner is absent, an outsider of the same name is there."""
    event = scene.lesson(START, guests=LISTED)  # type: ignore[arg-type] # attendees with names
    scene.call(
        event,
        there(TEACHER, START, 0, 45),
        there("pia.b@elsewhere.example", START, 0, 45, name="Pia Bright"),
        *(there(one, START, 0, 45) for one in CLASS),
    )
    scene.poll()
    flag = scene.flag("partner-unexpected-account")

    assert (flag.severity, flag.certainty) == ("medium", "needs-review")
    assert flag.message == "Probably a guest of Bright Path, other address."
    assert flag.advice == "Ask the partner to use bright.example."
    assert {"uninvited-external-joined", "partner-unregistered"} <= scene.rules()
    assert flag.facts["identity"]["present"]["external"] == ["E2"]  # type: ignore[index]


def test_a_host_with_a_personal_account(scene: Scene) -> None:
    """Somebody who calls themselves like the host: presence needs review, and is still critical."""
    event = scene.lesson(START)
    scene.call(
        event,
        there("Tara Teach", START, 0, 45, joins=Joins.ANONYMOUS, name="Tara Teach"),
        there(PARTNER, START, 0, 45),
        *(there(one, START, 0, 45) for one in CLASS),
    )
    scene.poll()
    presence = scene.flag("no-staff-joined")

    assert scene.flag("staff-unexpected-account").message == (
        "Host may have used a personal account."
    )
    assert (presence.severity, presence.certainty) == ("critical", "needs-review")


@pytest.mark.parametrize(
    ("units", "severity"), [("[]", "info"), ('["/Staff/Cedar"]', "info"), ('["/X"]', "medium")]
)
def test_a_colleague_covers(scene: Scene, units: str, severity: str) -> None:
    """Noted; medium where the district says that this unit may not; an invited one is no cover."""
    policy = scene.stage.config.with_name("policy.toml")
    policy.write_text(f"certificated_units = {units}\n", encoding="utf-8")
    event = scene.lesson(START, event_id="cover")
    shared = scene.lesson(START - 2 * DAY, event_id="shared", guests=[PARTNER, COLLEAGUE, *CLASS])
    for lesson in (event, shared):
        assert not isinstance(lesson.start, str)
        begin = START if lesson is event else START - 2 * DAY
        people = (COLLEAGUE, PARTNER, *CLASS)
        scene.call(lesson, *(there(one, begin, 0, 45) for one in people))
    with scene.restarted():
        scene.poll()
        flag = scene.flag("substitute-supervisor")

    assert flag.occurrence.ical_uid == event.ical_uid
    assert flag.severity == severity
    assert "covered for the host." in flag.message


# --- confidential -------------------------------------------------------------------------------


@pytest.fixture
def clinic(tmp_path: Path) -> Iterator[Scene]:
    """Bright Path is a clinician with consent on file; its meetings are confidential."""
    rows = small_rows(NOON)
    rows["programs.csv"][0]["type"] = "mental-health"
    first, last = f"{NOON - 200 * DAY:%Y-%m-%d}", f"{NOON + 200 * DAY:%Y-%m-%d}"
    rows["exemptions.csv"] = [
        {
            "kind": "confidential-clinical",
            "value": "bright-college",
            "consent_on_file": "yes",
            "reason": "school mental health",
            "owner": PRIVACY,
            "starts_on": first,
            "ends_on": last,
        }
    ]
    with a_scene(tmp_path, rows=rows) as made:
        yield made


@pytest.mark.parametrize(("minutes", "is_told"), [(59 / 60, False), (1, True)])
def test_an_intruder_is_told_to_the_privacy_officer_only(
    clinic: Scene, minutes: float, is_told: bool
) -> None:
    """Staff came into a confidential session: one mail, to one office, that hints at nothing."""
    event = clinic.lesson(START, guests=[PARTNER, CLASS[0]], summary="Counseling")
    clinic.call(
        event,
        there(PARTNER, START, 0, 45),
        there(CLASS[0], START, 0, 45),
        there(COLLEAGUE, START, 10, 10 + minutes),
    )
    letters = clinic.poll_letters()
    assert clinic.rules() == ({"confidential-intruder"} if is_told else set())
    if not is_told:
        assert letters == []
        return
    flag = clinic.flag("confidential-intruder")
    assert (flag.severity, flag.certainty) == ("critical", "confirmed")
    assert flag.message == "An extra person was present 1:00."
    assert flag.advice == ""
    assert [letter.to for letter in letters] == [(PRIVACY,)]
    for word in ("Bright", "bright", "ounsel", "clinic", "mental", "Colin", "Tara", "kid1"):
        assert word not in letters[0].text.replace("school-mental-health@district.example", "")


def test_a_session_as_it_should_be_is_silent(clinic: Scene) -> None:
    """Clinician and student alone: no flag, no mail, no reminder; its use of the row is counted."""
    event = clinic.lesson(START, guests=[PARTNER, CLASS[0]])
    clinic.call(event, there(PARTNER, START, 0, 45), there(CLASS[0], START, 0, 45))
    clinic.lesson(NOON + HOUR, guests=[PARTNER, CLASS[0]])
    letters = clinic.poll_letters()

    assert clinic.rules() == set()
    assert letters == []
    with clinic.stage.app.store.reading() as tx:
        assert dict(tx.exemptions.counts(START - DAY, NOON + DAY)) == {"confidential-clinical": 2}


def test_an_intruders_flag_reaches_nobody_after_the_contract_lapsed(clinic: Scene) -> None:
    """The exemption lapses with its contract: ordinary rules speak, of this nobody else hears."""
    event = clinic.lesson(START, guests=[PARTNER, CLASS[0]])
    clinic.call(
        event,
        there(PARTNER, START, 0, 45),
        there(CLASS[0], START, 0, 45),
        there(COLLEAGUE, START, 10, 20),
    )
    clinic.poll()
    rows = small_rows(NOON)
    rows["contracts.csv"] = []
    clinic.stage.import_registry(rows)
    letters = clinic.poll_letters()

    assert "confidential-intruder" not in clinic.rules()
    assert "partner-alone-with-student" in clinic.rules()
    assert {OFFICER, PRINCIPAL, TEACHER} <= {to for letter in letters for to in letter.to}
    others = [letter for letter in letters if PRIVACY not in letter.to]
    assert not any("extra person" in letter.text for letter in others)


# --- exemptions ---------------------------------------------------------------------------------


def test_every_use_of_an_exemption_is_counted_once(tmp_path: Path) -> None:
    """A parent conference is not kept and still counted; the weekly mail tells the number."""
    rows = small_rows(NOON)
    rows["exemptions.csv"] = [
        {
            "kind": "guardian",
            "value": "mum@home.example",
            "reason": "parent",
            "owner": PRINCIPAL,
            "starts_on": f"{NOON - 200 * DAY:%Y-%m-%d}",
            "ends_on": f"{NOON + 200 * DAY:%Y-%m-%d}",
        }
    ]
    with a_scene(tmp_path, rows=rows) as scene:
        for number in range(4):
            begin = NOON - (number + 1) * HOUR
            scene.lesson(begin, guests=["mum@home.example", COLLEAGUE], event_id=f"parent{number}")
        scene.poll()
        scene.world.expire_sync_tokens()
        scene.poll(NOON + HOUR)
        with scene.stage.app.store.reading() as tx:
            assert dict(tx.exemptions.counts(NOON - DAY, NOON + DAY)) == {"guardian": 4}
        letters = scene.poll_letters(NOON + 7 * DAY)
        assert any("guardian: 4 meetings" in letter.text for letter in letters)
        ran = meetbot(
            "--config", scene.stage.config, "flags", "list", "--json", cwd=scene.stage.folder
        )
        assert json.loads(ran.out) == []
