"""Files of an invitation that may list students, judged by their names. Nothing is fetched.

A name is looked at in memory; kept is only what kind of file it is, and which of the district's
own words its name holds.
"""

from __future__ import annotations

import html
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from urllib.parse import unquote

from meetbot.domain.invitation import Invitation, folded


@dataclass(frozen=True, slots=True)
class FileWords:
    """`[files]` of `policy.toml`: whole words, plural or not; several are words in a row."""

    roster: tuple[str, ...] = (
        "roster",
        "class list",
        "student list",
        "name list",
        "contact list",
        "attendance",
        "seating",
        "grade",
        "gradebook",
        "report card",
        "IEP",
        "504",
    )
    sensitive: tuple[str, ...] = ("confidential", "sensitive", "restricted")
    """Labels that people write into names."""
    harmless: tuple[str, ...] = ("rubric", "template", "sample", "blank", "scale", "published")
    """Beside a word of the roster list they say that the file lists nobody, or nothing secret."""


@dataclass(frozen=True, slots=True)
class SharedFile:
    """A file that may list students: its kind, and the configured word that says so."""

    kind: str
    word: str
    is_label: bool = False
    """The word is a label such as `confidential`."""


def shared_files(invitation: Invitation, words: FileWords) -> tuple[SharedFile, ...]:
    """Attachments, and Drive links in the texts, whose name may be that of a roster."""
    named = [(_kind_of(a.url, a.mime_type), _tokens(a.title)) for a in invitation.files]
    for _, text in invitation.texts:
        named += _linked(text)
    found = (file for kind, tokens in named for file in _judged(kind, tokens, words))
    return tuple(dict.fromkeys(found))


def _judged(kind: str, tokens: Sequence[str], words: FileWords) -> Iterator[SharedFile]:
    harmless = _places(tokens, words.harmless)
    for word in words.roster:
        for start, end in _matches(tokens, word):
            is_harmless = start - 1 in harmless or not harmless.isdisjoint((end, end + 1))
            if not is_harmless and not _is_level(tokens, start, end):
                yield SharedFile(kind, word)
    for word in words.sensitive:
        if any(True for _ in _matches(tokens, word)):
            yield SharedFile(kind, word, is_label=True)


def _places(tokens: Sequence[str], words: Sequence[str]) -> frozenset[int]:
    spans = (span for word in words for span in _matches(tokens, word))
    return frozenset(at for start, end in spans for at in range(start, end))


# --- Words --------------------------------------------------------------------------------------

_LONGEST_NAME = 400
_PIECE = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*|\d+")
_HUMP = re.compile(r"(?<=[a-z])(?=[A-Z])|(?<=[A-Z])(?=[A-Z][a-z]{2})")
_SILENT = frozenset({"a", "an", "for", "of", "the"})
_ORDINALS = frozenset(
    """st nd rd th first second third fourth fifth sixth seventh eighth ninth tenth eleventh
    twelfth""".split()  # noqa: SIM905 - one word after another reads better
)
_LEVELS = frozenset({"level", "band", "school", "team", "k", "kindergarten"})
_HIGHEST_GRADE = 12


def _tokens(text: str) -> list[str]:
    """The words of a file's name: `ClassRoster_P3.xlsx` has `class`, `roster`, `p`, `3`, `xlsx`."""
    short = _HUMP.sub(" ", text[:_LONGEST_NAME])
    words = (folded(piece).removesuffix("'s").replace("'", "") for piece in _PIECE.findall(short))
    return [word for word in words if word and word not in _SILENT]


def _matches(tokens: Sequence[str], word: str) -> Iterator[tuple[int, int]]:
    """Where the words of a configured entry stand in a row."""
    wanted = _tokens(word)
    if not wanted:
        return
    for start in range(len(tokens) - len(wanted) + 1):
        end = start + len(wanted)
        if all(_is_word(t, w) for t, w in zip(tokens[start:end], wanted, strict=True)):
            yield start, end


