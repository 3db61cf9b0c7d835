"""One occurrence from the copies of all calendars that hold it."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from meetbot.domain.invitation import MarkKind, StudentMark, TextField, TextSearch
from meetbot.domain.meetings import (
    Disclosure,
    Fingerprint,
    KeptCopy,
    Meeting,
    OccurrenceKey,
    Scope,
    TextDisclosure,
    merge_copies,
    series_of,
)
from meetbot.domain.platforms import Platform, PlatformLink
from meetbot.domain.shared_files import SharedFile
from tests.builders import T0, a_copy, a_guest, at

KEY = OccurrenceKey("lesson@google.com", T0)
ANN, BOB, EVE = "ann@district.example", "bob@district.example", "eve@district.example"


def own(**values: Any) -> KeptCopy:
    """The organizer's copy."""
    defaults: dict[str, Any] = {"calendar": ANN}
    return a_copy("own", **defaults | values)


def copy_of(calendar: str = BOB, **values: Any) -> KeptCopy:
    """A guest's copy."""
    defaults: dict[str, Any] = {"calendar": calendar, "is_organizer_copy": False}
    return a_copy("copy", **defaults | values)


def merged(*copies: KeptCopy) -> Meeting:
    """The meeting they make."""
    return merge_copies(KEY, copies, first_seen_at=at(-9000))


def keys(meeting: Meeting) -> set[str]:
    """Who is invited."""
    return {guest.address_key for guest in meeting.guests}


def test_the_organizers_copy_tells_everything() -> None:
    """However old it is, and whatever guests' copies say."""
    old = own(updated_at=at(-5000), guests_can_invite=False, meeting_code="ownownown1")
    new = copy_of(
        start=60, guests=(a_guest("stale"),), guests_can_invite=True, meeting_code="other00001"
    )

    meeting = merged(new, old)

    assert (meeting.start_at, meeting.meeting_code) == (T0, "ownownown1")
    assert keys(meeting) == {"key-bo"}
    assert not meeting.guests_can_invite
    assert meeting.are_settings_known
    assert meeting.is_guest_list_complete
    assert meeting.calendars == (ANN, BOB)
    assert meeting.first_seen_at == at(-9000)


MARK = StudentMark(TextField.TITLE, MarkKind.NAME, 3, 9)
OTHER_MARK = StudentMark(TextField.DESCRIPTION, MarkKind.ID, 0, 7)
ZOOM, TEAMS = PlatformLink(Platform.ZOOM, "zoom.us"), PlatformLink(Platform.TEAMS, "teams.live.com")
ROSTER, GRADES = SharedFile("spreadsheet", "roster"), SharedFile("file", "grade")


@pytest.mark.parametrize("is_set", [True, False])
def test_all_that_the_organizers_copy_tells(is_set: bool) -> None:
    """Each value of the copy, and what the store keeps beside it."""
    copy = own(
        start=30,
        organizer=a_guest("ann"),
        creator=a_guest("delegate"),
        guests=(a_guest("a"), a_guest("b")),
        is_recurring=is_set,
        is_guest_list_complete=is_set,
        unexpanded_groups=2,
        guests_can_see_others=is_set,
        guests_can_invite=is_set,
        guests_can_modify=is_set,
        meeting_code="codecodeco",
        links=(ZOOM, TEAMS),
        search=TextSearch((MARK,), is_complete=is_set, is_cut=is_set),
        files=(ROSTER, GRADES),
    )
    disclosure = Disclosure(T0, None, 2)
    fingerprint = Fingerprint("a1", T0, "10:00", "10:45", "s", "h", (), "google-meet", "class")
    text_disclosure = TextDisclosure(T0, None, (MARK,))

    meeting = merge_copies(
        KEY,
        (copy,),
        first_seen_at=at(-9000),
        disclosure=disclosure,
        fingerprints=(fingerprint,),
        text_disclosure=text_disclosure,
    )

    assert meeting == Meeting(
        key=OccurrenceKey(KEY.ical_uid, KEY.original_start_at, "codecodeco"),
        start_at=at(30),
        end_at=at(75),
        is_cancelled=False,
        is_recurring=is_set,
        organizer=a_guest("ann"),
        creator=a_guest("delegate"),
        is_imported=False,
        guests=(a_guest("a"), a_guest("b")),
        is_guest_list_complete=is_set,
        unexpanded_groups=2,
        guests_can_see_others=is_set,
        guests_can_invite=is_set,
        guests_can_modify=is_set,
        are_settings_known=True,
        meeting_code="codecodeco",
        links=(ZOOM, TEAMS),
        are_details_known=True,
        first_seen_at=at(-9000),
        calendars=(ANN,),
        disclosure=disclosure,
        fingerprints=(fingerprint,),
        search=TextSearch((MARK,), is_complete=is_set, is_cut=is_set),
        files=(ROSTER, GRADES),
        text_disclosure=text_disclosure,
    )


