"""Student data in an invitation: what may be some, and what the directory says it is.

The directory's students are known by keyed marks only: of their ids, and of each pair of a given
and a family name. The same is made of the words of a text while it is in memory; what is kept of
it is where something stood and of which kind it was.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator, Mapping
from itertools import islice
from typing import NamedTuple

from meetbot.domain.addresses import Address, parse_address
from meetbot.domain.identity import name_tokens
from meetbot.domain.invitation import (
    Invitation,
    MarkKind,
    Plain,
    StudentMark,
    TextField,
    folded,
    plain,
)
from meetbot.domain.people import Account, Pseudonyms


class Candidate(NamedTuple):
    """Something in a text that may be a student's, in memory only. `key` is keyed.

    A text has one for each two words, so they are light, and their places are told when asked.
    """

    field: TextField
    kind: MarkKind
    key: str
    text: Plain
    start: int
    end: int
    address: Address | None = None
    words: tuple[str, str] = ("", "")

    @property
    def mark(self) -> StudentMark:
        """Where it stands in the text as it was written."""
        return StudentMark(self.field, self.kind, *self.text.place(self.start, self.end))

    def __repr__(self) -> str:
        """Its kind only: the words may be a student's name."""
        return f"Candidate({self.kind})"


# --- Marks of a student -------------------------------------------------------------------------

_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)*")
_ID = re.compile(r"[^\W_]+(?:[-.][^\W_]+)*")
_SEPARATORS = re.compile(r"[-.]")
_NO_ID = re.compile(r"[\W_]+")
_PARTICLES = frozenset(
    "da das de del dela della den der di do dos du la las le los van von y".split()  # noqa: SIM905
)
_SHORTEST_ID, _LONGEST_ID = 5, 40
_SURE_DIGITS = 7
"""A number with fewer digits can easily be another one, such as a dial-in PIN."""
_MOST_WORDS = 12


def student_marks(account: Account, pseudonyms: Pseudonyms) -> frozenset[str]:
    """Keyed marks of one student: ids, and pairs of given and family names in either order."""
    given, family = account.given_name, account.family_name
    if not (given and family):
        given, _, family = account.display_name.strip().rpartition(" ")
    pairs = {
        pseudonyms.student_name(one, other)
        for one in _name_words(given)
        for other in _name_words(family)
        if one != other
    }
    return frozenset(pairs | {pseudonyms.student_id(text) for text in _ids(account)})


def _name_words(name: str) -> list[str]:
    words = _words_of(folded(name[:200]))[:_MOST_WORDS]
    return [word for word in words if word not in _PARTICLES] or words


def _words_of(text: str) -> list[str]:
    return [word for _, _, word in _words(text) if len(word) > 1]


def _words(text: str) -> Iterator[tuple[int, int, str]]:
    """Start, end and form of each word: apostrophes left out, and the `s` of a possessive."""
    for found in _WORD.finditer(text):
        word = found[0]
        if "'" in word:
            word = word.removesuffix("'s").replace("'", "")
        yield found.start(), found.end(), word


def _ids(account: Account) -> Iterator[str]:
    """Google's id, the district's ids, and a local part that is one (four digits or more)."""
    for text in (account.id, *account.other_ids):
        yield from _as_ids(folded(text[:200]))
    for text in (account.primary_address, *account.addresses):
        local = text.partition("@")[0]
        if sum(map(str.isdigit, local)) >= 4:
            yield from _as_ids(folded(local[:200]))


def _as_ids(text: str) -> Iterator[str]:
    whole = _NO_ID.sub("", text)
    if _may_be_id(whole):
        yield whole


def _may_be_id(text: str) -> bool:
    return _SHORTEST_ID <= len(text) <= _LONGEST_ID and any(map(str.isdigit, text))


# --- Candidates in a text -----------------------------------------------------------------------


def candidates(invitation: Invitation, pseudonyms: Pseudonyms) -> tuple[Candidate, ...]:
    """Everything in an invitation that may be a student's, each kind and value once."""
    found: dict[tuple[str, str], Candidate] = {}
    for field, text in invitation.texts:
        for candidate in _in_text(field, plain(text), pseudonyms):
            found.setdefault((candidate.kind, candidate.key), candidate)
    return tuple(found.values())