def _is_word(token: str, word: str) -> bool:
    """The word itself or its plural: `grades` is `grade`, `grading` and `upgrade` are not."""
    plural = word[:-1] + "ies" if word.endswith("y") else word + "s"
    return token in (word, plural, word + "es")


def _is_level(tokens: Sequence[str], start: int, end: int) -> bool:
    """Whether "grade" is a year at school here: `Grade 5`, `5th grade`, `grade level`."""
    if not _is_word(tokens[start], "grade") or end - start > 1:
        return False
    before = tokens[start - 1] if start else ""
    after = tokens[end] if end < len(tokens) else ""
    return (
        before in _ORDINALS
        or _is_grade(before)
        or _is_grade(after)
        or any(_is_word(after, level) for level in _LEVELS)
    )


def _is_grade(token: str) -> bool:
    return token.isdecimal() and int(token) <= _HIGHEST_GRADE


# --- Drive links in a text ----------------------------------------------------------------------

_DRIVE = re.compile(
    r"(?:https?://)?(?<![\w.-])(?:drive|docs|sheets|slides|forms)\.google\.com(?=[/?#])"
    r"[^\s\"'<>]*",
    re.IGNORECASE,
)
_LINE = re.compile(r"[\n\r]+|</?(?:br|p|div|li|ul|ol|td|th|tr|table|h[1-6]|hr)\b[^<>]*>", re.I)
_ANCHOR = re.compile(r"<a\s[^<>]*>", re.IGNORECASE)
_TAG = re.compile(r"</?[a-zA-Z][^<>]*>")
_HUGE_REFERENCE = re.compile(r"&#[xX]?[0-9a-fA-F]{8,}")
_URL = re.compile(r"https?://\S+", re.IGNORECASE)
_NEAR = 80
"""Characters before and after a link on its line that can name the file."""


def _linked(text: str) -> Iterator[tuple[str, list[str]]]:
    """Kind and words of each Drive link: its own text, and what stands beside it on the line."""
    if "google.com" not in text.lower():
        return
    for line in _LINE.split(text):
        if "google.com" in line.lower():
            yield from _in_line(line)


def _in_line(line: str) -> Iterator[tuple[str, list[str]]]:
    # A link in an attribute stands where its tag stands.
    opened = _ANCHOR.sub(lambda tag: f" {_target(tag[0])} ", line)
    shown = _plain_line(_TAG.sub("", opened))
    links = list(_DRIVE.finditer(shown))
    edges = [0, *(edge for link in links for edge in link.span()), len(shown)]
    for number, link in enumerate(links):
        before = shown[max(edges[2 * number], link.start() - _NEAR) : link.start()]
        after = shown[link.end() : min(edges[2 * number + 3], link.end() + _NEAR)]
        yield _kind_of(link[0], ""), _tokens(f"{_URL.sub(' ', before)} {_URL.sub(' ', after)}")


def _target(tag: str) -> str:
    """The address of a Drive file in a tag, also one inside a link wrapper."""
    found = _DRIVE.search(_plain_line(tag))
    return found[0] if found else ""


def _plain_line(text: str) -> str:
    """References and escapes resolved once: a wrapper holds its destination escaped."""
    return unquote(html.unescape(_HUGE_REFERENCE.sub(" ", text)))


_KINDS = {
    "/spreadsheets": "spreadsheet",
    "/document": "document",
    "/presentation": "presentation",
    "/forms": "form",
    "folders": "folder",
}
_MIME_KINDS = {
    "spreadsheet": "spreadsheet",
    "csv": "spreadsheet",
    "excel": "spreadsheet",
    "presentation": "presentation",
    "document": "document",
    "word": "document",
    "pdf": "document",
    "form": "form",
    "folder": "folder",
}


def _kind_of(url: str, mime_type: str) -> str:
    kinds = (kind for word, kind in _MIME_KINDS.items() if word in mime_type.lower())
    found = next(kinds, None) or next((k for part, k in _KINDS.items() if part in url.lower()), "")
    return found or "file"
