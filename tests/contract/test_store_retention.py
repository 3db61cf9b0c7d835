"""What is kept how long, what a flag or a legal hold keeps, and that the chain stays checkable."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import text

from meetbot.domain.attendance import Identity, IdentityForm, Source
from meetbot.domain.case_ids import case_id
from meetbot.domain.casework import CaseEvent, EventKind, Noted
from meetbot.domain.chain import LinkKind
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus
from meetbot.domain.meetings import OccurrenceKey, Scope
from meetbot.domain.notices import Mail
from meetbot.domain.people import AccountKind, KnownAccount
from meetbot.domain.registry import Registry, Row
from meetbot.domain.registry_rows import (
    Activity,
    IdentityKind,
    Partner,
    PartnerKind,
)
from meetbot.domain.registry_rows import (
    Identity as PartnerIdentity,
)
from meetbot.domain.retention import Cutoffs, HoldKind, MonthCount
from meetbot.errors import NotFound
from meetbot.ports import Decision, Judged, KnownGroup, SentReminder
from meetbot.store import SqlStore
from tests.builders import (
    T0,
    TEACHER,
    a_conference,
    a_copy,
    a_guest,
    a_read,
    a_stored_flag,
    a_visit,
    at,
)
from tests.notices import every_notice

DAY = timedelta(days=1)
NOTICE = next(iter(every_notice().values()))
WHO = {"reason": "records request 12", "by": "officer@district.example"}


def a_lesson(store: SqlStore, uid: str, code: str, *, scope: Scope = Scope.FULL) -> int:
    """A meeting at `T0` in which a guest of partner.example was, with its mail and reminder."""
    guest = a_guest("key-bo", "partner.example", address="bo@partner.example")
    copy = a_copy(uid, ical_uid=uid, meeting_code=code, guests=(guest,))
    occurrence = OccurrenceKey(uid, T0).text
    ann = KnownAccount("ann", AccountKind.STAFF, "/Staff", address=TEACHER)
    with store.transaction() as tx:
        tx.people.save([(ann, ())], seen_at=T0)
        tx.meetings.apply(a_read(copy), as_of=T0)
        number = tx.meetings.find(OccurrenceKey(uid, T0))
        assert number is not None
        record = tx.meetings.load(number)
        tx.meetings.judged([Judged(number, record.version, scope)], as_of=T0)
        name = f"conferenceRecords/{uid}"
        visits = [a_visit("ann", conference=name), a_visit("bo", conference=name)]
        tx.conferences.save([a_conference(name, code=code)], visits, as_of=T0)
        notice = replace(NOTICE, id=f"n-{uid}", occurrence=occurrence, due_at=T0)
        tx.outbox.add([notice], as_of=T0)
        tx.outbox.sent(Mail(notice.id, f"<{uid}@d>", notice.to, b"mail"), at=T0)
        tx.reminders.add(occurrence, SentReminder("24h", T0, at(-1440)))
    return number


def a_flag_of(store: SqlStore, uid: str, **values: Any) -> Flag:
    records = (f"conferenceRecords/{uid}",)
    flag = a_stored_flag(uid=uid, **{"conference_records": records} | values)
    with store.transaction() as tx:
        key = OccurrenceKey(uid, T0)
        flag = replace(flag, occurrence=key, key=replace(flag.key, occurrence=key.text))
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=at(60))
    return flag


def dismiss(store: SqlStore, flag: Flag, when: datetime = T0 + DAY) -> None:
    with store.transaction() as tx:
        tx.flags.decide(
            Decision(flag.id, FlagStatus.DISMISSED, "technical", "", "o@district.example", when)
        )


def purge(
    store: SqlStore, days: int, confidential: Mapping[int, Collection[str]] | None = None
) -> dict[str, int]:
    """What a purge so many days after the lesson deletes, with the catalogue's times."""
    now = T0 + days * DAY
    cutoffs = Cutoffs(now - 4 * DAY, now - 90 * DAY, now - 1096 * DAY)
    with store.transaction() as tx:
        return dict(
            tx.retention.purge(
                cutoffs,
                confidential=confidential or {},
                month=lambda at: f"{at:%Y-%m}",
                as_of=now,
            )
        )


