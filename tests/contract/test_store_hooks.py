"""Programs are told of every change once, in order, and never of what is private."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from meetbot.domain.casework import Noted
from meetbot.domain.flags import ChangeKind, Flag, FlagChange, FlagStatus
from meetbot.domain.tokens import ApiToken, Scope, token_digest
from meetbot.domain.webhooks import Endpoint, HookEvent
from meetbot.errors import NotFound
from meetbot.ports import Decision, HookDelivery, HookState
from meetbot.store import SqlStore
from tests.builders import T0, a_stored_flag, at

ENDPOINT = Endpoint("case-system", "https://cases.example/hook", "whsec_x")


def plan(store: SqlStore, endpoint: Endpoint = ENDPOINT, minute: float = 0) -> int:
    with store.transaction() as tx:
        return tx.hooks.plan(endpoint, as_of=at(minute), limit=100)


def change(store: SqlStore, kind: ChangeKind, flag: Flag, *, private: bool = False) -> None:
    with store.transaction() as tx:
        tx.flags.save([FlagChange(kind, flag)], as_of=at(0))
        tx.cases.note(
            flag.key.occurrence,
            Noted(None, (), (), is_private=private, starts_at=T0),
        )


def due(store: SqlStore, minute: float = 0) -> list[HookDelivery]:
    with store.reading() as tx:
        return list(tx.hooks.due(ENDPOINT.name, at(minute), 100))


def test_a_new_program_hears_of_what_comes_from_now_on(store: SqlStore) -> None:
    """The past is not told again."""
    change(store, ChangeKind.OPENED, a_stored_flag())
    assert plan(store) == 0
    change(store, ChangeKind.UPDATED, a_stored_flag(message="More."))
    assert plan(store) == 1

    (told,) = due(store)
    assert told.event is HookEvent.UPDATED
    assert json.loads(told.body)["data"]["message"] == "More."


def test_nothing_is_planned_twice(store: SqlStore) -> None:
    """A second look at the same history finds nothing new."""
    plan(store)
    change(store, ChangeKind.OPENED, a_stored_flag())
    assert [plan(store), plan(store)] == [1, 0]
    assert len(due(store)) == 1


def test_a_private_flag_is_never_told(store: SqlStore) -> None:
    """Neither of a confidential meeting, nor before it is known not to be one."""
    plan(store)
    change(store, ChangeKind.OPENED, a_stored_flag(), private=True)
    with store.transaction() as tx:
        flag = a_stored_flag(uid="unknown@google.com")
        tx.flags.save([FlagChange(ChangeKind.OPENED, flag)], as_of=at(0))
    plan(store)
    assert due(store) == []


def test_a_flag_of_which_only_privacy_officers_hear_is_never_told(store: SqlStore) -> None:
    """Also where its meeting is confidential no more."""
    plan(store)
    flag = a_stored_flag("confidential-intruder", status=FlagStatus.WITHDRAWN)
    change(store, ChangeKind.OPENED, a_stored_flag())
    change(store, ChangeKind.WITHDRAWN, flag)
    plan(store)
    assert [one.flag_id for one in due(store)] == [a_stored_flag().id]


def test_a_program_hears_only_of_the_events_it_named(store: SqlStore) -> None:
    """What it did not ask for is passed over, and not told later either."""
    endpoint = replace(ENDPOINT, events=frozenset({HookEvent.WITHDRAWN}))
    plan(store, endpoint)
    change(store, ChangeKind.OPENED, a_stored_flag())
    change(store, ChangeKind.WITHDRAWN, a_stored_flag(status=FlagStatus.WITHDRAWN))
    plan(store, endpoint)
    assert [one.event for one in due(store)] == [HookEvent.WITHDRAWN]


def test_an_officers_decision_is_told(store: SqlStore) -> None:
    """With the status it led to."""
    plan(store)
    flag = a_stored_flag()
    change(store, ChangeKind.OPENED, flag)
    with store.transaction() as tx:
        tx.flags.decide(Decision(flag.id, FlagStatus.UPHELD, "policy-not-followed", "", "o@d", T0))
    plan(store)
    with store.transaction() as tx:
        (first,) = tx.hooks.due(ENDPOINT.name, at(0), 100)
        tx.hooks.delivered(first.id, at=at(0))
    (told,) = due(store)
    assert told.event is HookEvent.DECIDED
    assert json.loads(told.body)["data"]["status"] == "upheld"


def test_a_later_change_waits_for_the_earlier_one_of_the_same_flag(store: SqlStore) -> None:
    """Other flags go on meanwhile."""
    plan(store)
    change(store, ChangeKind.OPENED, a_stored_flag())
    change(store, ChangeKind.UPDATED, a_stored_flag(message="More."))
    change(store, ChangeKind.OPENED, a_stored_flag(uid="other@google.com"))
    plan(store)
    first, other = due(store)
    with store.transaction() as tx:
        tx.hooks.defer(first.id, "busy", retry_at=at(5), at=at(0))

    assert [one.id for one in due(store)] == [other.id]
    assert [one.event for one in due(store, 5)] == [HookEvent.OPENED, HookEvent.OPENED]
    with store.transaction() as tx:
        tx.hooks.delivered(first.id, at=at(5))
    assert HookEvent.UPDATED in [one.event for one in due(store, 5)]


def test_what_arrived_leaves_no_words_behind(store: SqlStore) -> None:
    """A delivered body is not kept a second time beside the flag."""
    plan(store)
    change(store, ChangeKind.OPENED, a_stored_flag())
    plan(store)
    (told,) = due(store)
    with store.transaction() as tx:
        tx.hooks.delivered(told.id, at=at(1))
        (kept,) = tx.hooks.list()
    assert (kept.state, kept.body, kept.attempts) == (HookState.DELIVERED, "", 1)


def test_a_program_that_was_switched_off_is_told_nothing_until_it_is_tried_again(
    store: SqlStore,
) -> None:
    """What came meanwhile is in the history still, and follows."""
    plan(store)
    change(store, ChangeKind.OPENED, a_stored_flag())
    plan(store)
    with store.transaction() as tx:
        tx.hooks.switch_off(ENDPOINT.name, "gone", at=at(1))
    change(store, ChangeKind.UPDATED, a_stored_flag(message="More."))

    assert plan(store) == 0
    assert due(store) == []
    with store.transaction() as tx:
        assert tx.hooks.off() == {ENDPOINT.name: at(1)}
        assert tx.hooks.retry(ENDPOINT.name, at=at(2)) == 1
        assert tx.hooks.off() == {}
    assert plan(store) == 1
    assert [one.event for one in due(store, 2)] == [HookEvent.OPENED]


def test_old_deliveries_are_forgotten_unless_they_wait(store: SqlStore) -> None:
    """Only what is over goes."""
    plan(store)
    change(store, ChangeKind.OPENED, a_stored_flag())
    change(store, ChangeKind.OPENED, a_stored_flag(uid="other@google.com"))
    plan(store)
    with store.transaction() as tx:
        first, _ = tx.hooks.due(ENDPOINT.name, at(0), 100)
        tx.hooks.fail(first.id, "no", at=at(1))
        assert tx.hooks.prune(before=at(1)) == 0
        assert tx.hooks.prune(before=at(2)) == 1
        assert [one.state for one in tx.hooks.list()] == [HookState.QUEUED]


# --- tokens -------------------------------------------------------------------------------------


def a_token(token_id: str = "T-1", text: str = "mbt_secret") -> ApiToken:
    return ApiToken(
        token_id, "Case system", token_digest(text), (Scope.READ,), "o@district.example", T0, at(60)
    )


def test_a_token_is_found_by_its_digest_only(store: SqlStore) -> None:
    """The token itself is nowhere in the database."""
    with store.transaction() as tx:
        tx.tokens.add(a_token())
        assert tx.tokens.find(token_digest("mbt_secret")) == a_token()
        assert tx.tokens.find("mbt_secret") is None


def test_an_ended_or_expired_token_opens_nothing(store: SqlStore) -> None:
    """Its end is noted with whoever ended it, and cannot be repeated."""
    with store.transaction() as tx:
        tx.tokens.add(a_token())
        ended = tx.tokens.end("T-1", by="p@district.example", at=at(5))
        assert not ended.is_good(at(6))
        assert ended.ended_by == "p@district.example"
        with pytest.raises(NotFound):
            tx.tokens.end("T-1", by="p@district.example", at=at(6))
    assert a_token().is_good(at(59))
    assert not a_token().is_good(at(60))


def test_tokens_are_in_the_chain(store: SqlStore) -> None:
    """Coming and end are recorded; wider scopes written into the table are found."""
    with store.transaction() as tx:
        tx.tokens.add(a_token())
        tx.tokens.add(a_token("T-2", "mbt_other"))
        tx.tokens.end("T-2", by="p@district.example", at=at(5))
    with store.reading() as tx:
        assert tx.chain.audit().broken is None
    with store.transaction() as tx:
        tx.tokens._connection.exec_driver_sql("UPDATE api_tokens SET scopes = 'decide read'")
    with store.reading() as tx:
        broken = tx.chain.audit().broken
        assert broken is not None
        assert "api_tokens" in broken.what
