"""The Directory snapshot, groups and learned addresses."""

from __future__ import annotations

from dataclasses import replace

from meetbot.domain.people import AccountKind, KnownAccount
from meetbot.ports import KnownGroup, StaffCalendar
from meetbot.store import SqlStore
from tests.builders import a_guest, at

ANN = KnownAccount("ann", AccountKind.STAFF, "/Staff", "id-ann", "ann@district.example", "Ann Lee")
STUDENT = KnownAccount("stu", AccountKind.STUDENT, "/Students")
GUEST = KnownAccount("gus", AccountKind.GUEST, "/", guest_address="gus@partner.example")


def save(
    store: SqlStore, *accounts: tuple[KnownAccount, tuple[str, ...]], minute: float = 0
) -> frozenset[str]:
    with store.transaction() as tx:
        return tx.people.save(accounts, seen_at=at(minute))


def by_address(store: SqlStore, *keys: str) -> dict[str, KnownAccount]:
    with store.reading() as tx:
        return tx.people.by_address(keys)


def test_accounts_are_found_by_every_address_and_by_id(store: SqlStore) -> None:
    """Aliases lead to the account as primary addresses do."""
    save(store, (ANN, ("a1", "a2")), (STUDENT, ("s1",)), (GUEST, ()))

    assert by_address(store, "a1", "a2", "s1", "x") == {"a1": ANN, "a2": ANN, "s1": STUDENT}
    with store.reading() as tx:
        assert tx.people.by_person(["ann", "gus", "x"]) == {"ann": ANN, "gus": GUEST}
        assert tx.people.count() == {
            AccountKind.STAFF: 1,
            AccountKind.STUDENT: 1,
            AccountKind.GUEST: 1,
            AccountKind.INACTIVE: 0,
            AccountKind.OTHER: 0,
        }


def test_what_changed_is_told(store: SqlStore) -> None:
    """New accounts, other kinds and other addresses are news; the same again is not."""
    assert save(store, (ANN, ("a1",)), (STUDENT, ("s1",))) == {"ann", "stu"}
    assert save(store, (ANN, ("a1",)), (STUDENT, ("s1",))) == frozenset()
    assert save(store, (replace(ANN, display_name="Ann L."), ("a1",))) == frozenset()
    assert save(store, (replace(ANN, kind=AccountKind.INACTIVE), ("a1",))) == {"ann"}
    assert save(store, (STUDENT, ("s1", "s2"))) == {"stu"}


def test_addresses_follow_the_account(store: SqlStore) -> None:
    """An alias that was removed leads nowhere, one that was given to another leads there."""
    save(store, (ANN, ("a1", "a2", "a3")))
    bob = replace(ANN, person_key="bob")
    save(store, (ANN, ("a1",)), (bob, ("a2",)))

    assert by_address(store, "a1", "a2", "a3") == {"a1": ANN, "a2": bob}


def test_nothing_clear_of_a_student_is_stored(store: SqlStore) -> None:
    """Whatever the caller hands over, an account that became a student's is blank."""
    save(store, (ANN, ("a1",)))
    save(store, (replace(ANN, kind=AccountKind.STUDENT), ("a1",)))

    assert by_address(store, "a1") == {"a1": KnownAccount("ann", AccountKind.STUDENT, "/Staff")}


def test_sweep_forgets_what_the_new_snapshot_lacked(store: SqlStore) -> None:
    """Accounts seen again stay; the others go with their addresses."""
    save(store, (ANN, ("a1",)), (STUDENT, ("s1",)), minute=0)
    save(store, (ANN, ("a1",)), minute=5)
    with store.transaction() as tx:
        assert tx.people.sweep(seen_before=at(5)) == 1

    assert by_address(store, "a1", "s1") == {"a1": ANN}


def test_staff_calendars_are_in_order(store: SqlStore) -> None:
    """Only active staff with an address, sorted alike on every engine."""
    accounts = [
        (KnownAccount(f"p{n}", kind, "/", address=address), ())
        for n, (kind, address) in enumerate(
            [
                (AccountKind.STAFF, "b@x"),
                (AccountKind.STAFF, "A@x"),
                (AccountKind.STAFF, "a-b@x"),
                (AccountKind.STAFF, "ab@x"),
                (AccountKind.STAFF, None),
                (AccountKind.INACTIVE, "c@x"),
            ]
        )
    ]
    save(store, *accounts)

    with store.reading() as tx:
        assert tx.people.staff_calendars() == [
            StaffCalendar("A@x", "p1"),
            StaffCalendar("a-b@x", "p2"),
            StaffCalendar("ab@x", "p3"),
            StaffCalendar("b@x", "p0"),
        ]


