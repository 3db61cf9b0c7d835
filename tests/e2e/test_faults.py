"""What goes wrong at Google or on the way: only its own unit suffers, and nothing is invented."""

from __future__ import annotations

import json
import socket
import time
from collections.abc import Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from datetime import UTC, datetime
from email import message_from_bytes
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller

from meetbot.domain.notices import Mail, Notice
from meetbot.jobs import poll
from meetbot.jobs.poll import PollResult
from meetbot.ports import ComposePort, MailerPort, Store, Tx
from meetbot.sandbox.faults import Api, Fault, Kind
from tests.command import meetbot
from tests.scene import (
    COLLEAGUE,
    DAY,
    HOUR,
    MINUTE,
    NOON,
    OFFICER,
    PARTNER,
    PRINCIPAL,
    STUDENTS,
    TEACHER,
    Scene,
    a_scene,
    there,
)

START = NOON - 5 * HOUR
PRESENCE = {
    "no-staff-joined", "staff-joined-late", "staff-left-early", "staff-presence-gap",
    "partner-alone-with-student",
}  # fmt: skip


@pytest.fixture
def scene(tmp_path: Path) -> Iterator[Scene]:
    """A lesson left early five hours ago, and a flawed one in two days; nothing polled yet."""
    with a_scene(tmp_path) as made:
        held = made.lesson(START, event_id="held")
        made.call(
            held,
            there(TEACHER, START, 0, 30),
            there(PARTNER, START, 0, 44),
            *(there(one, START, 0, 45) for one in STUDENTS),
        )
        made.lesson(
            NOON + 2 * DAY,
            event_id="ahead",
            organizer=COLLEAGUE,
            guests=[PARTNER, "nora@stranger.example", *STUDENTS],
        )
        yield made


HELD, AHEAD = "held@google.com", "ahead@google.com"


def _failed(result: PollResult) -> set[str]:
    """Names of the sources that were not read in full, each with a reason."""
    failed = {name for name, tally in result.sources.items() if tally.failed}
    for name in failed:
        assert result.sources[name].reasons, name
    assert result.is_covered == (not failed)
    return failed


def _all_is_flagged(scene: Scene) -> None:
    assert "staff-left-early" in scene.rules(HELD)
    assert "partner-unregistered" in scene.rules(AHEAD)


def test_without_faults_both_lessons_are_flagged(scene: Scene) -> None:
    """What the other tests take away from."""
    assert _failed(scene.poll()) == set()
    _all_is_flagged(scene)


# --- one line of scopes, one subject ------------------------------------------------------------


@pytest.mark.parametrize(
    ("scope", "source"),
    [
        ("calendar.events.readonly", "calendars"),
        ("meetings.space.readonly", "meet"),
        ("admin.directory.user.readonly", "directory"),
        ("admin.directory.group.member.readonly", "groups"),
        ("admin.directory.domain.readonly", "domains"),
        ("admin.reports.audit.readonly", "reports-meet"),
    ],
)
def test_a_missing_scope_disables_only_its_own_line(scene: Scene, scope: str, source: str) -> None:
    """The line is named as failed; after the grant a second pass flags everything."""
    scene.world.refuse_token(scope=scope, error="access_denied", description="not granted")
    failed = _failed(scene.poll())
    assert source in failed
    same_line = {"reports-calendar"} if source == "reports-meet" else set()
    assert failed <= {source, *same_line, "calendars", "directory-lookups", "groups"}
    if source in ("meet", "reports-meet", "groups", "domains"):
        assert "partner-unregistered" in scene.rules(AHEAD)
    if source == "directory":
        assert scene.rules() == set()
    assert "adhoc-meeting" not in scene.rules()
    scene.world.heal()
    assert _failed(scene.poll(NOON + MINUTE)) == set()
    _all_is_flagged(scene)


@pytest.mark.parametrize(
    ("error", "description"),
    [
        ("unauthorized_client", "Unauthorized client or scope in request."),
        ("invalid_grant", "Invalid JWT Signature."),
        ("invalid_grant", "Invalid JWT: Token must be a short-lived token (60 minutes)"),
        ("disabled_client", ""),
        ("admin_policy_enforced", ""),
    ],
)
def test_a_refused_delegation_flags_nothing(scene: Scene, error: str, description: str) -> None:
    """Every source fails with a reason, no flag, no mail; nothing known is lost later on."""
    scene.poll()
    before = scene.rules()
    scene.letters()
    scene.world.refuse_token(error=error, description=description, status=400)
    with scene.restarted():  # a service that was running has tokens for an hour
        result = scene.poll(NOON + HOUR)
    assert {"directory", "calendars", "reports-meet"} <= _failed(result)
    assert not result.flags["withdrawn"]
    assert scene.rules() == before
    assert scene.letters() == []


