"""Held and rolled-up mails, and storms with the links that record them."""

from __future__ import annotations

from dataclasses import replace

import pytest
from sqlalchemy import text

from meetbot.domain.chain import LinkKind
from meetbot.domain.flags import ChangeKind, FlagChange, FlagStatus
from meetbot.domain.notices import Notice, NoticeKind
from meetbot.domain.retention import Cutoffs, month_in
from meetbot.domain.storms import Ending
from meetbot.ports import OutboxState, SentReminder
from meetbot.store import SqlStore
from tests.builders import at
from tests.contract.test_store_outbox import a_mail
from tests.dossiers import ZONE
from tests.flags import a_flag
from tests.notices import every_notice

KINDS = every_notice()
DAY = 24 * 60


def a_notice(name: str, kind: str = "flag", minute: float = 0) -> Notice:
    """One of `tests.notices` under an id of its own, due at a minute."""
    return replace(KINDS[kind], id=name, due_at=at(minute), occurrence="lesson")


def added(store: SqlStore, *notices: Notice, minute: float = 0) -> None:
    with store.transaction() as tx:
        assert tx.outbox.add(notices, as_of=at(minute)) == len(notices)


def test_due_mails_that_nobody_tried_are_found_by_kind(store: SqlStore) -> None:
    """Oldest first; not those of later, of another kind, tried or held."""
    added(store, a_notice("b"), a_notice("c", "reminder-1h"), a_notice("later", minute=9), minute=1)
    added(store, a_notice("a"), minute=0)
    added(store, a_notice("tried"), a_notice("held"), minute=2)
    with store.transaction() as tx:
        tx.outbox.put(["held"], OutboxState.HELD, as_of=at(2))
        tx.outbox.put(["a", "b", "c"], OutboxState.HELD, as_of=at(2))
        assert [q.notice.id for q in tx.outbox.claim(at(2), 10)] == ["tried"]
        tx.outbox.defer("tried", "busy", retry_at=at(2))
        tx.outbox.put(["a", "b", "c"], OutboxState.QUEUED, as_of=at(2))

        found = tx.outbox.untried([NoticeKind.FLAG], at(3))

        assert [(w.notice.id, w.queued_at) for w in found] == [("a", at(0)), ("b", at(1))]
        assert [w.notice.id for w in tx.outbox.held()] == ["held"]
        assert list(tx.outbox.held([NoticeKind.REMINDER])) == []
        assert tx.outbox.held_kinds() == {NoticeKind.FLAG: 1}


def test_held_mails_are_not_claimed_and_do_not_expire(store: SqlStore) -> None:
    """Not even those that would come too late: whoever releases them decides and counts."""
    late = replace(a_notice("late", "reminder-1h"), not_after=at(5))
    added(store, late, a_notice("flag"))
    with store.transaction() as tx:
        assert tx.outbox.put(["late", "flag", "unknown"], OutboxState.HELD, as_of=at(1)) == 2
        assert tx.outbox.claim(at(60), 10) == []
        assert tx.outbox.counts()[OutboxState.HELD] == 2
        assert tx.outbox.held_kinds() == {NoticeKind.FLAG: 1, NoticeKind.REMINDER: 1}


def test_held_mails_of_a_cancelled_meeting_are_dropped(store: SqlStore) -> None:
    """Like those that are queued."""
    added(store, a_notice("one", "fix-it"), a_notice("two", "fix-it"))
    with store.transaction() as tx:
        tx.outbox.put(["one"], OutboxState.HELD, as_of=at(1))
        assert tx.outbox.drop("lesson", [NoticeKind.FIX_IT], as_of=at(2)) == 2


def test_what_has_left_is_not_put_anywhere(store: SqlStore) -> None:
    """Neither a sent mail nor one under way."""
    added(store, a_notice("sent"), a_notice("way"))
    with store.transaction() as tx:
        tx.outbox.claim(at(0), 10)
        tx.outbox.sent(a_mail("sent"), at=at(1))
        for state in (OutboxState.HELD, OutboxState.DROPPED, OutboxState.ROLLED_UP):
            assert tx.outbox.put(["sent", "way"], state, as_of=at(2)) == 0
        tx.outbox.rewrite(replace(a_notice("sent"), to=("x@district.example",)))
        assert tx.chain.audit().broken is None


def test_a_waiting_mail_can_be_rewritten(store: SqlStore) -> None:
    """When only a part of it is still so."""
    added(store, a_notice("one"))
    with store.transaction() as tx:
        tx.outbox.rewrite(a_notice("one", "withdrawn"))
    with store.reading() as tx:
        assert tx.outbox.untried(list(NoticeKind), at(1))[0].notice == a_notice("one", "withdrawn")


