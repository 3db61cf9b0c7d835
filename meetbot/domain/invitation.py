"""The words of an invitation while they are in memory: searched at the border, never stored.

Everything here takes time linear in the text, which anybody may write, and never raises.
"""

from __future__ import annotations

import html
import re
import unicodedata
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache


class TextField(StrEnum):
    """Where in the invitation a text stands."""

    TITLE = "title"
    DESCRIPTION = "description"
    LOCATION = "location"


class MarkKind(StrEnum):
    """What was found. A short number may be anything, and names are other people's too."""

    ADDRESS = "e-mail address"
    ID = "student id"
    NUMBER = "short number"
    NAME = "name"

    @property
    def confirms(self) -> bool:
        """Whether this alone is surely a student's."""
        return self in (MarkKind.ADDRESS, MarkKind.ID)


@dataclass(frozen=True, slots=True)
class StudentMark:
    """Where something of a student stands in an invitation, and of which kind it is."""

    field: TextField
    kind: MarkKind
    offset: int
    length: int


@dataclass(frozen=True, slots=True)
class TextSearch:
    """What a search of an invitation found: each identifier once, at its first place."""

    marks: tuple[StudentMark, ...] = ()
    is_complete: bool = True
    """False: a text was cut, or the directory could not tell who is a student."""
    is_cut: bool = False


@dataclass(frozen=True, slots=True, repr=False)
class Attachment:
    """One of an event's `attachments[]`: a file that is at least named to every guest."""

    title: str
    url: str = ""
    mime_type: str = ""


@dataclass(frozen=True, slots=True, repr=False)
class Invitation:
    """Texts and attachments of an event. No `repr`: they may name students."""

    title: str = ""
    description: str = ""
    location: str = ""
    files: tuple[Attachment, ...] = ()
    is_cut: bool = False
    """A text was longer than what is looked at."""

    @property
    def texts(self) -> Iterator[tuple[TextField, str]]:
        """The texts that hold something, by field."""
        fields = {
            TextField.TITLE: self.title,
            TextField.DESCRIPTION: self.description,
            TextField.LOCATION: self.location,
        }
        return ((field, text) for field, text in fields.items() if text)


@dataclass(frozen=True, slots=True, repr=False)
class Plain:
    """A text as it is compared: no markup, no accents, lower case. Knows where it came from.

    `starts` and `ends` give, for each character, its place in the text as it was written.
    """

    text: str
    starts: Sequence[int]
    ends: Sequence[int]

    def place(self, start: int, end: int) -> tuple[int, int]:
        """Offset and length, in the written text, of the characters from start to end."""
        first = self.starts[start]
        return first, max(self.ends[end - 1] - first, 1)


_MARKUP = re.compile(
    r"<(/?)([a-zA-Z][a-zA-Z0-9]{0,20})((?:\s[^<>]*)?)/?>"
    r"|&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?"
)
_INLINE = frozenset(
    """a abbr b bdi bdo big cite code del em font i ins kbd mark q s samp small span strike strong
    sub sup tt u var wbr""".split()  # noqa: SIM905 - one word after another reads better
)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#[xX][0-9a-fA-F]{1,6}|[a-zA-Z][a-zA-Z0-9]{1,31});?")
_ALIKE = {
    **dict.fromkeys("\u2018\u2019\u02bc\u02b9\u2032`", "'"),
    **dict.fromkeys("\u2010\u2011\u2012\u2013", "-"),
    **dict(zip("øłđðþæœı", ("o", "l", "d", "d", "th", "ae", "oe", "i"), strict=True)),
}
"""Letters that no normal form takes apart, and signs that are typed one for the other."""


def plain(text: str) -> Plain:
    """A text as it is compared, its markup removed.

    Tags within a line leave nothing behind, others break the line. Attributes (`href`, `title`)
    follow after the visible text, for they reach the guests as well.
    """
    if text.isascii() and "<" not in text and "&" not in text:
        return Plain(folded_ascii(text), range(len(text)), range(1, len(text) + 1))
    made = _Made()
    hidden: list[tuple[int, int]] = []
    at = 0
    for found in _MARKUP.finditer(text):
        made.add(text, at, found.start())
        at = found.end()
        if found[2] is None:
            made.put(html.unescape(found[0]), found.start(), found.end())
            continue
        if found[2].lower() not in _INLINE:
            made.put("\n", found.start(), found.end())
        if found[3]:
            hidden.append(found.span(3))
    made.add(text, at, len(text))
    for start, end in hidden:
        made.put("\n", start, start + 1)
        made.add_decoded(text, start, end)
    return Plain("".join(made.chars), made.starts, made.ends)


class _Made:
    """A plain text in the making."""

    def __init__(self) -> None:
        self.chars: list[str] = []
        self.starts: list[int] = []
        self.ends: list[int] = []

    def add(self, text: str, start: int, end: int) -> None:
        for at in range(start, end):
            self.put(text[at], at, at + 1)

    def add_decoded(self, text: str, start: int, end: int) -> None:
        at = start
        for found in _ENTITY.finditer(text, start, end):
            self.add(text, at, found.start())
            self.put(html.unescape(found[0]), found.start(), found.end())
            at = found.end()
        self.add(text, at, end)

    def put(self, shown: str, start: int, end: int) -> None:
        for char in shown:
            for letter in _letters(char):
                self.chars.append(letter)
                self.starts.append(start)
                self.ends.append(end)


def folded(text: str) -> str:
    """A name as it is compared, letter by letter like the texts it is looked for in."""
    if text.isascii():
        return folded_ascii(text)
    return "".join(letter for char in text for letter in _letters(char))


def folded_ascii(text: str) -> str:
    """The same of ASCII, where lower case is all there is to do; as long as before."""
    return text.lower().replace("`", "'")


@lru_cache(maxsize=4096)
def _letters(char: str) -> str:
    """What a character is compared as; nothing for accents and for what cannot be seen."""
    lower = unicodedata.normalize("NFKD", unicodedata.normalize("NFKD", char).casefold())
    kept = (c for c in lower if unicodedata.category(c) not in ("Mn", "Me", "Cf"))
    return "".join(_ALIKE.get(c, c) for c in kept)