def test_an_unknown_calendar_owner_fails_alone(scene: Scene) -> None:
    """`invalid_grant` for one teacher: one calendar failed, the others read."""
    scene.world.refuse_token(
        subject=TEACHER, error="invalid_grant", description="Invalid email or User ID", status=400
    )
    result = scene.poll()
    tally = result.sources["calendars"]
    assert (tally.read, tally.failed) == (2, 1)
    assert "partner-unregistered" in scene.rules(AHEAD)


def test_a_suspended_user_is_skipped(scene: Scene) -> None:
    """A suspended teacher's calendar is not asked for: nothing fails."""
    scene.world.suspend(COLLEAGUE)
    result = scene.poll()
    assert _failed(result) == set()
    assert result.sources["calendars"].read == 2
    assert all(line.subject != COLLEAGUE for line in scene.stage.box.requests.lines)


# --- calendars ----------------------------------------------------------------------------------


def test_a_calendar_that_is_not_there_fails_alone(scene: Scene) -> None:
    """404 for one calendar: counted with its reason, what was known of it stays."""
    scene.poll()
    scene.world.fail("calendar", 404, "notFound", times=None, subject=COLLEAGUE)
    result = scene.poll(NOON + MINUTE)
    assert _failed(result) == {"calendars"}
    assert (result.sources["calendars"].read, result.sources["calendars"].failed) == (2, 1)
    assert not any(result.flags.values())
    _all_is_flagged(scene)


def test_an_expired_sync_token_reconciles_deletions(scene: Scene) -> None:
    """410 and an event deleted meanwhile: read in full, its flags withdrawn, the others kept."""
    scene.poll()
    scene.world.cancel_event("ahead")
    scene.world.expire_sync_tokens()
    scene.world.events["ahead"].on_calendars = frozenset()
    for calendar in scene.world.calendars.values():
        calendar.entries.pop("ahead", None)
    result = scene.poll(NOON + MINUTE)
    assert _failed(result) == set()
    assert scene.rules(AHEAD) == set()
    assert "staff-left-early" in scene.rules(HELD)


def test_empty_and_small_pages_lose_nothing(scene: Scene) -> None:
    """Pages of one entry, an empty one first: the same flags."""
    scene.world.shaping.page_cap = 1
    scene.world.shaping.empty_pages = True
    assert _failed(scene.poll()) == set()
    _all_is_flagged(scene)


# --- rate limits, outages, damage ---------------------------------------------------------------


@pytest.mark.parametrize(
    ("api", "status", "reason", "answer"),
    [
        ("calendar", 403, "rateLimitExceeded", {}),
        ("calendar", 429, "rateLimitExceeded", {"retry_after": 1}),
        ("directory", 403, "userRateLimitExceeded", {}),
        ("meet", 429, "RESOURCE_EXHAUSTED", {"retry_after": 1}),
        ("meet", 503, "UNAVAILABLE", {}),
        ("reports", 503, "backendError", {"retry_after": 1}),
        ("token", 503, "", {}),
    ],
)
def test_a_passing_refusal_is_tried_again(
    scene: Scene, api: str, status: int, reason: str, answer: dict[str, Any]
) -> None:
    """Refused once: the pass still reads everything."""
    scene.world.fail(api, status, reason, times=1, **answer)
    assert _failed(scene.poll()) == set()
    _all_is_flagged(scene)


@pytest.mark.parametrize(
    ("api", "kind"),
    [
        ("calendar", "malformed"), ("calendar", "truncated"), ("calendar", "drop"),
        ("directory", "truncated"), ("meet", "malformed"), ("reports", "truncated"),
    ],
)  # fmt: skip
def test_a_damaged_answer_is_read_again(scene: Scene, api: str, kind: str) -> None:
    """An answer that is no JSON, cut short, or never comes, once: nothing is lost."""
    scene.world.fail(api, kind=kind, times=1)
    assert _failed(scene.poll()) == set()
    _all_is_flagged(scene)


