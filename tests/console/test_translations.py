"""The console in Spanish: every text, and every sentence of the rules."""

from __future__ import annotations

import gettext
import re
import string
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from babel.messages.catalog import Catalog, Message
from babel.messages.extract import DEFAULT_KEYWORDS, extract_from_dir
from babel.messages.frontend import parse_mapping_cfg
from babel.messages.pofile import read_po
from flask_babel import force_locale
from markupsafe import Markup

from meetbot.console import sayings
from meetbot.console.sayings import UNKNOWNS, WORDS, in_words, said
from meetbot.domain.findings import Finding
from meetbot.domain.flags import Flag
from meetbot.rules import KNOWN_RULES
from tests.console.conftest import Console
from tests.dossiers import the
from tests.flags import a_flag, changed
from tests.unit.rules.test_sayings import FIRING, VARIANTS

MEETBOT = Path(sayings.__file__).parents[1]
CATALOGS = MEETBOT / "console" / "translations"
ENGLISH = re.compile(
    r"\b(the|of|was|were|to|and|not|for|held|with|by|is|are|who|whether|guests?|host|added)\b",
    re.IGNORECASE,
)
PLACEHOLDER = re.compile(r"%\((\w+)\)[sd]")


def catalog(language: str) -> Catalog:
    with (CATALOGS / language / "LC_MESSAGES" / "messages.po").open("rb") as file:
        return read_po(file)


def messages(language: str) -> dict[object, Message]:
    return {message.id: message for message in catalog(language) if message.id}


def extracted() -> set[object]:
    """What is marked for translation, as `make messages` finds it."""
    with (MEETBOT / "console" / "babel.cfg").open(encoding="utf-8") as file:
        methods, options = parse_mapping_cfg(file)  # type: ignore[no-untyped-call]
    keywords = {**DEFAULT_KEYWORDS, "lazy_gettext": None}
    return {
        found[2]
        for found in extract_from_dir(
            MEETBOT, method_map=methods, options_map=options, keywords=keywords
        )
    }


@pytest.mark.parametrize("language", ["es", "so", "hmn"])
def test_the_catalogs_have_every_text(language: str) -> None:
    """A new text without a place in the catalogs, or an old one: run `make messages`."""
    assert messages(language).keys() == extracted()


def test_every_text_is_in_spanish() -> None:
    """None is missing, none is a guess, and each has the same placeholders."""
    for message in messages("es").values():
        string_ = message.string or ""
        texts = [string_] if isinstance(string_, str) else list(string_)
        originals = [message.id] if isinstance(message.id, str) else list(message.id)
        assert all(texts), message.id
        assert not message.fuzzy, message.id
        for text, original in zip(texts, originals, strict=True):
            assert placeholders(text) <= placeholders(originals[-1]), message.id
            if len(originals) == 1:
                assert placeholders(text) == placeholders(original), message.id


def placeholders(text: str) -> set[str]:
    fields = {name for _, name, _, _ in string.Formatter().parse(text) if name}
    return fields | set(PLACEHOLDER.findall(text))


@pytest.mark.parametrize("language", ["es", "so", "hmn"])
def test_what_is_compiled_is_what_is_written(language: str) -> None:
    """The catalogs that the console reads are those of the translators."""
    folder = CATALOGS / language / "LC_MESSAGES"
    with (folder / "messages.mo").open("rb") as file:
        compiled = gettext.GNUTranslations(file)
    written = {m.id: m.string for m in messages(language).values() if all(m.string or [""])}
    for original, text in written.items():
        if isinstance(original, str):
            assert compiled.gettext(original) == text
        else:
            assert isinstance(original, tuple)
            assert isinstance(text, tuple)
            one, many = original
            assert [compiled.ngettext(one, many, n) for n in (1, 2)] == list(text)


@pytest.fixture
def spanish(console: Console) -> Iterator[None]:
    """A request of somebody who reads Spanish."""
    with console.app.test_request_context(), force_locale("es"):
        yield


def a_flag_of(finding: Finding) -> Flag:
    (change,) = changed((), finding, decided=KNOWN_RULES)
    return change.flag


CASES = [*FIRING.items(), *((rule, dossier) for rule, dossier, _ in VARIANTS)]