def assert_whole(store: SqlStore) -> None:
    with store.reading() as tx:
        assert tx.chain.audit().broken is None


def months(store: SqlStore) -> list[MonthCount]:
    with store.reading() as tx:
        return tx.retention.months(lambda at: f"{at:%Y-%m}", as_of=T0 + DAY)


def names(store: SqlStore, *uids: str) -> list[str]:
    with store.reading() as tx:
        found = tx.conferences.named([f"conferenceRecords/{uid}" for uid in uids])
    return [held.conference.name.rpartition("/")[2] for held in found]


def rows(store: SqlStore, table: str) -> int:
    with store._engine.connect() as connection:
        return int(connection.execute(text(f"SELECT count(*) FROM {table}")).scalar_one())


EVERY_TABLE = (
    "meetings",
    "copies",
    "meeting_guests",
    "conferences",
    "outbox",
    "reminders",
    "flags",
    "flag_history",
    "decisions",
)


def test_what_has_no_flag_becomes_counts_after_ninety_days(store: SqlStore) -> None:
    """Meeting, guests, attendance, mail and reminder go together, a day later than allowed."""
    a_lesson(store, "plain", "aaaaaaaaaa")
    before = months(store)
    assert before == [MonthCount("2026-10", meetings=1, calls=1, visits=2)]
    assert purge(store, 90) == {}

    assert purge(store, 91) == {"meetings": 1, "calls": 1, "outbox": 1, "reminders": 1}
    assert [rows(store, table) for table in EVERY_TABLE] == [0] * len(EVERY_TABLE)
    assert months(store) == before
    assert_whole(store)
    assert purge(store, 92) == {}


def test_what_rules_in_shadow_found_goes_with_its_meeting(store: SqlStore) -> None:
    """A shadow keeps nothing: not its meeting, and not itself without it."""
    for uid, code in (("plain", "aaaaaaaaaa"), ("flagged", "bbbbbbbbbb")):
        a_lesson(store, uid, code)
        found = a_stored_flag("contract-missing", uid=uid)
        key = OccurrenceKey(uid, T0)
        found = replace(found, occurrence=key, key=replace(found.key, occurrence=key.text))
        with store.transaction() as tx:
            tx.shadows.save([FlagChange(ChangeKind.OPENED, found)])
    a_flag_of(store, "flagged")
    assert purge(store, 90) == {}

    gone = purge(store, 91)
    assert (gone["meetings"], gone["shadow_flags"]) == (1, 1)
    with store.reading() as tx:
        assert [flag.occurrence.ical_uid for flag in tx.shadows.list()] == ["flagged"]
    assert_whole(store)


def test_counts_of_a_month_add_up(store: SqlStore) -> None:
    """Purge after purge; what was out of scope counts as no meeting."""
    a_lesson(store, "one", "aaaaaaaaaa")
    purge(store, 91)
    a_lesson(store, "two", "bbbbbbbbbb")
    a_lesson(store, "none", "cccccccccc", scope=Scope.NONE)
    assert purge(store, 92)["meetings"] == 2

    (month,) = months(store)
    assert (month.meetings, month.calls) == (2, 2)


def test_a_call_that_both_sources_tell_of_counts_once(store: SqlStore) -> None:
    """Stored or deleted; one that only the audit log knows counts as well."""
    a_lesson(store, "one", "aaaaaaaaaa")
    with store.transaction() as tx:
        for name, code, start in (("audit/1", "aaaaaaaaaa", 5), ("audit/2", "aaaaaaaaaa", 60)):
            call = a_conference(name, start, start + 30, source=Source.AUDIT, code=code)
            visit = a_visit("al", start, start + 30, conference=name, source=Source.AUDIT)
            tx.conferences.save([call], [visit], as_of=T0)
    before = months(store)
    assert before == [MonthCount("2026-10", meetings=1, calls=2, visits=3)]

    purge(store, 91)
    assert rows(store, "conferences") == 0
    assert months(store) == before


