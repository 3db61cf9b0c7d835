"""`flags show` as text of at most 80 columns, and as a document."""

from __future__ import annotations

import textwrap
from collections.abc import Iterable, Mapping
from dataclasses import fields, is_dataclass
from datetime import date, datetime
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from meetbot.cli.output import shown
from meetbot.domain.flag_documents import instant
from meetbot.domain.flags import Flag

if TYPE_CHECKING:
    from meetbot.evidence import Explanation, Record
    from meetbot.evidence.explain import Basis

_WIDTH = 80
_LONGEST = 400
"""Characters shown of one text; the export has it whole."""
_SENTENCES = {
    "officer": "Officers read",
    "teacher": "Teachers read",
    "fix": "Mended by",
    "admin": "Administrators can set",
}


def explanation_document(explanation: Explanation) -> object:
    """The explanation for programs."""
    return _plain(explanation)


def _plain(value: object) -> object:
    match value:
        case datetime():
            return instant(value)
        case date():
            return value.isoformat()
        case str() | bool() | int() | float() | None:
            return value
        case Mapping():
            return {str(key): _plain(item) for key, item in value.items()}
        case tuple() | list():
            return [_plain(item) for item in value]
    if is_dataclass(value):
        return {f.name: _plain(getattr(value, f.name)) for f in fields(value)}
    return str(value)


def print_flag(record: Record, explanation: Explanation, zone: ZoneInfo) -> None:
    """Print a flag for people: what, why, how near, on which sources, and what came after."""
    flag = record.flag
    _line(f"{flag.id}  {flag.rule}  {flag.severity}, {flag.certainty}, {flag.status}")
    if flag.is_provisional:
        _line("Provisional: it may still change.")
    _line(flag.message)
    _meeting(flag, explanation.basis, zone)
    if explanation.basis is None:
        _item(f"No dossier: {explanation.without}.")
    if not record.is_confidential:
        _where(flag)
        _facts(flag)
        _rule(explanation)
    if explanation.basis is not None:
        _print_basis(explanation.basis, zone)
    _print_after(record, explanation)


def _meeting(flag: Flag, basis: Basis | None, zone: ZoneInfo) -> None:
    _head("Meeting")
    if basis is None:
        _item(f"{instant(flag.occurrence.original_start_at)} (district time zone {zone.key})")
    else:
        start, end = basis.starts_at.astimezone(zone), basis.ends_at.astimezone(zone)
        _item(f"{start:%Y-%m-%d %H:%M} to {end:%H:%M} {zone.key} ({instant(basis.starts_at)})")


def _where(flag: Flag) -> None:
    _item(f"school {flag.school_id or 'unknown'}")
    if flag.partner_id:
        _item(f"partner {flag.partner_id}, program {flag.program_id or 'unknown'}")
    if flag.fix:
        _item(f"fix: {flag.fix}")


def _said(value: object) -> str:
    """A fact in words: `invited partner E2, staff E1` of what lies in one another."""
    match value:
        case Mapping():
            return ", ".join(f"{name} {_said(item)}" for name, item in value.items())
        case list() | tuple():
            return " and ".join(map(_said, value))
        case bool():
            return "yes" if value else "no"
    return str(value)


def _facts(flag: Flag) -> None:
    _head("Facts")
    _items(f"{name}: {_said(value)}" for name, value in flag.facts.items())
    _items(
        f"{span.kind}: {instant(span.start_at)} to {instant(span.end_at)}, {_clock(span.seconds)}"
        for span in flag.spans
    )


def _rule(explanation: Explanation) -> None:
    rule = explanation.rule
    if rule is None:
        return
    _head("Rule")
    _item(f"{rule.rule}, {rule.severity}; asked in: {', '.join(rule.phases)}")
    sources = [*rule.needs, *(f"({source})" for source in rule.wants)]
    _item(f"needs: {', '.join(sources) or 'nothing'}")
    _items(f"{_SENTENCES.get(name, name)}: {text}" for name, text in rule.sentences.items())


def _print_basis(basis: Basis, zone: ZoneInfo) -> None:
    if basis.measured or basis.near_misses:
        _head("Measured, and nearest misses")
    _items(
        f"{m.what}: {_clock(m.certain)} certain, {_clock(m.possible)} possible; "
        f"limit {_clock(m.limit)} ({m.limit_name})"
        for m in basis.measured
    )
    _items(basis.near_misses)
    _head(f"Sources, as of {instant(basis.as_of)}")
    _items(
        f"{s.source}: " + ("read in full" if s.is_full else f"not in full: {s.problem}")
        for s in basis.sources
    )
    _head("Not known")
    _items(basis.unknown or ["nothing that this flag rests on"])
    _head("Registry rows that matter")
    for row in basis.rows:
        cells = (f"{name}={value}" for name, value in row.cells.items() if value)
        _item(f"{row.file}: {', '.join(cells)}")
    if basis.timeline:
        _head(f"Who was in the call ({zone.key}; source, confidence)")
    for seen in basis.timeline:
        start = f"{seen.start_at.astimezone(zone):%H:%M:%S}"
        end = f"{seen.end_at.astimezone(zone):%H:%M:%S}" if seen.end_at else "?"
        partner = f", {seen.partner_id}" if seen.partner_id else ""
        limit = ", first join to last leave" if seen.is_outer_limit else ""
        _item(f"{start} to {end}  {seen.who}{partner} ({seen.source}, {seen.confidence}{limit})")
    _head("Decided by")
    _item(f"meetbot {basis.program}, rules {basis.rules}")


def _print_after(record: Record, explanation: Explanation) -> None:
    _head("History")
    _items(
        f"{instant(entry.at)}  {entry.change}" + (f" ({entry.reason})" if entry.reason else "")
        for entry in record.history
    )
    _head("Officers' decisions")
    _items(
        [
            f"{instant(one.at)}  {one.status} ({one.reason}) by {one.by}"
            for one in explanation.decisions
        ]
        or ["none"]
    )
    _head("Mails about it")
    _items(
        [
            f"{instant(mail.queued_at)}  {mail.kind} to {mail.audience}: {mail.state} "
            f"{instant(mail.changed_at)}"
            for mail in explanation.mails
        ]
        or ["none"]
    )


def _clock(seconds: int) -> str:
    return f"{seconds // 60}:{seconds % 60:02}"


def _head(text: str) -> None:
    print()
    print(text)


def _items(lines: Iterable[str]) -> None:
    for line in lines:
        _item(line)


def _item(text: str) -> None:
    _line(text, indent="  ")


def _line(text: str, indent: str = "") -> None:
    clean = shown(text, _LONGEST)
    for line in textwrap.wrap(
        clean,
        _WIDTH,
        initial_indent=indent,
        subsequent_indent=indent + "  ",
        break_on_hyphens=False,
    ):
        print(line)
