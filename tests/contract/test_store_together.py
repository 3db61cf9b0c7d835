"""What judging many occurrences writes at once is what it would write one by one."""

from __future__ import annotations

from dataclasses import replace

from meetbot.domain.chain import LinkKind
from meetbot.domain.findings import FlagKey, Severity
from meetbot.domain.flags import ChangeKind, FlagChange
from meetbot.domain.snapshots import Withheld
from meetbot.ports import FlagSave
from meetbot.store import SqlStore
from tests.builders import T0, a_copy, a_read, a_stored_flag, at
from tests.dossiers import a_dossier, held, partner, staff, students
from tests.evidence import a_snapshot

ONE = a_snapshot(held(staff((0, 30)), partner((0, 44)), *students((0, 45))))
OTHER = a_snapshot(a_dossier())


def test_links_added_together_follow_one_another(store: SqlStore) -> None:
    """Genesis first, then each in its order; nothing at all is no link."""
    with store.transaction() as tx:
        before = tx.chain.links()
        assert tx.chain.append_all(LinkKind.EVIDENCE, [], at=at(0)) == []
        assert tx.chain.links() == before
        entries = [(name, {"turn": name}) for name in ("a", "b", "c")]
        added = tx.chain.append_all(LinkKind.EVIDENCE, entries, at=at(1))
        tx.chain.append(LinkKind.EVIDENCE, "d", {}, at=at(2))

    with store.reading() as tx:
        links = tx.chain.links()
        assert [link.subject for link in links] == ["", "a", "b", "c", "d"]
        assert links[1:4] == added
        assert tx.chain.head() is not None
        assert tx.chain.audit().broken is None


def test_snapshots_kept_together_are_stored_and_recorded_once(store: SqlStore) -> None:
    """The same one twice, and one that was known."""
    with store.transaction() as tx:
        known = tx.snapshots.keep(OTHER, as_of=at(59))
        digests = tx.snapshots.keep_all([ONE, OTHER, ONE], as_of=at(60))

    assert digests == [digests[0], known, digests[0]]
    with store.reading() as tx:
        assert [tx.snapshots.load(digest) for digest in digests] == [ONE, OTHER, ONE]
        assert [len(tx.chain.find(LinkKind.EVIDENCE, digest)) for digest in digests] == [1, 1, 1]
        assert tx.chain.audit().broken is None


def test_flags_of_many_verdicts_are_saved_with_whom_they_were_told_to(store: SqlStore) -> None:
    """A flag remembers its mails, its history does not; one that only was mailed gets no line."""
    first = a_stored_flag()
    key = replace(first.key, subject="other")
    second, third = (
        replace(first, id="F-2", key=key),
        replace(first, id="F-3", key=FlagKey(key.rule, key.occurrence, "third")),
    )
    told = {"officers": at(61)}
    with store.transaction() as tx:
        digest = tx.snapshots.keep(ONE, as_of=at(60))
        tx.flags.save([FlagChange(ChangeKind.OPENED, third)], as_of=at(60))
        saves = [
            FlagSave((FlagChange(ChangeKind.OPENED, first, "because"),), digest),
            FlagSave((FlagChange(ChangeKind.OPENED, second),), digest, Withheld.CONFIDENTIAL),
        ]
        mailed = [replace(f, told=told, told_severity=Severity.HIGH) for f in (first, third)]
        tx.flags.save_all(saves, told=mailed, as_of=at(61))

    with store.reading() as tx:
        assert [tx.flags.get(f.id).told for f in (first, second, third)] == [told, {}, told]
        (line,) = tx.flags.entries(first.id)
        assert (line.flag, line.reason, line.snapshot) == (first, "because", digest)
        (line,) = tx.flags.entries(second.id)
        assert (line.snapshot, line.withheld) == (digest, Withheld.CONFIDENTIAL)
        assert len(tx.flags.entries(third.id)) == 1


def test_of_some_calendars_those_that_were_read(store: SqlStore) -> None:
    """As they are one by one; of the others nothing."""
    read = a_read(a_copy())
    with store.transaction() as tx:
        tx.meetings.apply(read, as_of=T0)
    with store.reading() as tx:
        found = tx.meetings.calendars_of([read.calendar, "nobody@district.example"])
        assert found == {read.calendar: tx.meetings.calendar(read.calendar)}