def test_a_flag_keeps_all_evidence_of_its_meeting(store: SqlStore) -> None:
    """A year on, what is flagged is as it was; its neighbor is gone."""
    a_lesson(store, "flagged", "aaaaaaaaaa")
    a_lesson(store, "plain", "bbbbbbbbbb")
    flag = a_flag_of(store, "flagged")
    dismiss(store, flag)

    purge(store, 366)
    assert names(store, "flagged", "plain") == ["flagged"]
    assert [rows(store, table) for table in EVERY_TABLE] == [1, 1, 2, 1, 1, 1, 1, 2, 1]
    assert_whole(store)


def test_a_case_goes_with_its_last_flag(store: SqlStore) -> None:
    """With what was done about it, which the chain covers; a hold keeps both."""
    a_lesson(store, "flagged", "aaaaaaaaaa")
    flag = a_flag_of(store, "flagged")
    dismiss(store, flag)
    case = case_id(flag.key.occurrence)
    with store.transaction() as tx:
        tx.cases.note(
            flag.key.occurrence,
            Noted("key-ann", ("key-ann",), ("S1",), is_private=False, starts_at=T0),
        )
        tx.cases.add_event(CaseEvent(case, EventKind.NOTED, T0 + DAY, "o@district.example"))
        hold = tx.holds.add(HoldKind.FLAG, flag.id, reason="r", by="o", at=T0 + DAY)
    purge(store, 4 * 366)
    assert rows(store, "cases") == rows(store, "case_events") == 1

    with store.transaction() as tx:
        tx.holds.remove(hold.id, reason="r", by="o", at=T0 + 4 * 366 * DAY)
    assert purge(store, 4 * 366)["case_events"] == 1
    assert [rows(store, table) for table in ("cases", "case_terms", "case_events")] == [0, 0, 0]
    assert_whole(store)


def test_a_case_that_loses_a_flag_says_what_is_left(store: SqlStore) -> None:
    """An old closed flag goes; the one that waits keeps the case."""
    a_lesson(store, "flagged", "aaaaaaaaaa")
    waiting = a_flag_of(store, "flagged")
    old = replace(
        waiting,
        id="F-000000000000",
        key=replace(waiting.key, rule="contract-missing"),
        status=FlagStatus.WITHDRAWN,
    )
    with store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.WITHDRAWN, old)], as_of=T0)
    assert purge(store, 4 * 366)["flags"] == 1

    with store.reading() as tx:
        case = tx.cases.find(case_id(waiting.key.occurrence))
    assert case is not None
    assert (case.flags, case.rules) == (1, (waiting.rule,))


def test_evidence_goes_three_years_after_closure(store: SqlStore) -> None:
    """Four years on nothing is left but the chain, which says what covers what."""
    a_lesson(store, "flagged", "aaaaaaaaaa")
    dismiss(store, a_flag_of(store, "flagged"))
    assert purge(store, 1097) == {}

    gone = purge(store, 4 * 366)
    assert gone == {
        "flags": 1,
        "decisions": 1,
        "meetings": 1,
        "calls": 1,
        "outbox": 1,
        "reminders": 1,
    }
    assert [rows(store, table) for table in EVERY_TABLE] == [0] * len(EVERY_TABLE)
    assert_whole(store)
    with store.reading() as tx:
        (last,) = tx.chain.links(LinkKind.PURGE)
        audit = tx.chain.audit()
    assert last.content["counts"] == gone
    assert audit.purged == {2: (last.sequence,), 3: (last.sequence,)}


