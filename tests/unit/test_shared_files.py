"""Files that may list students, judged by whole words of their names."""

from __future__ import annotations

import pytest

from meetbot.domain.invitation import Attachment, Invitation
from meetbot.domain.shared_files import FileWords, SharedFile, shared_files

WORDS = FileWords()


def words_in(title: str) -> list[str]:
    """Configured words that make a roster of an attachment of this name."""
    files = shared_files(Invitation(files=(Attachment(title),)), WORDS)
    return [file.word for file in files]


@pytest.mark.parametrize(
    ("title", "word"),
    [
        ("Class Roster", "roster"),
        ("class_rosters_P3.xlsx", "roster"),
        ("ClassRoster2026.csv", "roster"),
        ("Seating chart period 3", "seating"),
        ("Grades Q1", "grade"),
        ("Mrs. Teach's Grade Sheet", "grade"),
        ("IEP at a glance", "IEP"),
        ("iep's", "IEP"),
        ("504 plans", "504"),
        ("504Plan.pdf", "504"),
        ("Report-Cards.pdf", "report card"),
        ("CLASS LIST", "class list"),
        ("ＲＯＳＴＥＲ", "roster"),
        ("Rubric + class roster", "roster"),
        ("Confidential notes", "confidential"),
        ("Rubric (confidential)", "confidential"),
        ("Roster of lunch, lab and field rubric", "roster"),
        ("Roster 5", "roster"),
        ("5th roster", "roster"),
        ("Grades", "grade"),
        ("Grade 13 or so", "grade"),
    ],
)
def test_names_of_rosters(title: str, word: str) -> None:
    """Whole words, in any case, joined or not, singular or plural; labels count always."""
    assert words_in(title) == [word]


@pytest.mark.parametrize(
    "title",
    [
        "Grading rubric",
        "Grade rubric",
        "Rubric for grades",
        "Upgrade plan",
        "Degrade.pdf",
        "Graded discussion",
        "Grade 5 slides",
        "Grades 6-8 overview",
        "5th grade field trip",
        "Fifth grade map",
        "Grade K phonics",
        "Grade 12 slides",
        "Grade 10 slides",
        "Grade 07",
        "Grade level team",
        "Seating chart template",
        "Sample roster",
        "Published class list",
        "Roosters of the world",
        "5040 steps",
        "Shiep",
        "Lesson plan",
        "",
        "🦆" * 100,
    ],
)
def test_names_of_other_files(title: str) -> None:
    """Rubrics, templates, published lists, years at school, and parts of words."""
    assert words_in(title) == []


@pytest.mark.parametrize(
    ("text", "kind"),
    [
        ("Class roster: https://docs.google.com/spreadsheets/d/1/edit", "spreadsheet"),
        ("docs.google.com/document/d/1 (roster)", "document"),
        ('<a href="https://drive.google.com/file/d/1">Class roster</a>', "file"),
        ('Roster: <a href="https://drive.google.com/drive/folders/1">here</a>', "folder"),
        ("Ro<b>ster</b>: https://docs.google.com/document/d/1", "document"),
        (
            "Roster https://www.google.com/url?q=https%3A%2F%2Fdocs.google.com%2Fd%2F1&amp;sa=D",
            "file",
        ),
        (
            '<a href="https://www.google.com/url?q=https://docs.google.com/forms/d/1">roster</a>',
            "form",
        ),
    ],
)
def test_links_to_drive_in_texts(text: str, kind: str) -> None:
    """A link is named by its own text and by its line, also within a wrapper."""
    for invitation in (Invitation(description=text), Invitation(location=text)):
        assert shared_files(invitation, WORDS) == (SharedFile(kind, "roster"),)


@pytest.mark.parametrize(
    "text",
    [
        "Bring the roster.",
        "Roster<br>https://docs.google.com/document/d/1",
        "roster https://docs.google.com.evil.test/document/d/1",
        "roster https://evildocs.google.com/document/d/1",
        "Slides: https://docs.google.com/presentation/d/1",
        "Roster https://district.example/file",
    ],
)
def test_texts_without_a_linked_roster(text: str) -> None:
    """No link, a link on another line, another site, or another name."""
    assert shared_files(Invitation(description=text), WORDS) == ()


