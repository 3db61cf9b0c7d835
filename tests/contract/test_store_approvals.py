"""Requests for approval and uploads that wait, on every database."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from datetime import date, datetime, timedelta

import pytest
from sqlalchemy import text

from meetbot.domain.approvals import Answer, Approval, ApprovalState, Refusal, approval_id
from meetbot.domain.registry import Activity, Partner, PartnerKind, Registry, RegistryFile
from meetbot.domain.registry_tables import RegistryMistake, Table
from meetbot.domain.retention import Cutoffs, HoldKind
from meetbot.errors import NotFound
from meetbot.ports import Upload
from meetbot.store import SqlStore
from tests.builders import a_copy, a_read, at

FIRST, LAST = date(2026, 10, 13), date(2026, 12, 18)
APPROVAL = Approval(
    id=approval_id("lesson", "P1", at(0)),
    occurrence="lesson",
    case_id="C-0123456789ab",
    partner_id="P1",
    program_id="G1",
    school_id="S1",
    host="ann@district.example",
    host_key="key-ann",
    start_at=at(600),
    end_at=at(645),
    starts_on=FIRST,
    ends_on=LAST,
    words="Wörter; \u202e",
    asked_at=at(0),
    expires_at=at(600),
)
YES = Answer("pat@district.example", at(5), (FIRST, FIRST))
NO = Answer("pat@district.example", at(5), refusal=Refusal.OTHER, words="nein")


def other(number: int, **values: object) -> Approval:
    return replace(APPROVAL, id=f"Q-{number:012x}", **values)  # type: ignore[arg-type] # by name


def add(store: SqlStore, *approvals: Approval) -> None:
    with store.transaction() as tx:
        for approval in approvals:
            tx.approvals.add(approval)


def test_a_request_comes_back_as_it_was(store: SqlStore) -> None:
    """And with its answer."""
    add(store, APPROVAL)
    with store.reading() as tx:
        assert tx.approvals.get(APPROVAL.id) == APPROVAL
        assert tx.approvals.of("lesson") == [APPROVAL]
        assert tx.approvals.of("other") == []
    with store.transaction() as tx:
        decided = tx.approvals.decide(APPROVAL.id, YES)
    assert decided == replace(
        APPROVAL,
        state=ApprovalState.NARROWED,
        decided_by=YES.by,
        decided_at=YES.at,
        granted_from=FIRST,
        granted_to=FIRST,
        authorization_id=f"A-{APPROVAL.id[2:]}",
    )
    with store.reading() as tx:
        assert tx.approvals.get(APPROVAL.id) == decided
        assert tx.chain.audit().broken is None


def test_an_answer_is_stored_once(store: SqlStore) -> None:
    """Neither a second one nor one to nothing."""
    add(store, APPROVAL)
    with store.transaction() as tx:
        assert tx.approvals.decide(APPROVAL.id, NO).refusal is Refusal.OTHER
        with pytest.raises(NotFound):
            tx.approvals.decide(APPROVAL.id, YES)
        with pytest.raises(NotFound):
            tx.approvals.decide("Q-x", YES)
    with store.reading() as tx:
        assert tx.approvals.get(APPROVAL.id).answer == "nein"


def test_lists_hold_what_is_theirs(store: SqlStore) -> None:
    """By school what waits, the next meeting first, and what does not, newest first; by host."""
    later = other(1, start_at=at(900), expires_at=at(900), asked_at=at(1))
    expired = other(2, expires_at=at(3), asked_at=at(2))
    elsewhere = other(3, school_id="S2", host_key="key-bo")
    answered = other(4, asked_at=at(3))
    add(store, later, APPROVAL, expired, elsewhere, answered)
    with store.transaction() as tx:
        tx.approvals.decide(answered.id, NO)

    with store.reading() as tx:

        def ids(*schools: str, waiting: bool, limit: int = 9) -> list[str]:
            found = tx.approvals.of_schools(schools, as_of=at(10), waiting=waiting, limit=limit)
            return [approval.id for approval in found]

        assert ids("S1", waiting=True) == [APPROVAL.id, later.id]
        assert ids("S1", waiting=True, limit=1) == [APPROVAL.id]
        assert ids("S1", "S2", waiting=True)[-1] == later.id
        assert len(ids("S1", "S2", waiting=True)) == 3
        assert ids(waiting=True) == []
        assert ids("S1", waiting=False) == [answered.id, expired.id]
        own = tx.approvals.asked_by("key-ann", limit=9)
        assert [a.id for a in own] == [answered.id, expired.id, later.id, APPROVAL.id]
        assert len(tx.approvals.asked_by("key-ann", limit=2)) == 2


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE approvals SET ends_on = '2027-12-18'",
        "UPDATE approvals SET words = 'x'",
        "UPDATE approvals SET host = 'x@district.example'",
        "UPDATE approvals SET decided_by = 'x@district.example'",
        "UPDATE approvals SET granted_to = '2027-12-18'",
        "UPDATE approvals SET state = 'approved'",
        "UPDATE approvals SET state = 'pending', decided_at = NULL",
        "DELETE FROM approvals",
    ],
)
def test_a_request_that_is_touched_is_named(store: SqlStore, statement: str) -> None:
    """What was asked and what was answered are both in the chain."""
    add(store, APPROVAL)
    with store.transaction() as tx:
        tx.approvals.decide(APPROVAL.id, YES)
    with store._engine.begin() as connection:
        assert connection.execute(text(statement)).rowcount
    with store.reading() as tx:
        assert tx.chain.audit().broken is not None


# --- uploads ------------------------------------------------------------------------------------

TABLE = Table(
    RegistryFile.PARTNERS,
    "partners.csv",
    ((1, ("partner_id", "name")), (2, ("P1", "Süd\u202e; \x07"))),
    (RegistryMistake("partners.csv", 2, "name", "what", "fix"),),
)
UPLOAD = Upload("u1", "key-keeper", at(0), at(60), (TABLE,), "digest")


def put(store: SqlStore, *uploads: Upload) -> None:
    for upload in uploads:
        with store.transaction() as tx:
            tx.uploads.put(upload)


def taken(
    store: SqlStore, upload_id: str = "u1", by: str = "key-keeper", minute: float = 5
) -> Upload:
    with store.transaction() as tx:
        return tx.uploads.take(upload_id, by=by, as_of=at(minute))


def test_an_upload_is_given_once_as_it_was(store: SqlStore) -> None:
    """The very same tables that were previewed."""
    put(store, UPLOAD)
    with store.reading() as tx:
        assert tx.uploads.get("u1", by="key-keeper", as_of=at(5)) == UPLOAD
    assert taken(store) == UPLOAD
    with pytest.raises(NotFound):
        taken(store)


@pytest.mark.parametrize(
    ("upload_id", "by", "minute"),
    [("u2", "key-keeper", 5), ("u1", "key-other", 5), ("u1", "key-keeper", 60)],
)
def test_an_upload_is_nobody_elses_and_expires(
    store: SqlStore, upload_id: str, by: str, minute: float
) -> None:
    """Another's, another one, or one of an hour ago."""
    put(store, UPLOAD)
    with pytest.raises(NotFound):
        taken(store, upload_id, by, minute)
    assert taken(store) == UPLOAD


