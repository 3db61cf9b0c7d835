"""The Calendar audit log → which calendars changed, and who edited events that are kept.

It lags by hours, so it is only a hint for what to read, and no verdict rests on a row's absence
before the log had its time.
"""

from __future__ import annotations

from datetime import datetime, timedelta

from meetbot.domain.addresses import parse_address
from meetbot.domain.guest_list import KeptEdit
from meetbot.domain.meetings import KeptGuest
from meetbot.errors import MeetbotError
from meetbot.jobs.collect_people import note_source
from meetbot.jobs.deps import Deps
from meetbot.ports import EventEdit, Outcome

SOURCE = "reports-calendar"
_OVERLAP = timedelta(hours=6)


def read(deps: Deps, outcome: Outcome, as_of: datetime) -> frozenset[str] | None:
    """Upsert the rows written since the last complete reading, widened by the overlap.

    Gives the calendars that changed, None where the log could not be read. Rows of events that are
    not kept are dropped; those of an event kept later come again within the overlap.
    """
    with deps.store.reading() as tx:
        last = tx.meta.source(SOURCE).read_at
    since = (last or as_of - deps.district.lookback) - _OVERLAP
    changed: set[str] = set()
    try:
        for page in deps.reports.calendar_changes(since, as_of):
            changed |= page.calendars
            if page.edits:
                edits = [_kept(deps, edit) for edit in page.edits]
                with deps.store.transaction() as tx:
                    outcome.count("edits", tx.meetings.save_edits(edits, as_of=as_of))
    except MeetbotError as error:
        outcome.source(SOURCE).note_failed(str(error))
        note_source(deps, SOURCE, as_of, problem=str(error))
        return None
    note_source(deps, SOURCE, as_of)
    outcome.source(SOURCE).read += 1
    return frozenset(changed)


def _kept(deps: Deps, edit: EventEdit) -> KeptEdit:
    actor = _keyed(deps, edit.actor)
    guest = _keyed(deps, edit.guest)
    return KeptEdit(edit.key, edit.event_id, edit.at, actor, guest.address_key if guest else None)


def _keyed(deps: Deps, text: str | None) -> KeptGuest | None:
    address = parse_address(text) if text else None
    if address is None:
        return None
    return KeptGuest(deps.pseudonyms.address(address.key), address.domain)