@pytest.mark.parametrize("status", [FlagStatus.OPEN, FlagStatus.ACKNOWLEDGED])
def test_an_open_flag_is_never_deleted(store: SqlStore, status: FlagStatus) -> None:
    """However long nobody decides it."""
    a_lesson(store, "flagged", "aaaaaaaaaa")
    a_flag_of(store, "flagged", status=status)

    assert purge(store, 4000) == {}
    assert names(store, "flagged") == ["flagged"]


def test_one_open_flag_keeps_what_a_closed_one_shares_with_it(store: SqlStore) -> None:
    """The old one goes, its meeting and calls stay for the other."""
    a_lesson(store, "flagged", "aaaaaaaaaa")
    old = a_flag_of(store, "flagged")
    a_flag_of(store, "flagged", rule="contract-missing", conference_records=())
    dismiss(store, old)

    assert purge(store, 4 * 366) == {"flags": 1, "decisions": 1}
    assert names(store, "flagged") == ["flagged"]
    assert_whole(store)


def test_a_withdrawn_flag_is_kept_as_long(store: SqlStore) -> None:
    """It may have been mailed: three years from its withdrawal."""
    a_lesson(store, "flagged", "aaaaaaaaaa")
    a_flag_of(store, "flagged", status=FlagStatus.WITHDRAWN, updated_at=T0 + 300 * DAY)

    assert purge(store, 1200) == {}
    assert purge(store, 1397)["flags"] == 1


def test_a_weekly_lesson_of_today_does_not_keep_that_of_last_winter(store: SqlStore) -> None:
    """One code serves a whole series: only what is near to a kept meeting stays."""
    a_lesson(store, "then", "aaaaaaaaaa")
    with store.transaction() as tx:
        later = a_copy(
            "now",
            ical_uid="now",
            original_start_at=T0 + 120 * DAY,
            start_at=T0 + 120 * DAY,
            end_at=T0 + 121 * DAY,
            meeting_code="aaaaaaaaaa",
        )
        tx.meetings.apply(a_read(later), as_of=T0)

    assert purge(store, 121)["calls"] == 1
    assert rows(store, "meetings") == 1


def test_calls_without_outsiders_go_after_four_days(store: SqlStore) -> None:
    """Unless an open flag rests on one."""
    with store.transaction() as tx:
        for name in ("conferenceRecords/staff", "conferenceRecords/flagged"):
            tx.conferences.save([a_conference(name, code="zzzzzzzzzz")], [], as_of=T0)
    a_flag_of(store, "flagged")

    assert purge(store, 4) == {}
    assert purge(store, 5) == {"unrelated_calls": 1}
    assert names(store, "staff", "flagged") == ["flagged"]
    assert months(store) == []


def test_confidential_meetings_become_counts_sooner(store: SqlStore) -> None:
    """With the conferences that were theirs; others of the same age stay, flagged ones too."""
    secret = a_lesson(store, "secret", "aaaaaaaaaa")
    flagged = a_lesson(store, "flagged", "bbbbbbbbbb")
    a_lesson(store, "plain", "cccccccccc")
    a_flag_of(store, "flagged")
    with store.reading() as tx:
        assert set(tx.retention.ended(T0, at(46))) == {secret, secret + 2}
        assert tx.retention.ended(T0, at(45)) == []

    given = {
        secret: ("conferenceRecords/secret",),
        flagged: ("conferenceRecords/flagged",),
    }
    assert purge(store, 31, given) == {"meetings": 1, "calls": 1}
    assert names(store, "secret", "flagged", "plain") == ["flagged", "plain"]


# --- legal holds --------------------------------------------------------------------------------


def hold(store: SqlStore, kind: HoldKind, subject: str = "") -> int:
    with store.transaction() as tx:
        return tx.holds.add(kind, subject, at=T0 + DAY, **WHO).id


def release(store: SqlStore, number: int) -> None:
    with store.transaction() as tx:
        tx.holds.remove(number, at=T0 + 2 * DAY, **WHO)


