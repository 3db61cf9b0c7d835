"""Student data in texts: found whatever the markup, told by place and kind only."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from dataclasses import replace

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from meetbot.domain.identity import name_tokens
from meetbot.domain.invitation import Invitation, MarkKind, StudentMark, TextField, plain
from meetbot.domain.people import Account, AccountKind, Pseudonyms
from meetbot.domain.shared_files import FileWords, shared_files
from meetbot.domain.student_data import candidates, marks_of, matches_of, student_marks

KEYS = Pseudonyms(b"a key for tests, long enough to be")
ADDRESS, ID, NUMBER, NAME = MarkKind.ADDRESS, MarkKind.ID, MarkKind.NUMBER, MarkKind.NAME


def a_student(given_name: str, family_name: str, *ids: str, local: str = "kid") -> Account:
    """A student with a Google id of 21 digits."""
    return Account(
        id="1" + str(int.from_bytes(family_name.encode())).zfill(20)[-20:],
        primary_address=f"{local}@students.example",
        addresses=(f"{local}@students.example",),
        kind=AccountKind.STUDENT,
        unit_path="/Students",
        display_name=f"{given_name} {family_name}",
        given_name=given_name,
        family_name=family_name,
        other_ids=ids,
    )


ZEB = a_student("Zebulon", "Quist", "S-204/4871", "204871")
YOLANDA = a_student("Yolanda María", "Vex de la Ø'Brien")
XERXES = a_student("Xerxes", "Umber", local="s1204888")
SCHOOL = (ZEB, YOLANDA, XERXES)


def found(
    invitation: Invitation,
    *,
    school: Iterable[Account] = SCHOOL,
    guests: Iterable[tuple[str, ...]] = (),
) -> tuple[StudentMark, ...]:
    """The marks of these students in an invitation; all of `students.example` are students'."""
    students: dict[str, frozenset[str]] = {}
    for account in school:
        for mark in student_marks(account, KEYS):
            students[mark] = students.get(mark, frozenset()) | {account.id}
    seen = candidates(invitation, KEYS)
    ours = {c.key for c in seen if c.address and c.address.domain == "students.example"}
    matches = matches_of(seen, students=students, student_addresses=ours)
    words = [name_tokens(KEYS, *names) for names in guests]
    return marks_of(matches, guests=words, pseudonyms=KEYS)


def kinds(text: str, **asked: object) -> list[MarkKind]:
    """Kinds of what a description holds."""
    return [mark.kind for mark in found(Invitation(description=text), **asked)]  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        "Zebulon Quist",
        "Quist, Zebulon",
        "QUIST Zebulon",
        "Zébülon Quïst",
        unicodedata.normalize("NFD", "Zébülon Quïst"),
        "Ｚｅｂｕｌｏｎ Ｑｕｉｓｔ",
        "Zebulon Quist's poster",
        "Zebulon Quist\u2019s poster",
        "Zebulon B. Quist",
        "<b>Zebulon</b>&nbsp;<i>Quist</i>",
        "<p>Zebu<span>lon</span> Quist</p>",
        "Zebulon<br>Quist",
        "Zeb\u200bulon\u00a0Qu\u00adist",
        "zebulon_quist.pdf",
        "zebulon.quist@gmail.com",
        '<a href="https://x.example" title="Zebulon Quist">a kid</a>',
        "Z&#101;bulon Quist",
        "Zebulon Qui\ufb06",
        "Zebulo\u20ddn Quist",
        '<a title="&#90;ebulon&nbsp;Qu&#105;st&#33;">a kid</a>',
        "Zebulon ,  Quist",
    ],
)
def test_a_name_is_found_however_it_is_written(text: str) -> None:
    """Order, case, accents, width, markup, references and invisible signs hide nothing."""
    assert kinds(text) == [NAME]


@pytest.mark.parametrize(
    "text",
    [
        "Yolanda Vex",
        "maria vex",
        "Yolanda María Vex de la O'Brien",
        "María de la OBrien",
        "O\u2019Brien, Yolanda",
        "Yolanda Ø'Brien",
        "Yolanda O`Brien",
    ],
)
def test_names_of_several_words(text: str) -> None:
    """Each given name with each family name, particles between them aside; one mention is one."""
    assert kinds(text) == [NAME]


@pytest.mark.parametrize(
    "text",
    [
        "Quist",
        "Zebulon and Yolanda",
        "Zebulon went there. Later on Quist",
        "Zebulonquist",
        "Mr. Quist meets Mrs. Vex",
        "Vex de la Nada",
        "Yolanda María",
        "Zebulon ,   Quist",
    ],
)
def test_parts_of_names_are_no_names(text: str) -> None:
    """A surname alone, which staff can share, or two given names are nobody's name."""
    assert kinds(text) == []