def _in_text(field: TextField, text: Plain, pseudonyms: Pseudonyms) -> Iterator[Candidate]:
    for start, end, address in _addresses(text.text):
        key = pseudonyms.address(address.key)
        yield Candidate(field, MarkKind.ADDRESS, key, text, start, end, address)
    for start, end, value in _id_tokens(text.text):
        is_short = value.isdigit() and len(value) < _SURE_DIGITS
        kind = MarkKind.NUMBER if is_short else MarkKind.ID
        yield Candidate(field, kind, pseudonyms.student_id(value), text, start, end)
    seen: set[tuple[str, str]] = set()
    for start, end, words in _pairs(text.text):
        if words not in seen:
            seen.add(words)
            key = pseudonyms.student_name(*words)
            yield Candidate(field, MarkKind.NAME, key, text, start, end, None, words)


_AT = re.compile(r"@|%40")
_LOCAL = re.compile(r"[\w.+'-]{1,64}\Z")
_HOST = re.compile(r"[^\W_]+(?:[.-][^\W_]+)*")
_LONGEST_LOCAL, _LONGEST_HOST = 64, 253


def _addresses(text: str) -> Iterator[tuple[int, int, Address]]:
    for at in _AT.finditer(text):
        first = max(at.start() - _LONGEST_LOCAL, 0)
        local = _LOCAL.search(text[first : at.start()])
        host = _HOST.match(text, at.end(), min(at.end() + _LONGEST_HOST, len(text)))
        if local is None or host is None:
            continue
        address = parse_address(f"{local[0]}@{host[0]}")
        if address is not None:
            yield first + local.start(), host.end(), address


def _id_tokens(text: str) -> Iterator[tuple[int, int, str]]:
    for found in _ID.finditer(text):
        whole = found[0]
        joined = _SEPARATORS.sub("", whole)
        if _may_be_id(joined):
            yield found.start(), found.end(), joined
        if joined != whole:
            start = found.start()
            for part in _SEPARATORS.split(whole):
                if _may_be_id(part):
                    yield start, start + len(part), part
                start += len(part) + 1


_WIDEST_GAP = 4
"""Signs between two names, such as a comma and a space."""


def _pairs(text: str) -> Iterator[tuple[int, int, tuple[str, str]]]:
    """Words side by side; what stands between them may only be particles and initials."""
    words = list(_words(text))
    for number, (start, end, word) in enumerate(words):
        if len(word) < 2:
            continue
        last = end
        for next_start, next_end, other in words[number + 1 : number + 5]:
            if next_start - last > _WIDEST_GAP:
                break
            if len(other) > 1:
                yield start, next_end, (word, other)
                if other not in _PARTICLES:
                    break
            last = next_end


# --- What the directory says --------------------------------------------------------------------

_MOST_MATCHES, _MOST_MARKS = 1000, 200
"""Enough for any sentence; a text can hold a whole school."""


class Match(NamedTuple):
    """A candidate that is a student's. `who` are the students (keyed) of a name."""

    mark: StudentMark
    who: frozenset[str]
    words: tuple[str, str]


def matches_of(
    found: Iterable[Candidate],
    *,
    students: Mapping[str, frozenset[str]],
    student_addresses: Collection[str],
) -> tuple[Match, ...]:
    """Those candidates that are students'.

    `students` gives the students (keyed) of each mark, `student_addresses` the keys of addresses
    that are students'.
    """
    ours = (
        Match(one.mark, students.get(one.key, frozenset()), one.words)
        for one in found
        if one.key in (student_addresses if one.kind is MarkKind.ADDRESS else students)
    )
    return tuple(islice(ours, _MOST_MATCHES))


def marks_of(
    matches: Iterable[Match], *, guests: Iterable[Collection[str]], pseudonyms: Pseudonyms
) -> tuple[StudentMark, ...]:
    """What is kept of the matches.

    `guests` are the name words of invited people who are not students: their own names are nobody
    else's. Of a student with two family names one mention is one name.
    """
    marks: list[StudentMark] = []
    named: set[str] = set()
    people = [frozenset(words) for words in guests if words]
    for mark, who, words in matches:
        if any(_overlap(mark, other) for other in marks):
            continue
        if mark.kind is MarkKind.NAME:
            if not named.isdisjoint(who) or _is_guest(words, people, pseudonyms):
                continue
            named |= who
        marks.append(mark)
    return tuple(marks[:_MOST_MARKS])


def _overlap(one: StudentMark, other: StudentMark) -> bool:
    return (
        one.field is other.field
        and one.offset < other.offset + other.length
        and other.offset < one.offset + one.length
    )


def _is_guest(
    words: tuple[str, str], guests: Iterable[frozenset[str]], pseudonyms: Pseudonyms
) -> bool:
    tokens = set(name_tokens(pseudonyms, *words))
    return bool(tokens) and any(tokens <= guest for guest in guests)