def a_partner_row(store: SqlStore, *identities: tuple[IdentityKind, str]) -> None:
    """A partner known by these identities, until a day after the lesson."""
    known: list[Row] = [
        Partner("P1", "One", PartnerKind.CONTRACTED, Activity.ACTIVE),
        *(PartnerIdentity("P1", kind, value) for kind, value in identities),
    ]
    with store.transaction() as tx:
        tx.registry.replace(Registry.of_rows(known), as_of=at(-10_000))
        tx.registry.replace(Registry.of_rows([]), as_of=T0 + DAY)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (HoldKind.FLAG, "the flag"),
        (HoldKind.MEETING, "held"),
        (HoldKind.MEETING, "aaa-aaaa-aaa"),
        (HoldKind.PARTNER, "P1"),
        (HoldKind.EVERYTHING, ""),
    ],
)
def test_a_hold_keeps_what_it_names_until_it_is_removed(
    store: SqlStore, kind: HoldKind, subject: str
) -> None:
    """The closed flag with its evidence, four years on; then it goes like all others."""
    a_lesson(store, "held", "aaaaaaaaaa")
    flag = a_flag_of(store, "held")
    dismiss(store, flag)
    number = hold(store, kind, flag.id if kind is HoldKind.FLAG else subject)

    purge(store, 4 * 366)
    assert names(store, "held") == ["held"]
    assert [rows(store, table) for table in EVERY_TABLE] == [1, 1, 2, 1, 1, 1, 1, 2, 1]
    assert_whole(store)

    release(store, number)
    purge(store, 4 * 366)
    assert [rows(store, table) for table in EVERY_TABLE] == [0] * len(EVERY_TABLE)
    assert_whole(store)


@pytest.mark.parametrize(
    ("kind", "subject"),
    [
        (HoldKind.FLAG, "F-0"),
        (HoldKind.MEETING, "other"),
        (HoldKind.MEETING, "zzz-zzzz-zzz"),
        (HoldKind.PARTNER, "P2"),
    ],
)
def test_a_hold_keeps_nothing_else(store: SqlStore, kind: HoldKind, subject: str) -> None:
    """What it does not name goes as if there were none."""
    a_lesson(store, "free", "aaaaaaaaaa")
    dismiss(store, a_flag_of(store, "free"))
    hold(store, kind, subject)

    purge(store, 4 * 366)
    assert [rows(store, table) for table in EVERY_TABLE] == [0] * len(EVERY_TABLE)
    assert_whole(store)


@pytest.mark.parametrize(
    ("identity", "is_kept"),
    [
        ((IdentityKind.DOMAIN, "partner.example"), True),
        ((IdentityKind.ADDRESS, "Bo@partner.example"), True),
        ((IdentityKind.ADDRESS, "al@partner.example"), False),
        ((IdentityKind.DOMAIN, "artner.example"), False),
    ],
)
def test_a_partner_is_held_by_what_it_is_known_by(
    store: SqlStore, identity: tuple[IdentityKind, str], is_kept: bool
) -> None:
    """Meetings without a flag too, and the registry rows by which it was known."""
    a_partner_row(store, identity)
    a_lesson(store, "plain", "aaaaaaaaaa")
    hold(store, HoldKind.PARTNER, "P1")

    purge(store, 4 * 366)
    assert names(store, "plain") == (["plain"] if is_kept else [])
    assert rows(store, "registry_rows") == 2
    assert_whole(store)