def test_links_files_and_texts_of_guests_copies_count_only_without_the_organizers() -> None:
    """The organizer's copy shows what the event holds now; else whatever any copy shows."""
    one = copy_of(links=(ZOOM,), files=(ROSTER,), search=TextSearch((MARK,)), updated_at=at(-2))
    two = copy_of(
        EVE,
        links=(TEAMS, ZOOM),
        files=(ROSTER, GRADES),
        search=TextSearch((OTHER_MARK, MARK), is_complete=False),
    )

    with_own, without = merged(own(search=TextSearch()), one, two), merged(one, two)

    assert (with_own.links, with_own.files, with_own.search) == ((), (), TextSearch())
    assert (without.links, without.files) == ((ZOOM, TEAMS), (ROSTER, GRADES))
    assert without.search == TextSearch((MARK, OTHER_MARK), is_complete=True)
    assert not without.is_imported


def test_a_search_is_as_whole_as_that_of_the_copy_that_counts() -> None:
    """Where nobody searched the newest copy, another's finds count and nothing is complete."""
    searched = copy_of(search=TextSearch((MARK,)), updated_at=at(-2000))

    assert merged(searched, copy_of(EVE)).search == TextSearch(
        (MARK,), is_complete=False, is_cut=True
    )
    assert merged(copy_of(), copy_of(EVE)).search is None


def test_without_the_organizer_the_newest_copy_tells_the_time() -> None:
    """A move arrives in one calendar before the other; settings are not known for sure."""
    meeting = merged(copy_of(updated_at=at(-50)), copy_of(EVE, start=30, updated_at=at(-40)))

    assert meeting.start_at == at(30)
    assert not meeting.are_settings_known


def test_without_the_organizer_guests_are_all_that_anybody_sees() -> None:
    """The union of the copies; whole where one copy is."""
    whole = copy_of(guests=(a_guest("a"), a_guest("b")))
    hidden = copy_of(EVE, guests=(a_guest("c"),), is_guest_list_complete=False)

    assert keys(merged(whole, hidden)) == {"a", "b", "c"}
    assert merged(whole, hidden).is_guest_list_complete
    assert not merged(hidden).is_guest_list_complete


def test_a_cut_list_of_the_organizer_is_filled_from_others() -> None:
    """Where Google left guests out, what the others see is added."""
    cut = own(guests=(a_guest("ann"),), is_guest_list_complete=False)
    seen = copy_of(guests=(a_guest("ann"), a_guest("guide")))

    meeting = merged(cut, seen)

    assert keys(meeting) == {"ann", "guide"}
    assert meeting.is_guest_list_complete


def test_an_unopened_group_does_not_bring_back_removed_guests() -> None:
    """The organizer's list is whole but for the group's members."""
    grouped = own(is_guest_list_complete=False, unexpanded_groups=1)
    stale = copy_of(guests=(a_guest("removed"),))

    meeting = merged(grouped, stale)

    assert keys(meeting) == {"key-bo"}
    assert not meeting.is_guest_list_complete
    assert meeting.unexpanded_groups == 1