def test_the_same_student_is_named_once() -> None:
    """Two family names, two mentions and two fields are one student; another is another."""
    text = "Yolanda Vex, Yolanda O'Brien, Vex Yolanda"
    both = Invitation(title="Yolanda Vex", description=text + " and Xerxes Umber")

    assert kinds(text) == [NAME]
    assert kinds("Yolanda Vex, Xerxes Umber, Yolanda O'Brien") == [NAME, NAME]
    assert [(m.field, m.kind) for m in found(both)] == [
        (TextField.TITLE, NAME),
        (TextField.DESCRIPTION, NAME),
    ]


def test_the_name_of_an_invited_adult_is_not_a_students() -> None:
    """A teacher or partner called like a student may be named; others stay."""
    text = "With Zebulon Quist and Xerxes Umber"

    assert kinds(text, guests=[("Zebulon Quist", "z.quist")]) == [NAME]
    assert kinds(text, guests=[("Zebulon Other",), ("Quist",)]) == [NAME, NAME]


@pytest.mark.parametrize(
    "text",
    [
        "kid7@students.example",
        "mail KID7@Students.Example.",
        "kid7&#64;students.example",
        "<a href='mailto:kid7@students.example?subject=x'>the kid</a>",
        "<kid7@students.example>",
        "&lt;kid7@students.example&gt;",
        "kid7<wbr>@students.example",
        "https://x.example/?who=kid7%40students.example",
        "kid7＠students.example",
    ],
)
def test_addresses(text: str) -> None:
    """Plain, in references, links, brackets and escapes."""
    assert kinds(text) == [ADDRESS]


def test_what_is_no_students_address() -> None:
    """Other domains, also such as end or begin alike."""
    text = "kid7@notstudents.example kid7@students.example.evil.test kid7@x.students.example @ a@b"

    assert kinds(text) == []
    assert kinds("kid7@ and @students.example") == []
    assert kinds("see @ or @x: kid7@students.example") == [ADDRESS]


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        (ZEB.id, ID),
        (f"id:{ZEB.id};", ID),
        ("S2044871", ID),
        ("S-204-4871", ID),
        ("S-204/4871", None),
        ("s1204888", ID),
        ("S1204888.", ID),
        ("204871", NUMBER),
        ("no. 204871,", NUMBER),
        ("1204871", None),
        ("20487", None),
        ("meeting on 2026-10-13 at 12:04", None),
    ],
)
def test_ids(text: str, kind: MarkKind | None) -> None:
    """Google's id, the district's, and a local part that is one; short ones are only numbers."""
    assert kinds(text) == ([kind] if kind else [])


def test_an_id_within_an_address_is_told_once() -> None:
    """The address says it all: neither its local part nor the name in it counts again."""
    assert kinds("s1204888@students.example zebulon.quist@students.example") == [ADDRESS, ADDRESS]
    assert kinds("s1204888@students.example, Zebulon Quist") == [ADDRESS, NAME]


def test_places_are_those_of_the_written_text() -> None:
    """Offset and length point at the very words, markup included, and not at what was compared."""
    text = "<p>Dear all,</p> <b>Zebulon</b>&nbsp;Quist and kid7&#64;students.example"
    address, name = found(Invitation(description=text))

    assert text[name.offset : name.offset + name.length] == "Zebulon</b>&nbsp;Quist"
    assert text[address.offset : address.offset + address.length] == "kid7&#64;students.example"


@pytest.mark.parametrize("text", ["kid7@students.example", "Zebulon Quist", "s1204888"])
def test_a_mark_that_is_all_of_a_text_has_its_length(text: str) -> None:
    """From the first character to the last."""
    (mark,) = found(Invitation(title=text))

    assert (mark.field, mark.offset, mark.length) == (TextField.TITLE, 0, len(text))


def test_each_character_knows_where_it_was_written() -> None:
    """Visible text first, then the attributes, each on a line of its own, references resolved."""
    written = 'É&amp;<p id="x&#101;">b<br>c&lt;'
    made = plain(written)

    assert made.text == 'e&\nb\nc<\n id="xe"'
    assert [written[s:e] for s, e in zip(made.starts, made.ends, strict=True)] == [
        *("É", "&amp;", '<p id="x&#101;">', "b", "<br>", "c", "&lt;"),
        *(" ", " ", "i", "d", "=", '"', "x", "&#101;", '"'),
    ]
    assert made.place(0, 1) == (0, 1)


def test_a_school_in_a_text_is_cut_at_a_thousand() -> None:
    """Enough for anybody to see what it is; of an address nobody's name is known."""
    text = " ".join(f"k{n}@students.example" for n in range(1001))
    seen = candidates(Invitation(description=text), KEYS)

    matches = matches_of(seen, students={}, student_addresses={c.key for c in seen})

    assert len(matches) == 1000
    assert {match.who for match in matches} == {frozenset()}
    assert len(marks_of(matches, guests=(), pseudonyms=KEYS)) == 200


def test_marks_are_keyed() -> None:
    """Nothing of a name or id is in a mark, and another district's marks are others."""
    marks = student_marks(ZEB, KEYS)

    assert all(len(mark) == 16 and set(mark) <= set("0123456789abcdef") for mark in marks)
    assert marks.isdisjoint(student_marks(ZEB, Pseudonyms(b"the key of another district, too")))


