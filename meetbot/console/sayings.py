"""What the rules say, in the reader's language.

A flag keeps its sentences in English, and the facts that filled them. Where the rule's sentence
with these facts is the one that is kept, its translation is filled with the same facts, and those
that are words of ours are translated too. Anything else stays as it is, marked as English.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from functools import cache
from typing import IO, Any

from flask_babel import get_locale, gettext
from markupsafe import Markup

from meetbot.domain.flags import Flag
from meetbot.rules import RULES


def N_(text: str) -> str:  # noqa: N802
    """Marks a text for translation; it is translated later."""
    return text


PARTS = {"message": "officer", "advice": "teacher", "fix": "fix", "admin": "admin"}
"""Sentences of a flag, and what the rule calls them."""

WORDS = (
    # counts and times
    N_("under 1"),
    N_("less than 0.1"),
    N_("Fewer than 3"),
    N_("fewer than 3"),
    N_("1 gap"),
    N_("{count} gaps"),
    N_("since {when}"),
    N_("for {length}"),
    N_("{day} or later"),
    N_("{day} to {other_day}"),
    N_("once it is signed"),
    N_("a day after the contract is signed"),
    N_("lapsed {day}"),
    N_("starts only on {day}"),
    # approvals
    N_("No authorization on file, {held}"),
    N_("Authorization {which} for {school} was revoked on {day}, {held}"),
    N_("An authorization for {school} was revoked on {day}, {held}"),
    N_("held for {school}"),
    N_("held anyway"),
    N_("an unknown school"),
    N_("another host"),
    N_("this host"),
    N_("another program"),
    N_("this program"),
    N_("principal of {school}, not of {other}"),
    N_("lead of {school}, not of {other}"),
    N_("neither principal nor department lead of {school}"),
    N_("program"),
    N_("school"),
    N_("date"),
    N_("host"),
    N_("Lease/permit programs"),
    N_("Meetings of this program"),
    # changes after an approval
    N_("start"),
    N_("end"),
    N_("repetition"),
    N_("outside guests"),
    N_("platform"),
    N_("audience"),
    N_("start {before} → {now}"),
    N_("end {before} → {now}"),
    N_("repetition {before} → {now}"),
    N_("platform {before} → {now}"),
    N_("audience {before} → {now}"),
    N_("host another host"),
    N_("outside guests {count} added, {other_count} removed"),
    N_("recurring"),
    N_("single"),
    N_("students"),
    N_("adults"),
    # people
    N_("partner"),
    N_("student"),
    N_("unknown outsider"),
    N_("partner {name}"),
    N_("a contracted partner"),
    N_("A contracted partner"),
    N_("a guest of {name}"),
    N_("their registered address"),
    N_("an outside guest"),
    N_("a student"),
    N_("an unknown outsider"),
    N_("a service account"),
    N_("another staff account"),
    N_("the host"),
    N_("Another staff member"),
    N_("Certificated staff"),
    N_("Staff outside the certificated units"),
    N_("phone"),
    N_("browser"),
    N_("an account outside the district"),
    # what was held
    N_("Ran {count} min over"),
    N_("Began {count} min early"),
    N_("Ran {count} min outside the authorized days"),
    N_("Invitation holds"),
    N_("Until {when} the invitation held"),
    N_("e-mail address"),
    N_("student id"),
    N_("short number"),
    N_("name"),
    N_("a dial-in number"),
    N_("a site that imitates a meeting platform"),
    N_("an unknown place behind a short link"),
)
"""What rules put into their sentences in words of their own."""

UNKNOWNS = (
    N_("Who added {count} more."),
    N_("Who added them."),
    N_("The event: the audit log names one that is on no staff calendar."),
    N_("Who the host is."),
    N_("Whether the host, whom the approval names, works at both schools."),
    N_("Whether the outside guest is the person whose name they bear."),
    N_("Whether this is the personal account of a registered person."),
    N_("Who is on this mailing list."),
    N_("Whether the partner may open the file: meetbot has no access to Drive."),
    N_("What the file holds: only its name was looked at."),
    N_("Where the link leads."),
    N_("Since when the authorizer has the role the registry shows now."),
    N_("Whether the host was there without their account."),
    N_("Whether the extra person belonged there."),
    N_("Whether the participant who bears the host's name is the host."),
    N_("Who the co-hosts are."),
    N_("Whether the names are students': others can be called the same."),
    N_("Whether a short number is a student's id, or stands for something else."),
    N_("Which program of the partner this meeting belongs to."),
    N_("No student account was seen; a class may have shared one screen."),
    N_("Who the unidentified participants were; one of them may have been staff."),
    N_("Who sat in front of the room device."),
    N_("Whether the outside guest recognized by name only is who they seem to be."),
    N_("When somebody left whose leaving was not recorded."),
    N_("Whether somebody was away between first joining and last leaving."),
    N_("who was in the call could not be read"),
    N_("the meeting was held where nobody can read who was present"),
    N_("the directory could not be asked about a participant"),
)
"""What rules say is not known."""

_LONGEST = 600
_FIELD = re.compile(r"\{(\w+)\}")
_DAY = re.compile(r"\d{4}-\d\d-\d\d")
_KINDS = {"day": r"\d{4}-\d\d-\d\d", "count": r"\d+", "when": r"\d{4}-\d\d-\d\d \d\d:\d\d"}
"""What some fields of a phrase look like; others are any text."""


def said(of: Flag | str, part: str = "message") -> str:
    """A sentence of a flag (`message`, `advice`, `fix` or `admin`), or one of its unknowns, in the
    reader's language; marked as English where that is not known."""
    text = of if isinstance(of, str) else str(getattr(of, part))
    if not text or _is_english():
        return text
    found = _match(text, UNKNOWNS) if isinstance(of, str) else _sentence(of, part, text)
    return found if found is not None else Markup('<span lang="en">{}</span>').format(text)