def test_a_new_upload_takes_the_place_of_the_old_one(store: SqlStore) -> None:
    """And what has expired is forgotten with it."""
    old = replace(UPLOAD, id="old", by="key-other", expires_at=at(10))
    put(store, UPLOAD, old)
    put(store, replace(UPLOAD, id="u2", uploaded_at=at(20), expires_at=at(80)))

    with pytest.raises(NotFound):
        taken(store, "u1")
    with pytest.raises(NotFound):
        taken(store, "old", "key-other")
    with store.transaction() as tx:
        assert tx.uploads.forget(before=at(79)) == 0
        assert tx.uploads.forget(before=at(80) + timedelta(seconds=1)) == 1


# --- retention ----------------------------------------------------------------------------------


def purge(store: SqlStore, before: datetime) -> Mapping[str, int]:
    """Delete what is older, as of `before`, in every respect."""
    with store.transaction() as tx:
        return tx.retention.purge(
            Cutoffs(before, before, before),
            confidential={},
            month=lambda moment: f"{moment:%Y-%m}",
            as_of=before,
        )


def test_old_requests_are_forgotten_with_their_answers(store: SqlStore) -> None:
    """The chain says which; a younger one stays."""
    young = other(1, expires_at=at(900))
    add(store, APPROVAL, young)
    with store.transaction() as tx:
        tx.approvals.decide(APPROVAL.id, YES)

    assert purge(store, at(700)) == {"approvals": 1}
    with store.reading() as tx:
        assert tx.approvals.get(young.id) == young
        with pytest.raises(NotFound):
            tx.approvals.get(APPROVAL.id)
        audit = tx.chain.audit()
    assert audit.broken is None
    assert audit.purged


def test_a_held_partners_requests_stay(store: SqlStore) -> None:
    """And those of a meeting that is still there."""
    with store.transaction() as tx:
        tx.meetings.apply(a_read(a_copy(start=600)), as_of=at(0))
        (number,) = tx.meetings.due(at(1), 9)
        key = tx.meetings.load(number).key.text
        tx.holds.add(HoldKind.PARTNER, "P1", reason="r", by="o@district.example", at=at(0))
    here = other(1, occurrence=key, partner_id="P2")
    add(store, APPROVAL, here)

    assert purge(store, at(601)).get("approvals", 0) == 0
    with store.reading() as tx:
        assert tx.approvals.of(key) == [here]
        assert tx.approvals.of("lesson") == [APPROVAL]


def test_rows_that_the_console_ended_are_forgotten_in_time(store: SqlStore) -> None:
    """With their coming and their end; a row that is known stays."""
    rows = [Partner(f"P{n}", "North", PartnerKind.CONTRACTED, Activity.ACTIVE) for n in (1, 2, 3)]
    with store.transaction() as tx:
        tx.registry.replace(Registry.of_rows(rows[:1]), as_of=at(0))
        (imported,) = tx.registry.known()
        own = tx.registry.add(rows[1], by="k@district.example", as_of=at(1))
        tx.registry.add(rows[2], by="k@district.example", as_of=at(1))
        tx.registry.end(own.id, by="k@district.example", as_of=at(2))
        tx.registry.end(imported.id, by="k@district.example", as_of=at(2))

    assert purge(store, at(3)) == {"registry_rows": 2}
    with store.reading() as tx:
        assert [known.row for known in tx.registry.known(ended=True)] == [rows[2]]
        assert tx.chain.audit().broken is None