def test_the_newest_response_of_a_guest_counts() -> None:
    """One entry for each guest, from the newest copy."""
    yes = copy_of(guests=(a_guest("a", response="accepted"),), updated_at=at(-1))
    no = copy_of(EVE, guests=(a_guest("a", response="declined"),), updated_at=at(-2))

    (guest,) = merged(yes, no).guests

    assert guest.response == "accepted"


def test_a_hidden_guest_list_is_read_from_the_organizer() -> None:
    """A guest's copy with the list hidden does not make it incomplete."""
    meeting = merged(
        own(guests_can_see_others=False, guests=(a_guest("a"), a_guest("b"))),
        copy_of(guests_can_see_others=False, guests=(), is_guest_list_complete=False),
    )

    assert keys(meeting) == {"a", "b"}
    assert meeting.is_guest_list_complete
    assert not meeting.guests_can_see_others


# --- Cancelled ----------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("copies", "expected"),
    [
        ((own(is_cancelled=True), copy_of()), True),
        ((own(), copy_of(is_cancelled=True)), False),
        ((copy_of(is_cancelled=True), copy_of(EVE)), False),
        ((copy_of(is_cancelled=True), copy_of(EVE, is_cancelled=True)), True),
        ((own(is_cancelled=True),), True),
    ],
)
def test_cancelled_by_the_organizer_or_by_all(copies: tuple[KeptCopy, ...], expected: bool) -> None:
    """A guest who deletes their copy cancels nothing."""
    assert merged(*copies).is_cancelled is expected


def test_a_meeting_moved_to_another_organizer_goes_on() -> None:
    """`events.move`: the old organizer's copy is cancelled, the new one's counts."""
    old = own(is_cancelled=True, updated_at=at(-1))
    new = own(calendar=BOB, organizer=a_guest("key-bob"), updated_at=at(-2))

    meeting = merged(old, new)

    assert not meeting.is_cancelled
    assert meeting.organizer is not None
    assert meeting.organizer.address_key == "key-bob"


def test_an_organizers_copy_that_is_live_counts_more_than_a_deleted_one() -> None:
    """Two calendars of one organizer; the deleted entry is the newer one."""
    meeting = merged(
        own(calendar=BOB, updated_at=at(-9)), own(is_cancelled=True, updated_at=at(-1))
    )

    assert not meeting.is_cancelled


def test_an_event_that_ended_everywhere_was_moved_nowhere() -> None:
    """The organizer's cancelled copy is the truth, whomever a guest's names."""
    gone = own(is_cancelled=True)
    other = copy_of(is_cancelled=True, organizer=a_guest("key-bob"), updated_at=at(-1))

    meeting = merged(gone, other)

    assert meeting.is_cancelled
    assert meeting.are_settings_known
    assert meeting.organizer == gone.organizer


def test_a_live_copy_of_the_organizer_counts_though_a_newer_one_names_another() -> None:
    """Only an event that ended in the organizer's calendar can have been moved away."""
    meeting = merged(own(), copy_of(organizer=a_guest("key-bob"), updated_at=at(-1)))

    assert meeting.are_settings_known


@pytest.mark.parametrize(("one", "other"), [(None, "key-bob"), ("key-bob", None)])
def test_nothing_was_moved_where_an_organizer_is_not_known(
    one: str | None, other: str | None
) -> None:
    """The cancelled copy of the organizer ends the meeting."""
    gone = own(is_cancelled=True, organizer=a_guest(one) if one else None)

    assert merged(gone, copy_of(organizer=a_guest(other) if other else None)).is_cancelled


# --- Imported, hidden ---------------------------------------------------------------------------


def test_a_meeting_moved_to_a_calendar_that_nobody_reads_goes_on() -> None:
    """The former organizer's copy ended, a guest's newest one names somebody else."""
    shared = a_guest("key-shared", "group.calendar.google.com", is_organizer=True)
    left = own(is_cancelled=True)
    stale = copy_of(EVE, updated_at=at(-2000))

    meeting = merged(left, stale, copy_of(organizer=shared))

    assert not meeting.is_cancelled
    assert meeting.organizer == shared
    assert not meeting.are_settings_known
    assert merged(left, stale, copy_of()).is_cancelled