def test_a_held_partner_is_found_in_calls_without_an_event(store: SqlStore) -> None:
    """By those who were in the call."""
    a_partner_row(store, (IdentityKind.DOMAIN, "partner.example"))
    bo = Identity(IdentityForm.ADDRESS, address="bo@partner.example", domain="partner.example")
    al = Identity(IdentityForm.ADDRESS, address="al@other.example", domain="other.example")
    with store.transaction() as tx:
        for code, who in (("aaaaaaaaaa", bo), ("bbbbbbbbbb", al)):
            name = f"conferenceRecords/{code}"
            visit = a_visit(conference=name, identity=who)
            tx.conferences.save([a_conference(name, code=code)], [visit], as_of=T0)
            tx.meetings.ensure_adhoc(code, T0, as_of=T0)
    hold(store, HoldKind.PARTNER, "P1")

    purge(store, 91)
    assert names(store, "aaaaaaaaaa", "bbbbbbbbbb") == ["aaaaaaaaaa"]


def test_holds_are_listed_and_recorded(store: SqlStore) -> None:
    """Who, why, when; a removed one cannot be removed again, and goes with the evidence."""
    number = hold(store, HoldKind.PARTNER, "P1")
    with store.reading() as tx:
        (held,) = tx.holds.list()
        assert (held.kind, held.subject, held.reason) == (HoldKind.PARTNER, "P1", WHO["reason"])
    release(store, number)
    with store.reading() as tx:
        assert tx.holds.list() == []
        (old,) = tx.holds.list(removed=True)
        assert old.removed_by == WHO["by"]
        assert len(tx.chain.links(LinkKind.HOLD)) == 2
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.holds.remove(number, at=T0, **WHO)
    with pytest.raises(NotFound), store.transaction() as tx:
        tx.holds.remove(number + 1, at=T0, **WHO)

    assert purge(store, 4 * 366) == {"holds": 1}
    assert_whole(store)


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE holds SET subject = 'P2'",
        "UPDATE holds SET reason = 'x'",
        "UPDATE holds SET removed_at = NULL",
        "DELETE FROM holds",
    ],
)
def test_a_changed_hold_shows(store: SqlStore, statement: str) -> None:
    """As every row that the chain records."""
    release(store, hold(store, HoldKind.PARTNER, "P1"))
    with store._engine.begin() as connection:
        connection.execute(text(statement))

    with store.reading() as tx:
        assert tx.chain.audit().broken is not None


def test_what_is_known_to_be_stored_can_be_held(store: SqlStore) -> None:
    """A uid, a code with or without hyphens, a partner of the past; nothing else."""
    a_partner_row(store)
    a_lesson(store, "lesson", "aaaaaaaaaa")
    with store.reading() as tx:
        known = [tx.retention.knows_meeting(s) for s in ("lesson", "aaa-aaaa-aaa", "x", "")]
        assert known == [True, True, False, False]
        assert [tx.retention.knows_partner(s) for s in ("P1", "P2", "")] == [True, False, False]


# --- the rest -----------------------------------------------------------------------------------


def test_registry_rows_stay_as_long_as_anything_they_judged(store: SqlStore) -> None:
    """Three years after their end, and while an older flag is kept; current ones for ever."""
    a_partner_row(store, (IdentityKind.DOMAIN, "partner.example"))
    a_lesson(store, "flagged", "aaaaaaaaaa")
    a_flag_of(store, "flagged")
    with store.transaction() as tx:
        partner = Partner("P2", "Two", PartnerKind.CONTRACTED, Activity.ACTIVE)
        tx.registry.replace(Registry.of_rows([partner]), as_of=T0 + 2 * DAY)

    assert purge(store, 4 * 366) == {}
    with store.transaction() as tx:
        (flag,) = tx.flags.list()
        tx.flags.save(
            [FlagChange(ChangeKind.WITHDRAWN, replace(flag, status=FlagStatus.WITHDRAWN))],
            as_of=T0 + DAY,
        )
    assert purge(store, 4 * 366)["registry_rows"] == 2
    assert rows(store, "registry_rows") == 1
    assert_whole(store)


