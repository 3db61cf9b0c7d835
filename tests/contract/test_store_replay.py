"""What a replay reads of many occurrences at once is what is read of each by itself."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from meetbot.domain.findings import Phase, Severity
from meetbot.domain.flags import ChangeKind, FlagChange
from meetbot.domain.meetings import Scope
from meetbot.domain.platforms import Platform
from meetbot.domain.policy import Limits, Policy, RuleSwitch
from meetbot.domain.thresholds import Thresholds
from meetbot.jobs.replay_view import Sources, SourcesThen
from meetbot.ports import Judged, SourceRead
from meetbot.store import SqlStore
from tests.builders import CODE, a_conference, a_copy, a_read, a_stored_flag, a_visit, at

OTHER = "zzzzzzzzzz"


def stored(store: SqlStore) -> None:
    """Three lessons, two of one code, and an ad-hoc call."""
    copies = [
        a_copy("one", start=0, ical_uid="one"),
        a_copy("two", start=1000, ical_uid="two"),
        a_copy("three", start=500, ical_uid="three", meeting_code=OTHER),
    ]
    with store.transaction() as tx:
        tx.meetings.apply(a_read(*copies), as_of=at(-100))
        tx.meetings.ensure_adhoc("adhocadhoc", at(700), as_of=at(710))


def test_occurrences_of_a_span_come_by_start(store: SqlStore) -> None:
    """Those that overlap it, ad-hoc calls too; the ends do not belong to it."""
    stored(store)
    with store.reading() as tx:
        everything = tx.meetings.load_many(tx.meetings.overlapping(at(-1), at(2000)))
        assert [r.key.original_start_at for r in everything] == [at(0), at(500), at(700), at(1000)]
        assert everything == [tx.meetings.load(record.id) for record in everything]
        first = everything[0].id
        assert tx.meetings.overlapping(at(44), at(45)) == [first]
        assert tx.meetings.overlapping(at(45), at(500)) == []
        assert tx.meetings.load_many([first, 987654]) == [everything[0]]
        assert tx.meetings.load_many([]) == []


def test_what_left_the_scope_is_no_history(store: SqlStore) -> None:
    """An occurrence without a copy is nothing to be decided."""
    stored(store)
    with store.transaction() as tx:
        tx.meetings.apply(a_read(dropped=("one",)), as_of=at(10))
        assert len(tx.meetings.overlapping(at(-1), at(400))) == 0


def test_slots_of_many_codes_are_those_of_each(store: SqlStore) -> None:
    """By code, whatever its spelling."""
    stored(store)
    with store.reading() as tx:
        found = tx.meetings.slots_of(["ABC-DEFG-HIJ", OTHER, "unknown"], at(-1), at(2000))
        assert set(found) == {CODE, OTHER}
        for code, slots in found.items():
            assert slots == tx.meetings.slots(code, at(-1), at(2000))
        assert tx.meetings.slots_of([CODE], at(100), at(200)) == {}


def test_codes_of_more_than_one_event_are_told(store: SqlStore) -> None:
    """Not those of one series, nor those that only a cancelled event or a call has besides."""
    copies = [
        a_copy("one", start=0, ical_uid="one"),
        a_copy("two", start=1000, ical_uid="two"),
        a_copy("s_1", start=0, ical_uid="series", meeting_code=OTHER),
        a_copy("s_2", start=1000, ical_uid="series", meeting_code=OTHER),
        a_copy("off", start=500, ical_uid="off", meeting_code=OTHER, is_cancelled=True),
    ]
    with store.transaction() as tx:
        tx.meetings.apply(a_read(*copies), as_of=at(-100))
        tx.meetings.ensure_adhoc(OTHER, at(700), as_of=at(710))

    with store.reading() as tx:
        assert tx.meetings.shared_codes(["ABC-DEFG-HIJ", OTHER, "unknown"]) == {CODE}
        assert tx.meetings.shared_codes([]) == frozenset()


def test_conferences_of_many_codes_are_those_of_each(store: SqlStore) -> None:
    """With their visits, by start."""
    calls = [
        replace(a_conference(), name="conferenceRecords/1", start_at=at(0), end_at=at(45)),
        replace(
            a_conference(),
            name="conferenceRecords/2",
            meeting_code=OTHER,
            start_at=at(500),
            end_at=None,
        ),
    ]
    visits = [a_visit("ann", 0, 45, conference="conferenceRecords/1")]
    with store.transaction() as tx:
        tx.conferences.save(calls, visits, as_of=at(60))
    with store.reading() as tx:
        found = tx.conferences.held_of([CODE, OTHER], at(-10), at(600))
        single = [tx.conferences.held(code, at(-10), at(600)) for code in (CODE, OTHER)]
        assert found == (*single[0], *single[1])
        assert [len(held.visits) for held in found] == [1, 0]
        # A call whose end was never read can have lasted for a day.
        assert tx.conferences.held_of([OTHER], at(1900), at(1901)) != ()
        assert tx.conferences.held_of([OTHER], at(1940), at(1941)) == ()


def test_flags_of_many_occurrences_are_those_of_each(store: SqlStore) -> None:
    """Closed ones too; who has none is left out."""
    flags = [a_stored_flag(), a_stored_flag("contract-missing"), a_stored_flag(uid="two")]
    with store.transaction() as tx:
        tx.flags.save([FlagChange(ChangeKind.OPENED, one) for one in flags], as_of=at(60))
        tx.shadows.save([FlagChange(ChangeKind.OPENED, flags[2])])
    keys = [flags[0].key.occurrence, flags[2].key.occurrence, "none"]
    with store.reading() as tx:
        assert tx.flags.of_many(keys) == {key: tx.flags.of(key) for key in keys[:2]}
        assert tx.shadows.of_many(keys) == {keys[1]: [flags[2]]}


def test_when_an_occurrence_was_judged_is_kept_by_phase(store: SqlStore) -> None:
    """The last instant of each phase; a note without the rules leaves them."""
    stored(store)
    with store.transaction() as tx:
        (meeting_id,) = tx.meetings.overlapping(at(0), at(1))
        for phase, minute in (
            (Phase.SCHEDULED, -90),
            (Phase.SCHEDULED, -60),
            (Phase.AFTER, 60),
            (None, 70),
        ):
            note = Judged(meeting_id, 0, Scope.FULL, phase=phase)
            tx.meetings.judged([note], as_of=at(minute))
    with store.reading() as tx:
        record = tx.meetings.load(meeting_id)
    assert record.judged_at == {Phase.SCHEDULED: at(-60), Phase.AFTER: at(60)}


def test_no_source_is_read_later_than_the_instant_decided_at(store: SqlStore) -> None:
    """What was read since was read at that instant at the latest; problems stay as they are."""
    with store.transaction() as tx:
        tx.meta.save_source(SourceRead("directory", read_at=at(100), problem="down"))
        tx.meta.set("name", "value")
    with store.reading() as tx:
        sources = Sources(tx)

        def seen(minute: float) -> SourceRead:
            return SourcesThen(sources, at(minute)).source("directory")

        assert seen(100) == seen(200) == tx.meta.source("directory")
        assert seen(50) == replace(tx.meta.source("directory"), read_at=at(50))
        assert SourcesThen(sources, at(50)).source("never").read_at is None
        assert SourcesThen(sources, at(50)).get("name") == "value"
        assert SourcesThen(sources, at(50)).get("unknown") is None


def test_the_policy_comes_back_as_it_was(store: SqlStore) -> None:
    """All its parts; None before the first, and where it cannot be read any more."""
    policy = Policy(
        thresholds=Thresholds(after_s=5),
        limits=Limits(unidentified=timedelta(seconds=7), personal_clearance=True),
        approved_platforms=frozenset({Platform.ZOOM, Platform.GOOGLE_MEET}),
        rules={"contract-scope": RuleSwitch(True, Severity.LOW, True)},
    )
    with store.transaction() as tx:
        assert tx.meta.policy() is None
        for one in (policy, Policy()):
            tx.meta.save_policy(one)
            assert tx.meta.policy() == one
        tx.meta.set("policy-document", '{"thresholds": {"after_s": "soon"}}')
        assert tx.meta.policy() is None