def _sentence(flag: Flag, part: str, text: str) -> str | None:
    """The rule's sentence filled with the flag's facts; None where another one was kept."""
    rule = RULES.get(flag.rule)
    template = "" if rule is None else str(getattr(rule, PARTS[part]))
    if not template or _filled(template, flag.facts) != text:
        return None
    facts = {name: in_words(value) for name, value in flag.facts.items()}
    return _filled(str(gettext(template)), facts)


def _filled(template: str, facts: Mapping[str, object]) -> str | None:
    try:
        return template.format_map(facts)
    except (KeyError, ValueError, IndexError):
        return None


def in_words(value: object) -> object:
    """A fact: words of ours translated, names and numbers as they are."""
    return (_phrase(value) or value) if isinstance(value, str) else value


def _phrase(text: str) -> str | None:
    """A phrase, or several, translated; None for other people's words."""
    return (
        _match(text, WORDS)
        or _several(text, "; ", "; ".join)
        or _several(text, " and ", _and)
        or (text if _DAY.fullmatch(text) else None)
    )


def _match(text: str, phrases: tuple[str, ...]) -> str | None:
    if len(text) > _LONGEST:
        return None
    if text in phrases and not _FIELD.search(text):
        return str(gettext(text))
    for template, pattern in _patterns(phrases):
        if match := pattern.fullmatch(text):
            words = {name: in_words(value) for name, value in match.groupdict().items()}
            return _filled(str(gettext(template)), words)
    return None


def _several(text: str, between: str, joined: Callable[[list[str]], str]) -> str | None:
    """A list in which at least one thing is a phrase; a list of names alone may be one name."""
    head, found, last = text.rpartition(between)
    if not found or len(text) > _LONGEST:
        return None
    parts = [*head.split(", "), last] if between == " and " else [*head.split(between), last]
    words = [_phrase(part) for part in parts]
    if not any(words):
        return None
    return joined([word or part for word, part in zip(words, parts, strict=True)])


def _and(words: list[str]) -> str:
    *most, last = words
    return str(gettext("%(some)s and %(last)s", some=", ".join(most), last=last))


@cache
def _patterns(phrases: tuple[str, ...]) -> tuple[tuple[str, re.Pattern[str]], ...]:
    templates = (phrase for phrase in phrases if _FIELD.search(phrase))
    return tuple((template, re.compile(_pattern(template))) for template in templates)


def _pattern(template: str) -> str:
    """The template as a regular expression with a group for each field."""
    pieces = _FIELD.split(template)  # text and names take turns
    names = pieces[1::2]
    groups = [f"(?P<{name}>{_KINDS.get(name.removeprefix('other_'), '.+?')})" for name in names]
    texts = [re.escape(piece) for piece in pieces[0::2]]
    return "".join(text + group for text, group in zip(texts, [*groups, ""], strict=True))


def _is_english() -> bool:
    locale = get_locale()
    return locale is None or locale.language == "en"


def extract(
    _file: IO[bytes],
    _keywords: object,
    _tags: object,
    options: object,  # noqa: ARG001
) -> Iterator[tuple[int, str, str, Iterable[Any]]]:
    """The rules' sentences, for `pybabel extract` (see babel.cfg)."""
    seen = dict.fromkeys(
        str(getattr(rule, name)) for rule in RULES.values() for name in PARTS.values()
    )
    for number, text in enumerate(seen):
        if text:
            yield number + 1, "gettext", text, []