@pytest.mark.parametrize(
    ("api", "sources"),
    [
        ("calendar", {"calendars"}),
        ("directory", {"directory", "groups", "domains", "directory-lookups", "calendars"}),
        ("meet", {"meet"}),
        ("reports", {"reports-meet", "reports-calendar"}),
    ],
)
def test_lasting_damage_is_counted(scene: Scene, api: str, sources: set[str]) -> None:
    """An API whose answers stay damaged fails with a reason; known flags stay as they are."""
    scene.poll()
    before = scene.rules()
    scene.letters()
    scene.world.fail(api, kind="malformed", times=None)
    result = scene.poll(NOON + MINUTE)
    if api != "meet":  # finished calls are not read again
        failed = _failed(result)
        assert failed
        assert failed <= sources
    assert not result.flags["withdrawn"]
    assert scene.rules() == before
    assert scene.letters() == []


def test_a_directory_that_fails_first_accuses_nobody(scene: Scene) -> None:
    """Directory down at the first pass: no flag, no mail, not covered; up at the second: flags."""
    scene.world.fail("directory", 403, "forbidden", times=None)
    result = scene.poll()
    assert "directory" in _failed(result)
    assert scene.rules() == set()
    assert scene.letters() == []
    scene.world.heal()
    assert _failed(scene.poll(NOON + MINUTE)) == set()
    _all_is_flagged(scene)


def test_a_directory_cut_short_accuses_nobody(scene: Scene) -> None:
    """The listing fails after its first pages: nobody on the rest becomes an outsider."""
    scene.world.shaping.page_cap = 1
    passing = Fault(Api.DIRECTORY, Kind.SLOW, seconds=0.0, times=3, method="directory.users.list")
    refusing = Fault(Api.DIRECTORY, status=403, reason="forbidden", times=None)
    scene.world.shaping.faults += [passing, refusing]
    assert "directory" in _failed(scene.poll())
    assert scene.rules() == set()
    scene.world.heal()
    assert _failed(scene.poll(NOON + MINUTE)) == set()
    _all_is_flagged(scene)


def test_meet_down_and_reports_up_still_decides(scene: Scene) -> None:
    """The audit log alone shows the gap."""
    scene.world.fail("meet", 403, "forbidden", times=None)
    assert _failed(scene.poll()) == {"meet"}
    assert "staff-left-early" in scene.rules(HELD)


def test_reports_down_and_meet_up_still_decides(scene: Scene) -> None:
    """Meet alone shows the gap; the partner is known by name only: needs review."""
    scene.world.fail("reports", 403, "forbidden", times=None)
    assert _failed(scene.poll()) == {"reports-meet", "reports-calendar"}
    assert scene.flag("staff-left-early").certainty == "needs-review"


def test_neither_readable_is_undecided(scene: Scene) -> None:
    """No presence flag, nothing silent: failed now, `evidence-incomplete` a day later."""
    scene.world.fail("meet", 403, "forbidden", times=None)
    scene.world.fail("reports", 403, "forbidden", times=None)
    assert _failed(scene.poll()) == {"meet", "reports-meet", "reports-calendar"}
    assert not scene.rules(HELD) & PRESENCE
    scene.poll(NOON + DAY)
    assert scene.rules(HELD) == {"evidence-incomplete"}


@pytest.mark.parametrize("token_too", [False, True], ids=["apis", "apis and tokens"])
def test_a_dead_api_root_ends_soon(scene: Scene, token_too: bool) -> None:
    """Nobody listens there: exit 3 within a minute, nothing lost, no flag, no mail."""
    scene.clock.to(datetime.now(UTC))
    scene.poll()
    before, _ = scene.rules(), scene.letters()
    if token_too:
        key = scene.stage.folder / "credentials.json"
        dead = json.loads(key.read_text()) | {"token_uri": "http://127.0.0.1:9/token"}
        key.write_text(json.dumps(dead))
    began = time.monotonic()
    ran = meetbot(
        "--config", scene.stage.config, "poll", "--json",
        cwd=scene.stage.folder, MEETBOT_GOOGLE__API_ROOT="http://127.0.0.1:9",
    )  # fmt: skip
    assert time.monotonic() - began < 60
    assert ran.code == 3
    assert ran.json["covered"] is False
    assert ran.json["sources"]["directory"]["failed"] == 1
    assert scene.rules() == before
    assert scene.letters() == []


