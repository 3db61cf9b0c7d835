"""Whatever a calendar goes through, reading it bit by bit ends where reading it whole does."""

from __future__ import annotations

import tempfile
from contextlib import closing, contextmanager
from collections.abc import Iterator
from dataclasses import replace

from hypothesis import given, settings
from hypothesis import strategies as st

from meetbot.domain.meetings import EventCopy, KeptCopy, Scope
from meetbot.ports import CopyChanges
from meetbot.store import SqlStore, open_store
from tests.builders import T0, a_copy, a_guest, a_read, a_tombstone, an_instance

_CALENDARS = ("ann@district.example", "bob@district.example")


@st.composite
def copies(draw: st.DrawFn) -> KeptCopy:
    """A copy of one of a few events, single or of a series, on one of two calendars."""
    start = draw(st.sampled_from([0, 1440]))
    moved = draw(st.sampled_from([0, 30]))
    build = draw(st.sampled_from([a_copy, an_instance]))
    names = {"event": "event", "other": "other"}
    name = draw(st.sampled_from(sorted(names)))
    copy = a_copy(name, start=start) if build is a_copy else an_instance(start, series=name)
    shift = (copy.start_at - T0) / 96 * moved
    return replace(
        copy,
        calendar=draw(st.sampled_from(_CALENDARS)),
        ical_uid=f"{name}@google.com",
        start_at=copy.start_at + shift,
        end_at=copy.end_at + shift,
        guests=tuple(a_guest(key) for key in draw(st.lists(st.sampled_from("xyz"), unique=True))),
        meeting_code=draw(st.sampled_from(["aaa", "bbb", None])),
    )