def test_mails_of_a_day_and_of_an_hour_are_found(store: SqlStore) -> None:
    """Tried since an instant, whether they left or not; queued since, whatever became of them."""
    added(store, a_notice("old"), minute=0)
    added(store, a_notice("new"), a_notice("waits"), a_notice("held"), minute=10)
    added(store, a_notice("other", "weekly"), minute=10)
    with store.transaction() as tx:
        tx.outbox.put(["held", "waits"], OutboxState.HELD, as_of=at(10))
        tx.outbox.claim(at(10), 10)
        for name, minute in (("old", 10), ("new", 20), ("other", 20)):
            tx.outbox.sent(a_mail(name), at=at(minute))

        def ids(notices: object) -> set[str]:
            return {notice.id for notice in notices}  # type: ignore[attr-defined]

        assert ids(tx.outbox.tried_since(at(10), [NoticeKind.FLAG])) == {"old", "new"}
        assert ids(tx.outbox.tried_since(at(11), [NoticeKind.FLAG])) == {"new"}
        assert ids(tx.outbox.queued_since(at(0), [NoticeKind.FLAG])) == {"new", "waits", "held"}


def test_a_storm_begins_and_ends_once(store: SqlStore) -> None:
    """With its counts, the most frequent rule first; each is a link without a name."""
    with store.transaction() as tx:
        assert tx.storms.current() is None
        begun = tx.storms.begin(60, {"partner-unregistered": 50, "adhoc-meeting": 10}, at=at(1))
        assert tx.storms.current() == begun
        assert list(begun.by_rule) == ["partner-unregistered", "adhoc-meeting"]
        mails = {"released": 9, "late": 1}
        ended = tx.storms.end(begun, Ending.RELEASED, mails, by="it@district.example", at=at(2))
        assert tx.storms.current() is None
    with store.reading() as tx:
        assert tx.storms.list() == [ended]
        assert (ended.ending, ended.ended_at, ended.mails) == (Ending.RELEASED, at(2), mails)
        links = tx.chain.links(LinkKind.STORM)
        assert [link.at for link in links] == [at(1), at(2)]
        assert "it@" not in "".join(link.payload for link in links)
        assert tx.chain.audit().broken is None


@pytest.mark.parametrize(
    "change",
    [
        "UPDATE storms SET flags = 1",
        "UPDATE storms SET ended_by = 'somebody else'",
        "UPDATE storms SET ending = 'dropped'",
        "UPDATE storms SET mails = '{}'",
        "UPDATE storms SET ended_at = NULL",
        "DELETE FROM storms",
    ],
)
def test_a_storm_that_was_rewritten_is_found(store: SqlStore, change: str) -> None:
    """Who released what is as safe as a decision."""
    with store.transaction() as tx:
        storm = tx.storms.begin(60, {}, at=at(1))
        tx.storms.end(storm, Ending.RELEASED, {"released": 1}, by="it@district.example", at=at(2))
    with store._engine.begin() as connection:
        connection.execute(text(change))

    with store.reading() as tx:
        assert tx.chain.audit().broken is not None


def test_old_storms_and_rolled_up_mails_are_deleted_with_a_link(store: SqlStore) -> None:
    """As long as evidence is kept; a storm that lasts stays."""
    added(store, a_notice("rolled"))
    with store.transaction() as tx:
        tx.outbox.put(["rolled"], OutboxState.ROLLED_UP, as_of=at(0))
        storm = tx.storms.begin(60, {}, at=at(1))
        tx.storms.end(storm, Ending.DROPPED, {"dropped": 1}, by="it@district.example", at=at(2))
        lasting = tx.storms.begin(70, {}, at=at(3))
        cutoffs = Cutoffs(at(DAY), at(DAY), at(DAY))

        counts = tx.retention.purge(
            cutoffs, confidential={}, month=month_in(ZONE), as_of=at(2 * DAY)
        )

        assert counts["storms"] == 1
        assert counts["outbox"] == 1
        assert tx.storms.list() == [lasting]
        assert tx.chain.audit().broken is None


def test_a_reminder_can_be_made_anew(store: SqlStore) -> None:
    """Once the held one and the note of it are gone; what has left is not forgotten."""
    added(store, a_notice("held", "reminder-7d"), a_notice("gone", "reminder-7d"))
    one, other = (SentReminder("7d", at(minute), at(0)) for minute in (60, 90))
    with store.transaction() as tx:
        tx.reminders.add("lesson", one)
        tx.reminders.add("lesson", other)
        tx.outbox.put(["held"], OutboxState.HELD, as_of=at(0))
        tx.outbox.claim(at(0), 10)
        tx.outbox.sent(a_mail("gone"), at=at(1))

        tx.outbox.forget("held")
        tx.outbox.forget("gone")
        tx.reminders.remove("lesson", "7d", at(60))

        assert tx.reminders.of("lesson") == [other]
        assert tx.outbox.known(["held", "gone"]) == {"gone"}
        assert tx.chain.audit().broken is None


def test_statuses_of_many_flags(store: SqlStore) -> None:
    """Those that are not there are left out."""
    flag = a_flag()
    with store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=at(0))

        assert tx.flags.statuses([flag.id, "F-000000000000"]) == {flag.id: FlagStatus.OPEN}
        assert tx.flags.statuses([]) == {}