def test_an_unreadable_key_is_named(tmp_path: Path) -> None:
    """A key that is no JSON, lacks fields or holds no private key: exit 2 and the fix."""
    with a_scene(tmp_path) as scene:
        good = json.loads((tmp_path / "credentials.json").read_text())
        for text in (
            "not json",
            "[]",
            json.dumps({k: v for k, v in good.items() if k != "private_key"}),
            json.dumps(good | {"private_key": "-----BEGIN PRIVATE KEY-----\nxx\n"}),
            json.dumps(good | {"type": "authorized_user"}),
        ):
            (tmp_path / "credentials.json").write_text(text)
            ran = meetbot("--config", scene.stage.config, "poll", cwd=tmp_path)
            assert ran.code == 2
            assert "credentials" in ran.err
            assert "Traceback" not in ran.err
            assert "PRIVATE KEY" not in ran.err


# --- mail ---------------------------------------------------------------------------------------


class _Server:
    """An SMTP server that answers each message as told and counts what it took."""

    def __init__(self) -> None:
        self.answer = "250 ok"
        self.to_recipient: dict[str, str] = {}
        self.recipients: list[tuple[str, ...]] = []
        self.taken: list[str] = []
        self.tried: list[str] = []

    async def handle_RCPT(  # noqa: N802
        self, _server: object, _session: object, envelope: Any, address: str, _options: object
    ) -> str:
        answer = self.to_recipient.get(address, "250 ok")
        if answer.startswith("250"):
            envelope.rcpt_tos.append(address)
        return answer

    async def handle_DATA(self, _server: object, _session: object, envelope: Any) -> str:  # noqa: N802
        message_id = next(
            line for line in envelope.content.splitlines() if line.startswith(b"Message-ID:")
        ).decode()
        self.tried.append(message_id)
        if self.answer.startswith("250"):
            self.taken.append(message_id)
            self.recipients.append(tuple(envelope.rcpt_tos))
        return self.answer


@contextmanager
def _mail_server() -> Iterator[tuple[_Server, str]]:
    handler = _Server()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(handler, hostname="127.0.0.1", port=port)
    controller.start()
    try:
        yield handler, f"smtp://127.0.0.1:{port}"
    finally:
        controller.stop()


def test_a_deferred_mail_is_sent_once_within_a_minute(scene: Scene) -> None:
    """451: deferred; tried again within 60 s with the same Message-ID; then never again."""
    with _mail_server() as (server, url), scene.restarted(MEETBOT_MAIL__URL=url):
        server.answer = "451 later"
        first = scene.poll()
        assert first.mails["deferred"] > 0
        assert first.mails["sent"] == first.mails["failed"] == 0
        tried = list(server.tried)
        server.answer = "250 ok"
        second = scene.poll(NOON + MINUTE)
        assert second.mails["sent"] == first.mails["deferred"]
        assert sorted(server.taken) == sorted(tried)
        assert scene.poll(NOON + 2 * MINUTE).mails["sent"] == 0


def test_a_refused_mail_fails(scene: Scene) -> None:
    """550: failed and counted, not tried again."""
    with _mail_server() as (server, url), scene.restarted(MEETBOT_MAIL__URL=url):
        server.answer = "550 no"
        first = scene.poll()
        assert first.mails["failed"] > 0
        assert first.mails["sent"] == first.mails["deferred"] == 0
        number = len(server.tried)
        scene.poll(NOON + HOUR)
        assert len(server.tried) == number


def test_gmail_takes_each_mail_once(scene: Scene) -> None:
    """Transport `gmail`: nothing is lost while the sender's mailbox is missing or Gmail is down."""
    with scene.restarted(MEETBOT_MAIL__TRANSPORT="gmail"):
        first = scene.poll()
        assert (first.mails["sent"], first.mails["failed"]) == (0, 0)
        assert first.mails["deferred"] > 1
        scene.world.add_user("meetbot@district.example", "Meetbot", "/Service")
        scene.world.fail("gmail", 503, "backendError", times=1)
        second = scene.poll(NOON + MINUTE)
        assert second.mails["deferred"] == 1
        third = scene.poll(NOON + 2 * MINUTE)
    assert second.mails["sent"] + third.mails["sent"] == first.mails["deferred"]
    sent = [message_from_bytes(mail.raw) for mail in scene.world.mails]
    assert len({mail["Message-ID"] for mail in sent}) == len(sent) == first.mails["deferred"]
    assert scene.letters() == []


