"""Not measured: a history of lessons is written straight into the tables, in its own process.

Reading and judging it first would take a quarter of an hour. Every call has its visits twice, from
Meet and from the audit log, as in life.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import closing
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import orjson
from sqlalchemy import create_engine, insert

from meetbot.domain.attendance import Identity, IdentityForm, Source
from meetbot.domain.meetings import KeptCopy, KeptGuest, OccurrenceKey, Scope
from meetbot.domain.people import AccountKind, KnownAccount, Pseudonyms
from meetbot.domain.policy import Policy
from meetbot.domain.thresholds import Thresholds
from meetbot.ports import SourceRead
from meetbot.registry import read_source
from meetbot.settings import Settings
from meetbot.store import open_store
from meetbot.store.columns import to_micros
from meetbot.store.copies import new_meeting
from meetbot.store.tables import conferences, copies, meetings
from meetbot.store.visits import VisitRow, to_document
from tests.bench.gauge import answer, arguments
from tests.bench.polls import settings_in
from tests.scene import PARTNER, small_rows
from tests.stage import CONFIG, write_registry

DAYS = 60
"""How long ago the first lesson was."""
_KEY = "5a" * 32
_PUPILS = 23
_PRESENT = _PUPILS + 2
_LEFT_EARLY = 50
"""One lesson in so many is left early by its teacher."""
_MINUTE = timedelta(minutes=1)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"
_TEACHERS = tuple(f"teacher{n}@district.example" for n in range(400))
_STUDENTS = tuple(f"s{n}@students.district.example" for n in range(4000))


def main() -> None:
    """`folder`, and how many `visits` to write into the database there."""
    given = arguments()
    folder, now = Path(given["folder"]), datetime.now(UTC).replace(microsecond=0)
    text = CONFIG.format(
        folder=folder,
        api_root="http://127.0.0.1:9",
        database=f"sqlite:///{folder / 'meetbot.db'}",
        port=9,
    )
    (folder / "meetbot.toml").write_text(text, encoding="utf-8")
    write_registry(folder / "registry", small_rows(now))
    _fill(settings_in(folder), folder, given["visits"] // (2 * _PRESENT), now)
    answer({})


def _fill(settings: Settings, folder: Path, lessons: int, now: datetime) -> None:
    reading = read_source(folder / "registry", district_domains=settings.district.domains)
    assert reading.registry is not None, reading.mistakes
    people = _People()
    with closing(open_store(settings.database.url)) as store, store.transaction() as tx:
        tx.meta.set("pseudonym-key", _KEY)
        tx.meta.save_policy(Policy(thresholds=Thresholds(after_s=900)))
        tx.registry.replace(reading.registry, as_of=now - timedelta(days=200))
        tx.people.save(people.accounts(), seen_at=now)
        for source in ("directory", "reports-meet"):
            tx.meta.save_source(SourceRead(source, read_at=now))
    engine = create_engine(settings.database.url)
    step = timedelta(days=DAYS) / max(lessons, 1)
    with engine.begin() as connection:
        for first in range(0, lessons, 500):
            numbers = range(first, min(lessons, first + 500))
            made = [people.lesson(n, now - timedelta(days=DAYS) + n * step) for n in numbers]
            connection.execute(insert(meetings), [one.meeting for one in made])
            connection.execute(insert(copies), [one.copy for one in made])
            connection.execute(insert(conferences), [call for one in made for call in one.calls])
    engine.dispose()


@dataclass(frozen=True, slots=True)
class _Lesson:
    """The rows of one lesson that was held."""

    meeting: dict[str, Any]
    copy: dict[str, Any]
    calls: tuple[dict[str, Any], ...]


class _People:
    """Teachers, one partner and many students, as Meet, the audit log and calendars name them."""

    def __init__(self) -> None:
        key = Pseudonyms(bytes.fromhex(_KEY))
        self._keys: dict[str, tuple[str, str]] = {}
        self._meet: dict[str, bytes] = {}
        self._audit: dict[str, bytes] = {}
        for address in (*_TEACHERS, *_STUDENTS, PARTNER):
            self._keys[address] = key.id(address), key.address(address)
            self._meet[address] = _identity(address, self._keys[address], in_audit=False)
            self._audit[address] = _identity(address, self._keys[address], in_audit=True)

    def accounts(self) -> Iterator[tuple[KnownAccount, tuple[str, ...]]]:
        """The directory's."""
        for address in (*_TEACHERS, *_STUDENTS):
            person, key = self._keys[address]
            is_staff = address.startswith("teacher")
            yield (
                KnownAccount(
                    person_key=person,
                    kind=AccountKind.STAFF if is_staff else AccountKind.STUDENT,
                    unit_path="/Staff/Cedar" if is_staff else "/Students/Cedar",
                    id=address if is_staff else None,
                    address=address if is_staff else None,
                ),
                (key,),
            )

    def lesson(self, number: int, start_at: datetime) -> _Lesson:
        """One lesson of 45 minutes; of some the teacher left early."""
        host = _TEACHERS[number % len(_TEACHERS)]
        pupils = [_STUDENTS[(number * 7 + n) % len(_STUDENTS)] for n in range(_PUPILS)]
        code = "".join(_LETTERS[number // 26**place % 26] for place in range(10))
        end_at = start_at + 45 * _MINUTE
        copy = self._copy(number, start_at, host, pupils, code)
        row = new_meeting(OccurrenceKey(copy.ical_uid, start_at), start_at - timedelta(days=5))
        row |= {
            "id": number + 1,
            "meeting_code": code,
            "copies": 1,
            "start_at": start_at,
            "end_at": end_at,
            "scope": Scope.FULL,
            "due_at": None,
            "attendance_read_at": end_at + 60 * _MINUTE,
            "attendance_final": True,
            "judged_before_at": start_at - 60 * _MINUTE,
            "judged_after_at": end_at + timedelta(hours=25),
        }
        stays = 39 if number % _LEFT_EARLY == 0 else 45.5
        there = [(host, 0.0, stays), (PARTNER, 2.0, 44.0)]
        there += [(pupil, place / 20, 45.0) for place, pupil in enumerate(pupils)]
        calls = tuple(self._call(source, number, code, start_at, there, host) for source in Source)
        return _Lesson(row, _copy_row(copy, number + 1), calls)

    def _copy(
        self, number: int, start_at: datetime, host: str, pupils: Sequence[str], code: str
    ) -> KeptCopy:
        organizer = self._guest(host, is_organizer=True)
        return KeptCopy(
            calendar=host,
            event_id=f"lesson{number}",
            ical_uid=f"lesson{number}@google.com",
            original_start_at=start_at,
            start_at=start_at,
            end_at=start_at + 45 * _MINUTE,
            is_recurring=False,
            is_cancelled=False,
            organizer=organizer,
            creator=organizer,
            is_organizer_copy=True,
            guests=(organizer, *map(self._guest, (PARTNER, *pupils))),
            is_guest_list_complete=True,
            guests_can_see_others=False,
            guests_can_invite=False,
            guests_can_modify=False,
            is_private_copy=False,
            is_details_hidden=False,
            meeting_code=code,
            links=(),
            updated_at=None,
        )

    def _guest(self, address: str, *, is_organizer: bool = False) -> KeptGuest:
        return KeptGuest(
            address_key=self._keys[address][1],
            domain=address.partition("@")[2],
            address=None if "@students." in address else address,
            is_organizer=is_organizer,
        )

    def _call(
        self,
        source: Source,
        number: int,
        code: str,
        start_at: datetime,
        there: Sequence[tuple[str, float, float]],
        host: str,
    ) -> dict[str, Any]:
        names = self._meet if source is Source.MEET else self._audit
        at = to_micros(start_at)
        rows = [
            VisitRow(
                f"{number}/{place}", f"p{number}/{place}", names[who],
                at + int(come * 60e6), at + int(go * 60e6), None, is_hull=False,
            )
            for place, (who, come, go) in enumerate(there)
        ]  # fmt: skip
        return {
            "name": f"conferenceRecords/{number}" if source is Source.MEET else f"audit/{number}",
            "source": source,
            "code": code,
            "start_at": start_at,
            "end_at": start_at + timedelta(minutes=45.5),
            "space": None,
            "organizer": host,
            "calendar_event_id": f"lesson{number}",
            "visits": to_document(rows),
        }


def _identity(address: str, keys: tuple[str, str], *, in_audit: bool) -> bytes:
    """Meet knows everybody by id, the audit log outsiders by address only."""
    is_outside = address == PARTNER
    found = Identity(
        form=IdentityForm.ADDRESS if in_audit else IdentityForm.SIGNED_IN,
        id_key=None if in_audit and is_outside else keys[0],
        address_key=keys[1] if in_audit else None,
        address=address if in_audit and "@students." not in address else None,
        domain=address.partition("@")[2] if in_audit else None,
        is_external=is_outside if in_audit else None,
        in_directory=not is_outside,
    )
    return orjson.dumps(found)


def _copy_row(copy: KeptCopy, meeting_id: int) -> dict[str, Any]:
    return {
        "calendar": copy.calendar,
        "event_id": copy.event_id,
        "meeting_id": meeting_id,
        "recurring_event_id": None,
        "original_start_at": copy.original_start_at,
        "start_at": copy.start_at,
        "end_at": copy.end_at,
        "is_cancelled": False,
        "copy": copy,
    }


if __name__ == "__main__":
    main()