def test_the_district_chooses_the_words() -> None:
    """Own words count, and those that are left out do not."""
    words = FileWords(roster=("Anwesenheit", "lista de alumnos"), sensitive=(), harmless=())
    files = (Attachment("Lista de alumnos 3B"), Attachment("Roster"))

    assert shared_files(Invitation(files=files), words) == (SharedFile("file", "lista de alumnos"),)


@pytest.mark.parametrize(
    ("word", "title", "is_found"),
    [
        ("directory", "Directories 3B", True),
        ("directory", "The directory's pages", True),
        ("directory", "Directorys", False),
        ("directory", "directorie", False),
        ("bus", "Buses to school", True),
        ("bus", "busies", False),
        ("liste d'appel", "Liste dappel 3B.pdf", True),
        ("grade sheet", "Grade sheet 5", True),
        ("grade sheet", "Grade 5 sheet", False),
    ],
)
def test_forms_of_a_word(word: str, title: str, is_found: bool) -> None:
    """Plurals and possessives of what a district chose, and apostrophes left out."""
    words = FileWords(roster=(word,), sensitive=(), harmless=())

    files = shared_files(Invitation(files=(Attachment(title),)), words)

    assert files == ((SharedFile("file", word),) if is_found else ())


def test_a_label_is_told_as_one() -> None:
    """It says that somebody calls the file so, not that it lists anybody."""
    files = (Attachment("Confidential roster"),)

    assert shared_files(Invitation(files=files), WORDS) == (
        SharedFile("file", "roster"),
        SharedFile("file", "confidential", is_label=True),
    )


def test_attachments_and_links_are_told_together() -> None:
    """From every text, each kind and word once."""
    invitation = Invitation(
        "Seating https://docs.google.com/spreadsheets/d/1",
        "Roster https://docs.google.com/document/d/1",
        "Roster https://docs.google.com/document/d/2",
        (Attachment("IEP"),),
    )

    assert shared_files(invitation, WORDS) == (
        SharedFile("file", "IEP"),
        SharedFile("spreadsheet", "seating"),
        SharedFile("document", "roster"),
    )


def test_each_link_of_a_line_has_the_words_beside_it() -> None:
    """What stands between two links can be the name of either; what stands farther off of none."""
    document, sheet = (
        "https://docs.google.com/document/d/1",
        "https://docs.google.com/spreadsheets/d/2",
    )
    between = Invitation(description=f"{document} seating {sheet}")
    outside = Invitation(description=f"roster {document} and {sheet} seating")

    assert shared_files(between, WORDS) == (
        SharedFile("document", "seating"),
        SharedFile("spreadsheet", "seating"),
    )
    assert shared_files(outside, WORDS) == (
        SharedFile("document", "roster"),
        SharedFile("spreadsheet", "seating"),
    )


@pytest.mark.parametrize(
    "text",
    [
        'class <a href="https://x.example">list</a> https://docs.google.com/document/d/1',
        "class https://x.example/a list https://docs.google.com/document/d/1",
        "class&#99999999;list https://docs.google.com/document/d/1",
        "https://docs.google.com/document/d/1 class https://x.example/a list",
    ],
)
def test_other_links_do_not_part_the_words_of_a_name(text: str) -> None:
    """They are passed over, whether shown or not."""
    assert shared_files(Invitation(description=text), WORDS) == (
        SharedFile("document", "class list"),
    )


def test_kinds_of_attachments() -> None:
    """By MIME type, else by link."""
    files = (
        Attachment("roster", "https://drive.google.com/open?id=1", "application/vnd.ms-excel"),
        Attachment("roster", "https://docs.google.com/document/d/1"),
    )

    kinds = [file.kind for file in shared_files(Invitation(files=files), WORDS)]
    assert kinds == ["spreadsheet", "document"]


def test_nothing_of_an_invitation_is_shown() -> None:
    """Texts and names are in no representation that could end in a log."""
    files = (Attachment("Zebulon Quist's roster"),)
    shown = repr(Invitation("Zebulon", "Quist", "secret", files)) + repr(files)

    assert not any(word in shown for word in ("Zebulon", "Quist", "secret", "roster"))