def test_operators_hear_once_of_mails_that_were_given_up(scene: Scene) -> None:
    """After two hours one mail with number and reason; it names nobody and is not repeated."""
    with _mail_server() as (server, url), scene.restarted(MEETBOT_MAIL__URL=url):
        server.answer = "550 no"
        number = scene.poll().mails["failed"]
    assert number > 0
    (told,) = scene.poll_letters(NOON + 2 * HOUR)
    assert told.to == ("it@district.example",)
    assert told.subject == f"[meetbot] meetbot gave up {number} mails"
    assert f"{number}: the mail server refused the mail (550)" in told.text
    assert TEACHER not in told.text
    assert scene.poll_letters(NOON + 3 * HOUR) == []


def test_a_mail_server_that_is_down_loses_nothing(scene: Scene) -> None:
    """Nobody listens: flags stand, mails are deferred, and sent once when the server is back."""
    with scene.restarted(MEETBOT_MAIL__URL="smtp://127.0.0.1:9"):
        first = scene.poll()
    assert first.mails["deferred"] > 0
    _all_is_flagged(scene)
    second = scene.poll(NOON + MINUTE)
    assert second.mails["sent"] == first.mails["deferred"] == len(scene.letters())


def test_one_recipient_put_off_sends_nobody_a_mail_twice(scene: Scene) -> None:
    """452 for one of two officers: another process tries again, and only that one gets it then."""
    officers = f"{OFFICER},second.officer@district.example"
    with _mail_server() as (server, url):
        server.to_recipient[OFFICER] = "452 mailbox full"
        with scene.restarted(MEETBOT_MAIL__URL=url, MEETBOT_MAIL__OFFICERS=officers):
            first = scene.poll()
        assert first.mails["deferred"] > 0
        server.to_recipient.clear()
        with scene.restarted(MEETBOT_MAIL__URL=url, MEETBOT_MAIL__OFFICERS=officers):
            scene.poll(NOON + MINUTE)
        got = [
            (message, to)
            for message, recipients in zip(server.taken, server.recipients, strict=True)
            for to in recipients
        ]
        assert len(got) == len(set(got))
        both = {message for message, to in got if to == OFFICER}
        assert both == {m for m, to in got if to == "second.officer@district.example"} != set()


class _Killed(BaseException):
    """Ends a process where it stands, as SIGKILL does."""


class _DeadlyMailer:
    """Hands the first mail over and dies before that can be noted."""

    def __init__(self, mailer: MailerPort) -> None:
        self._mailer = mailer

    def send(self, mail: Mail) -> None:
        self._mailer.send(mail)
        raise _Killed


def test_after_a_death_while_sending_the_next_pass_sends_the_rest(scene: Scene) -> None:
    """The mail in hand comes twice at most, with the same Message-ID; the others once each."""
    deps = scene.stage.app.deps
    with pytest.raises(_Killed):
        poll.run(replace(deps, mailer=_DeadlyMailer(deps.mailer)), scene.clock, requests=dict)
    (first,) = scene.letters()
    second = scene.poll(NOON + MINUTE)
    ids = [letter.message["Message-ID"] for letter in scene.letters()]
    assert second.mails["sent"] == len(ids) == len(set(ids)) > 1
    assert first.message["Message-ID"] in ids