@pytest.mark.usefixtures("spanish")
def test_what_rules_say_in_spanish() -> None:
    """Each sentence of each rule, in each case the rules' tests know, with the same numbers."""
    for rule, dossier in CASES:
        _check(the(rule, dossier))


def _check(finding: Finding) -> None:
    flag = a_flag_of(finding)
    for part in ("message", "advice", "fix", "admin"):
        text, original = said(flag, part), getattr(flag, part)
        assert bool(text) == bool(original), (flag.rule, part)
        assert not isinstance(text, Markup), (flag.rule, part, original)
        assert not ENGLISH.search(text), (flag.rule, part, text)
        assert numbers(text) == numbers(original), (flag.rule, part, text)
    # What is unknown for want of a source is said in that source's words.
    for unknown in flag.unknowns if flag.rule != "evidence-incomplete" else ():
        assert not isinstance(said(unknown), Markup), (flag.rule, unknown)


def numbers(text: str) -> list[str]:
    return sorted(re.findall(r"\d+", text))


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("start 2026-10-13 10:00 → Tue 10:00; host another host", "anfitrión: otro"),
        ("outside guests 2 added, 0 removed", "invitados externos: 2 añadidos, 0 quitados"),
        ("audience students → adults", "público estudiantes → adultos"),
        ("school, date and host", "escuela, fecha y anfitrión"),
        ("Lincoln School and 2026-10-01 to 2026-10-12", "Lincoln School y del 2026-10-01"),
        ("e-mail address and short number", "dirección de correo y número corto"),
    ],
)
def test_lists_and_changes_in_spanish(text: str, wanted: str) -> None:
    """Part by part, names as they are."""
    assert wanted in str(in_words(text))


@pytest.mark.usefixtures("spanish")
@pytest.mark.parametrize(
    "text",
    [
        "Arts and Crafts",
        "Road to Success",
        "the disk is full <b>",
        "lapsed " + "x" * 1000,
        "{program}",
        "%(n)s and %s",
        "\u202e",
    ],
)
def test_other_peoples_words_are_kept(text: str) -> None:
    """As they are, marked as English, and escaped."""
    found = said(text)

    assert in_words(text) == text
    assert isinstance(found, Markup)
    assert found.startswith('<span lang="en">')
    assert found.striptags() or text == "\u202e"
    assert Markup.escape(text) in found


@pytest.mark.usefixtures("spanish")
def test_a_sentence_that_was_worded_otherwise_is_kept() -> None:
    """Of an older meetbot, of a rule that is no more, or with other facts."""
    flag = a_flag_of(the("staff-left-early", FIRING["staff-left-early"]))
    assert said(flag).startswith("El personal salió a las")

    older = replace(flag, message="Staff went away.")
    assert said(older) == '<span lang="en">Staff went away.</span>'
    without_facts = replace(flag, facts={})
    assert said(without_facts) == f'<span lang="en">{flag.message}</span>'
    unknown_rule = replace(flag, key=replace(flag.key, rule="no-more"))
    assert said(unknown_rule) == f'<span lang="en">{flag.message}</span>'


def test_in_english_nothing_is_changed(console: Console) -> None:
    """A sentence is shown as it is kept."""
    with console.app.test_request_context(), force_locale("en"):
        flag = a_flag("guests-can-invite")
        assert said(flag) == flag.message
        assert said("Who the host is.") == "Who the host is."


def test_phrases_are_those_of_the_rules() -> None:
    """Each stands in the rules' sources, so that none is translated in vain."""
    sources = "\n".join(
        path.read_text(encoding="utf-8")
        for folder in ("rules", "domain")
        for path in (MEETBOT / folder).rglob("*.py")
    )
    plain = re.sub(r'\{[^{}"\n]*\}', "{}", sources)
    composed = {
        "An authorization for {school} was revoked on {day}, {held}",
        "Authorization {which} for {school} was revoked on {day}, {held}",
        "A contracted partner",
        "fewer than 3",
        "Fewer than 3",
        "host another host",
    }
    for phrase in (*WORDS, *UNKNOWNS):
        words = re.sub(r"\{\w+\}", "{}", phrase)
        pieces = [piece for piece in words.split("{}") if piece.strip(" ,→")]
        if phrase not in composed:
            assert all(piece.strip() in plain for piece in pieces), phrase