def test_a_student_without_given_name_is_found_by_the_full_one() -> None:
    """The directory may hold a full name only."""
    account = Account("1" * 21, "a@b.example", (), AccountKind.STUDENT, "/S", "Ann Marie Lee")

    assert kinds("marie lee", school=[account]) == [NAME]
    assert kinds("marie lee", school=[replace(account, given_name="Ann")]) == [NAME]
    assert kinds("marie lee", school=[replace(account, family_name="Lee")]) == [NAME]


PIECES = """
< > & #64; <b> </b> <br> &amp @ %40 students.example ' . - 1 Zebulon Quist É ﬃ İ ŉ s1204888
https://docs.google.com/d/1 roster <a href="
"""
TEXTS = st.one_of(
    st.text(),
    st.text(alphabet=st.characters()),
    st.lists(
        st.sampled_from([*PIECES.split(), " ", "\0", "\ud800", "\u202e", "\u0345"]), max_size=60
    ).map("".join),
)


@settings(max_examples=400)
@given(TEXTS, TEXTS, TEXTS)
@example("ŉİ", "<a &#xffffff;>", "&#9999999;")
def test_no_text_raises_and_every_place_lies_within(
    title: str, description: str, location: str
) -> None:
    """Whatever is written: no exception, and places are inside their field."""
    invitation = Invitation(title, description, location)
    lengths = {"title": len(title), "description": len(description), "location": len(location)}

    for candidate in candidates(invitation, KEYS):
        mark = candidate.mark
        assert mark.length >= 1
        assert mark.offset >= 0
        assert mark.offset + mark.length <= lengths[mark.field]
    found(invitation)
    shared_files(invitation, FileWords())


@given(TEXTS)
def test_plain_text_knows_where_it_came_from(text: str) -> None:
    """As many places as characters, none outside, no upper case."""
    made = plain(text)

    assert len(made.text) == len(made.starts) == len(made.ends)
    assert all(0 <= s < e <= len(text) for s, e in zip(made.starts, made.ends, strict=True))


@given(st.sampled_from(SCHOOL), st.text(alphabet=" .,;:!?()\n", min_size=1), st.booleans())
def test_a_name_is_found_anywhere(student: Account, around: str, is_reversed: bool) -> None:
    """Whatever stands before and after."""
    names = [student.given_name.split()[0], student.family_name.split()[0]]
    name = " ".join(reversed(names) if is_reversed else names)

    assert kinds(f"xx{around}{name}{around}yy") == [NAME]


def test_a_megabyte_is_searched_in_linear_time() -> None:
    """Ten times the text makes about ten times the work, whatever it is made of."""
    for unit in ("<", "&", "a@", "<a ", "a.a", "1-", "'a", "a ", "é<b>", "%40", "Zebulon Quist "):
        text = (unit * 65_536)[:65_536]
        assert len(found(Invitation(description=text))) <= 200


@pytest.mark.parametrize(
    ("student", "text", "kind"),
    [
        (a_student("A", "B", local="k1234"), "ask k1234 today", ID),
        (a_student("A", "B", local="kid123"), "ask kid123 today", None),
        (a_student("A", "B", "A1234"), "id A1234", ID),
        (a_student("A", "B", "A123"), "id A123", None),
        (a_student("A", "B", "1" * 40), "id " + "1" * 40, ID),
        (a_student("A", "B", "1" * 41), "id " + "1" * 41, None),
        (a_student("A", "B", "abcdef"), "id abcdef", None),
        (a_student("A", "B", "123456"), "id 123456", NUMBER),
        (a_student("A", "B", "1234567"), "id 1234567", ID),
        (a_student("A", "B", "77123"), "room.77123-x", NUMBER),
        (a_student("A", "B", "77123"), "77123.room", NUMBER),
        (a_student("A", "B", "AB-77-12"), "id AB7712", ID),
        (a_student("Bo", "Li"), "Li, Bo", NAME),
        (a_student("B", "Lind"), "B Lind", None),
        (a_student("van", "der"), "van der", NAME),
        (a_student("Ana", "Lind"), "Ana v w x y z Lind", None),
        (a_student("Ana", "Lind"), "Ana v w x y Lind", None),
        (a_student("Ana", "Lind"), "Ana v w x Lind", NAME),
        (a_student("Ana", "Lind"), "Ana M. Lind", NAME),
    ],
)
def test_marks_at_their_limits(student: Account, text: str, kind: MarkKind | None) -> None:
    """Lengths and digits of ids, and short names; the place is that of the mark alone."""
    assert kinds(text, school=[student]) == ([kind] if kind else [])


def test_the_place_of_a_part_is_the_parts() -> None:
    """Also of the second part, and of the third."""
    student = a_student("A", "B", "77123", "88123", "99123")
    text = "77123-88123.99123"

    marks = found(Invitation(description=text), school=[student])

    assert [text[m.offset : m.offset + m.length] for m in marks] == ["77123", "88123", "99123"]
