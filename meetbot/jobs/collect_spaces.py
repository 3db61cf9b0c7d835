"""Meet spaces of meetings ahead → access, moderation and co-hosts; read as the organizer.

The settings are decided on before the start only, so a meeting that has begun costs no request. A
series has one space, which is read once for all its occurrences.
"""

from __future__ import annotations

from collections import defaultdict
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime

from meetbot.domain.addresses import parse_address
from meetbot.domain.meetings import KeptGuest
from meetbot.domain.spaces import Space, SpaceFacts, next_reading
from meetbot.errors import MeetbotError, NotFound
from meetbot.jobs.collect_conferences import MEET, organizer_of
from meetbot.jobs.deps import Deps
from meetbot.jobs.dossiers import is_surely_out_of_scope
from meetbot.jobs.people import People
from meetbot.jobs.rosters import roster_of
from meetbot.ports import MeetingRecord, Outcome, Tally

_ONLY_OWNER = "Meet shows the settings of a space only to its owner"


def run(deps: Deps, as_of: datetime) -> Outcome:
    """Read the spaces that were not read for their events as they are now, or too long ago."""
    outcome = Outcome("collect_spaces")
    roster = roster_of(deps)
    with deps.store.reading() as tx:
        due = [
            record
            for record in tx.meetings.spaces_due(as_of)
            if not is_surely_out_of_scope(tx, record, roster, as_of)
        ]
    if not due:
        return outcome
    people, tally = People(deps, outcome, as_of), outcome.source(MEET)
    tasks = _tasks(deps, people, due)
    with ThreadPoolExecutor(deps.district.workers, thread_name_prefix="space") as pool:
        reads = pool.map(lambda task: _read(deps, people, task, as_of), tasks)
        for task, read in zip(tasks, reads, strict=True):
            _count(tally, read)
            _save(deps, task, read, as_of)
    return outcome


@dataclass(frozen=True, slots=True)
class _Task:
    """One space and the occurrences it belongs to; no `organizer`: the reason says why."""

    code: str
    organizer_key: str
    organizer: str | None
    reason: str
    known_name: str | None
    records: tuple[MeetingRecord, ...]


@dataclass(frozen=True, slots=True)
class _Read:
    facts: SpaceFacts
    is_failure: bool = False


def _tasks(deps: Deps, people: People, due: list[MeetingRecord]) -> list[_Task]:
    groups: dict[tuple[str, str], list[MeetingRecord]] = defaultdict(list)
    for record in due:
        if record.meeting and record.meeting.organizer and record.key.meeting_code:
            key = (record.key.meeting_code, record.meeting.organizer.address_key)
            groups[key].append(record)
    tasks: list[_Task] = []
    for (code, organizer_key), records in groups.items():
        organizer, reason = organizer_of(deps, people, records[0])
        names = [r.space.name for r in records if r.space and r.space.code == code]
        known = next((name for name in names if name), None)
        tasks.append(_Task(code, organizer_key, organizer, reason, known, tuple(records)))
    return tasks


def _read(deps: Deps, people: People, task: _Task, as_of: datetime) -> _Read:
    """What Meet says of one space. Not to be told is no failure where Meet never could."""

    def facts(problem: str, space: Space | None = None) -> SpaceFacts:
        name = space.name if space else task.known_name
        return SpaceFacts(task.code, task.organizer_key, as_of, name, problem=problem)

    if task.organizer is None:
        return _Read(facts(task.reason))
    try:
        space = _space(deps, task.organizer, task)
    except NotFound:
        return _Read(facts("Meet knows no space with the code of this meeting"))
    except MeetbotError as error:
        return _Read(facts(str(error)), is_failure=True)
    if space.access is None:
        return _Read(facts(_ONLY_OWNER, space))
    cohosts, is_failure = _cohosts(deps, people, task.organizer, space)
    return _Read(
        SpaceFacts(
            task.code,
            task.organizer_key,
            as_of,
            space.name,
            space.access,
            space.is_moderated,
            cohosts,
        ),
        is_failure,
    )


def _space(deps: Deps, organizer: str, task: _Task) -> Space:
    """By name; by code where the name is not known, or no longer the code's."""
    if task.known_name is not None:
        try:
            space = deps.meet.space(organizer, task.known_name)
        except NotFound:
            space = None
        if space is not None and space.meeting_code == task.code:
            return space
    return deps.meet.space(organizer, task.code)


def _cohosts(
    deps: Deps, people: People, organizer: str, space: Space
) -> tuple[tuple[KeptGuest, ...] | None, bool]:
    """The co-hosts as they may be stored, or None; and whether the reading failed."""
    try:
        texts = deps.meet.cohosts(organizer, space.name)
    except MeetbotError:
        return None, True
    parsed = [parse_address(text) for text in texts]
    addresses = [address for address in parsed if address is not None]
    if len(addresses) < len(texts):
        return None, True
    accounts = people.by_address(addresses)
    return tuple(people.keep(address, "", accounts) for address in addresses), False


def _count(tally: Tally, read: _Read) -> None:
    if read.is_failure:
        tally.note_failed(read.facts.problem or "the co-hosts of a space could not be read")
    elif read.facts.problem:
        tally.note_skipped(read.facts.problem)
    else:
        tally.read += 1


def _save(deps: Deps, task: _Task, read: _Read, as_of: datetime) -> None:
    """What could not be read is read again by the next run: each run says what is missing."""
    with deps.store.transaction() as tx:
        for record in task.records:
            if record.meeting is not None:
                again = next_reading(read.facts, record.meeting.start_at)
                due_at = as_of if read.is_failure else again
                tx.meetings.note_space(record.id, read.facts, due_at=due_at, as_of=as_of)