class _SharedStore:
    """A database on which another process delivers all the time."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def transaction(self) -> AbstractContextManager[Tx]:
        return self._store.transaction()

    def reading(self) -> AbstractContextManager[Tx]:
        return self._store.reading()

    @contextmanager
    def alone(self, work: str, *, patience: float = 0.0) -> Iterator[bool]:  # noqa: ARG002
        yield False


def test_what_another_process_is_delivering_is_left_to_it(scene: Scene) -> None:
    """Nothing is sent beside it and nothing taken from it; later all of it leaves."""
    deps = scene.stage.app.deps
    beside = poll.run(replace(deps, store=_SharedStore(deps.store)), scene.clock, requests=dict)
    assert beside.flags["opened"] > 0
    assert not any(beside.mails.values())
    assert scene.letters() == []
    assert scene.poll(NOON + MINUTE).mails["sent"] == len(scene.letters()) > 0


class _BrokenComposer:
    """Cannot render what goes to one address: a defect of ours."""

    def __init__(self, compose: ComposePort, address: str) -> None:
        self._compose, self._address = compose, address

    def __call__(self, notice: Notice, *, references: tuple[str, ...], sent_at: datetime) -> Mail:
        if self._address in notice.to:
            raise ZeroDivisionError
        return self._compose(notice, references=references, sent_at=sent_at)


def test_one_mail_that_cannot_be_made_keeps_back_no_other(scene: Scene) -> None:
    """A defect in one notice: it waits, and all others leave."""
    deps = scene.stage.app.deps
    broken = replace(deps, compose=_BrokenComposer(deps.compose, TEACHER))
    result = poll.run(broken, scene.clock, requests=dict)
    assert result.mails["deferred"] > 0
    assert result.mails["sent"] == len(scene.letters()) > 0


# --- hostile words ------------------------------------------------------------------------------

HOSTILE = (
    "<script>alert(1)</script><img src=https://evil.example/x.png>",
    "Subject: x\r\nBcc: thief@evil.example\r\n\r\nhello",
    "\u202egnp.exe\u2066 \u200b\x00\x1b[31m",
    "{{ 7*7 }} {% raw %} %s %(x)s ${x}",
    "A" * 1_000_000,
)


@pytest.mark.parametrize("words", HOSTILE, ids=range(len(HOSTILE)))
def test_hostile_words_harm_nothing(tmp_path: Path, words: str) -> None:
    """In titles, texts, guests' and participants' names: all is read, no word reaches a mail."""
    with a_scene(tmp_path) as scene:
        scene.world.user(TEACHER).name = words[:2000]
        held = scene.lesson(
            START,
            event_id="held",
            summary=words,
            description=words,
            location=words,
        )
        held.attendees[1].name = words
        scene.call(
            held,
            there(TEACHER, START, 0, 30, name=words[:5000]),
            there(PARTNER, START, 0, 44, name=words[:5000]),
            there(words[:5000], START, 10, 40, joins="anonymous", name=words[:5000]),
            *(there(one, START, 0, 45) for one in STUDENTS),
        )
        result = scene.poll()
        assert _failed(result) == set()
        assert "staff-left-early" in scene.rules(HELD)
        letters = scene.letters()
        assert letters
        for letter in letters:
            assert set(letter.to) <= {TEACHER, OFFICER, PRINCIPAL}
            assert letter.message["Bcc"] is None
            assert len(letter.text) < 200_000
            for poison in ("\u202e", "\x1b", "A" * 300):
                assert poison not in letter.text
            (page,) = (p for p in letter.message.walk() if p.get_content_type() == "text/html")
            assert "<script" not in page.get_content()
            assert 'src="http' not in page.get_content()


@pytest.mark.parametrize(
    "broken",
    [
        {"start": {"dateTime": "yesterday"}},
        {"attendees": "everybody"},
        {"attendees": [None, 7, {"email": 5}, {"email": "no address"}]},
        {"organizer": [], "creator": "x"},
        {"conferenceData": {"entryPoints": {"a": 1}, "conferenceId": 7}},
        {"iCalUID": None},
    ],
)
def test_a_malformed_event_harms_no_other(scene: Scene, broken: dict[str, Any]) -> None:
    """One event of another shape than promised: the other meetings are judged as ever."""
    scene.lesson(NOON + 3 * DAY, event_id="broken", extra=broken)
    scene.poll()
    _all_is_flagged(scene)


def test_a_call_is_not_ad_hoc_while_its_calendars_are_unreadable(scene: Scene) -> None:
    """The host's calendar fails at the first pass: what happened in the call is told, but nobody
    is accused of having met without an event."""
    scene.world.fail("calendar", 404, "notFound", times=None, subject=TEACHER)
    result = scene.poll()
    assert (result.sources["calendars"].read, result.sources["calendars"].failed) == (2, 1)
    assert scene.rules() == {"staff-left-early", "partner-unregistered"}
    scene.world.heal()
    result = scene.poll(NOON + MINUTE)
    assert scene.rules(HELD) == {"staff-left-early"}
    # What was told of the call without an event now stands with its event, one time only.
    assert result.flags["withdrawn"] == 1
    assert sorted((f.rule, f.occurrence.ical_uid) for f in scene.stage.flags()) == [
        ("partner-unregistered", AHEAD),
        ("staff-left-early", HELD),
    ]