def test_part_of_an_import_can_go(store: SqlStore) -> None:
    """The link of an import stays good for the rows that are left, edited ones apart."""
    rows_ = [Partner(p, p, PartnerKind.CONTRACTED, Activity.ACTIVE) for p in ("A", "B", "C")]
    with store.transaction() as tx:
        tx.registry.replace(Registry.of_rows(rows_), as_of=T0)
        tx.registry.replace(Registry.of_rows(rows_[:2]), as_of=T0 + DAY)
        tx.registry.replace(Registry.of_rows(rows_[:1]), as_of=T0 + 90 * DAY)

    assert purge(store, 1100) == {"registry_rows": 1}
    assert_whole(store)
    assert purge(store, 1190) == {"registry_rows": 1}
    assert_whole(store)
    with store._engine.begin() as connection:
        connection.execute(text("UPDATE registry_rows SET cells = '{}'"))
    with store.reading() as tx:
        broken = tx.chain.audit().broken
    assert broken is not None
    assert (broken.sequence, broken.kind) == (2, "registry")


def test_digests_are_kept_as_long_as_flags(store: SqlStore) -> None:
    """They speak of many meetings; while anything is held none is deleted; unsent ones stay."""
    with store.transaction() as tx:
        for name in ("sent", "waiting"):
            tx.outbox.add([replace(NOTICE, id=name, occurrence=None)], as_of=T0)
        tx.outbox.sent(Mail("sent", "<1@d>", NOTICE.to, b"mail"), at=T0)
    assert purge(store, 1096) == {}
    number = hold(store, HoldKind.PARTNER, "P1")
    assert purge(store, 1097) == {}
    release(store, number)

    assert purge(store, 1097) == {"outbox": 1}
    assert rows(store, "outbox") == 1
    assert_whole(store)


def test_addresses_learned_go_with_the_calls_that_show_them(store: SqlStore) -> None:
    """An outsider who still comes is remembered, another is not."""
    with store.transaction() as tx:
        for who in ("id-ann", "id-bo"):
            tx.people.learn(who, f"key-{who}", f"{who}@partner.example", at=T0)
        recent = a_conference(start=80 * 1440, end=80 * 1440 + 45)
        tx.conferences.save([recent], [a_visit("ann", 80 * 1440)], as_of=T0)
        tx.meetings.ensure_adhoc(recent.meeting_code, recent.start_at, as_of=T0)

    assert purge(store, 90) == {}
    assert purge(store, 91) == {"learned_addresses": 1}
    with store.reading() as tx:
        assert set(tx.people.learned(["id-ann", "id-bo"])) == {"id-ann"}
    assert purge(store, 92) == {}


def test_groups_and_calendars_go_when_nobody_needs_them(store: SqlStore) -> None:
    """A group that no meeting names, the calendar of somebody who left."""
    with store.transaction() as tx:
        for key in ("key-bo", "key-old"):
            tx.people.save_group(KnownGroup(key, (), is_complete=True, read_at=T0))
        tx.meetings.fail_calendar("left@district.example", "not found", as_of=T0)
        later = a_copy(start_at=T0 + 90 * DAY, end_at=T0 + 90 * DAY)
        tx.meetings.apply(a_read(later), as_of=T0 + 90 * DAY)
        assert len(tx.meetings.calendars()) == 2

    assert purge(store, 90) == {}
    assert purge(store, 91) == {"groups": 1, "calendars": 1}
    with store.reading() as tx:
        assert set(tx.people.groups(["key-bo", "key-old"])) == {"key-bo"}
        assert list(tx.meetings.calendars()) == ["ann@district.example"]


def test_a_purge_of_thousands_is_recorded(store: SqlStore) -> None:
    """More rows than a statement takes."""
    with store.transaction() as tx:
        notices = [replace(NOTICE, id=f"n{n}", occurrence=f"o{n}") for n in range(1100)]
        tx.outbox.add(notices, as_of=T0)
        for notice in notices:
            tx.outbox.sent(Mail(notice.id, f"<{notice.id}@d>", notice.to, b""), at=T0)

    assert purge(store, 91) == {"outbox": 1100}
    assert_whole(store)