def test_a_large_snapshot_streams(store: SqlStore) -> None:
    """Thousands of accounts, one of them twice, come as an iterator."""
    rows = (
        (KnownAccount(f"p{n % 2500}", AccountKind.STUDENT, "/S"), (f"a{n % 2500}",))
        for n in range(2501)
    )
    with store.transaction() as tx:
        assert len(tx.people.save(rows, seen_at=at(0))) == 2500
        assert len(tx.people.by_address([f"a{n}" for n in range(3000)])) == 2500


def test_groups_are_remembered(store: SqlStore) -> None:
    """The newest reading of a group counts."""
    old = KnownGroup("g", (), is_complete=False, read_at=at(0))
    member = a_guest("m", response="accepted", via_group="g", name_tokens=("t",))
    new = KnownGroup("g", (member,), is_complete=True, read_at=at(1))
    for group in (old, new):
        with store.transaction() as tx:
            tx.people.save_group(group)

    with store.reading() as tx:
        assert tx.people.groups(["g", "x"]) == {"g": new}


def test_outsiders_addresses_are_learned(store: SqlStore) -> None:
    """The newest address of a Meet id counts."""
    for address in ("old@partner.example", "bo@partner.example"):
        with store.transaction() as tx:
            tx.people.learn("i", "key", address, at=at(0))

    with store.reading() as tx:
        assert tx.people.learned(["i", "x"]) == {"i": ("key", "bo@partner.example")}


# --- marks of students ---------------------------------------------------------------------------


def test_marks_lead_to_students(store: SqlStore) -> None:
    """A mark may be several students'; changed marks are told, the same again is not."""
    twin = replace(STUDENT, person_key="twin")
    save(store, (STUDENT, ("s1",)), (twin, ("s2",)), (ANN, ("a1",)))
    marks = {"stu": {"m1", "m2"}, "twin": {"m1"}, "ann": frozenset[str]()}
    with store.transaction() as tx:
        assert tx.people.note_marks(marks) == {"stu", "twin"}
        assert tx.people.note_marks(marks) == frozenset()
    with store.reading() as tx:
        assert tx.people.with_marks(["m1", "m2", "m3"]) == {
            "m1": {"stu", "twin"},
            "m2": {"stu"},
        }
        assert tx.people.with_marks([]) == {}
    with store.transaction() as tx:
        assert tx.people.note_marks({"stu": {"m2", "m3"}}) == {"stu"}
        assert tx.people.with_marks(["m1", "m3"]) == {"m1": {"twin"}, "m3": {"stu"}}


def test_marks_are_only_of_students_who_are_there(store: SqlStore) -> None:
    """Whoever became staff or is gone is found no more."""
    save(store, (STUDENT, ("s1",)))
    with store.transaction() as tx:
        tx.people.note_marks({"stu": {"m1"}})
    save(store, (replace(STUDENT, kind=AccountKind.STAFF), ("s1",)))
    with store.reading() as tx:
        assert tx.people.with_marks(["m1"]) == {}
    save(store, (STUDENT, ("s1",)))
    with store.transaction() as tx:
        assert tx.people.with_marks(["m1"]) == {"m1": {"stu"}}
        tx.people.sweep(seen_before=at(1))
        assert tx.people.with_marks(["m1"]) == {}


def test_very_many_marks(store: SqlStore) -> None:
    """More than one statement takes."""
    save(store, (STUDENT, ("s1",)))
    many = {f"m{number}" for number in range(2_500)}
    with store.transaction() as tx:
        assert tx.people.note_marks({"stu": many}) == {"stu"}
        assert len(tx.people.with_marks(many)) == 2_500
        assert tx.people.note_marks({"stu": {"m1"}}) == {"stu"}
        assert len(tx.people.with_marks(many)) == 1