def test_an_imported_copy_counts_only_alone() -> None:
    """Whoever imports an event tells nothing about the real one."""
    imported = own(calendar=BOB, is_private_copy=True, start=90, guests=(a_guest("stale"),))

    meeting = merged(own(), imported)
    guests_only = merged(copy_of(), copy_of(EVE, is_private_copy=True, start=90))

    assert (meeting.start_at, keys(meeting)) == (T0, {"key-bo"})
    assert not meeting.is_imported
    assert guests_only.start_at == T0
    assert merged(copy_of(is_private_copy=True)).is_imported


def test_a_copy_without_details_does_not_hide_another_ones() -> None:
    """The code and the links are read where somebody may read them."""
    link = PlatformLink(Platform.ZOOM, "zoom.us")
    veiled = copy_of(is_details_hidden=True, meeting_code=None, updated_at=at(-1))
    open_copy = copy_of(EVE, links=(link,), updated_at=at(-50))

    meeting = merged(veiled, open_copy)

    assert meeting.are_details_known
    assert meeting.meeting_code == open_copy.meeting_code
    assert meeting.links == (link,)
    assert not merged(veiled).are_details_known


def test_the_occurrence_keeps_its_key_when_it_moves() -> None:
    """Start and code may change, the key's text may not."""
    meeting = merged(own(start=600, meeting_code="newnewnew1"))

    assert meeting.key.text == KEY.text
    assert meeting.key.meeting_code == "newnewnew1"


def test_a_copy_of_a_meeting_of_adults_lacks_its_staff() -> None:
    """One copy in full scope is enough to know everybody."""
    adult = copy_of(scope=Scope.ADULT)

    assert not merged(adult).are_guests_kept
    assert merged(adult, copy_of(EVE, updated_at=at(-9))).are_guests_kept
    assert not merged(adult, own(scope=Scope.ADULT)).are_guests_kept


@pytest.mark.parametrize(
    ("uid", "series"),
    [
        ("abc@google.com", "abc@google.com"),
        ("abc_R20261013T150000@google.com", "abc@google.com"),
        ("abc_R20261013@google.com", "abc@google.com"),
        ("abc_Room@google.com", "abc_Room@google.com"),
        ("_R20261013T150000x@google.com", "_R20261013T150000x@google.com"),
        (None, None),
    ],
)
def test_a_split_series_keeps_its_name(uid: str | None, series: str | None) -> None:
    """Google marks the part that follows with its first day."""
    assert series_of(OccurrenceKey(uid, T0)) == series


def test_adhoc_calls_are_keyed_by_code_and_start() -> None:
    """Two calls of one code at other times are two; no event's key is the same."""
    texts = {
        OccurrenceKey(None, T0, "aaaaaaaaaa").text,
        OccurrenceKey(None, at(1), "aaaaaaaaaa").text,
        OccurrenceKey(None, T0, "bbbbbbbbbb").text,
        OccurrenceKey("aaaaaaaaaa", T0, "aaaaaaaaaa").text,
    }

    assert len(texts) == 4


copies = st.builds(
    lambda calendar, is_own, **values: (own if is_own else copy_of)(calendar=calendar, **values),
    st.sampled_from([ANN, BOB, EVE]),
    st.booleans(),
    start=st.sampled_from([0, 30]),
    is_cancelled=st.booleans(),
    is_private_copy=st.booleans(),
    is_details_hidden=st.booleans(),
    is_guest_list_complete=st.booleans(),
    unexpanded_groups=st.integers(0, 1),
    guests=st.lists(st.sampled_from("abc").map(a_guest), unique=True).map(tuple),
    updated_at=st.one_of(st.none(), st.integers(-9, 0).map(at)),
)


@given(
    st.lists(copies, min_size=1, max_size=4, unique_by=lambda c: (c.calendar, c.event_id)),
    st.randoms(use_true_random=False),
)
def test_the_order_of_copies_changes_nothing(found: list[KeptCopy], random: Any) -> None:
    """Calendars are read in any order."""
    shuffled = list(found)
    random.shuffle(shuffled)

    assert merged(*found) == merged(*shuffled)
