"""A partner's standing in the reader's language: `domain.cards` says it in English for mails."""

from __future__ import annotations

import re
from datetime import date

from flask_babel import gettext, lazy_gettext
from flask_babel.speaklater import LazyString

from meetbot.console.texts import day

_DAY = r"(\d{4}-\d{2}-\d{2})"
_FIXED: dict[str, LazyString] = {
    "not in the registry": lazy_gettext("not in the registry"),
    "community organization: flyers only": lazy_gettext("community organization: flyers only"),
    "lease holder": lazy_gettext("lease holder"),
    "permit holder": lazy_gettext("permit holder"),
    "paused": lazy_gettext("paused"),
    "program not known": lazy_gettext("program not known"),
    "no contract on file": lazy_gettext("no contract on file"),
    "contract not signed": lazy_gettext("contract not signed"),
    "contract does not cover this school": lazy_gettext("contract does not cover this school"),
    "certified": lazy_gettext("certified"),
    "certification not on file": lazy_gettext("certification not on file"),
    "no authorization on file": lazy_gettext("no approval on file"),
    "authorization was revoked": lazy_gettext("the approval was revoked"),
    "authorized only after the start": lazy_gettext("approved only after the start"),
    "authorized": lazy_gettext("approved"),
}
_DATED: tuple[tuple[re.Pattern[str], LazyString], ...] = (
    (re.compile(f"contract valid to {_DAY}"), lazy_gettext("contract valid to %(a)s")),
    (re.compile(f"contract starts only on {_DAY}"), lazy_gettext("contract starts only on %(a)s")),
    (re.compile(f"contract ended on {_DAY}"), lazy_gettext("contract ended on %(a)s")),
    (
        re.compile(f"certification valid {_DAY} to {_DAY} only"),
        lazy_gettext("certification valid from %(a)s to %(b)s only"),
    ),
)
_SCOPE = "authorization does not cover: "
_FIELDS: dict[str, LazyString] = {
    "program": lazy_gettext("program"),
    "school": lazy_gettext("school"),
    "date": lazy_gettext("date"),
    "host": lazy_gettext("host"),
}


def standing(status: str) -> str:
    """One status of a partner; a word that is not known here stays as it is."""
    if status in _FIXED:
        return str(_FIXED[status])
    if status.startswith(_SCOPE):
        fields = status.removeprefix(_SCOPE).split(", ")
        words = ", ".join(str(_FIELDS.get(field, field)) for field in fields)
        return str(gettext("the approval does not cover: %(fields)s", fields=words))
    for pattern, words in _DATED:
        if found := pattern.fullmatch(status):
            days = [day(date.fromisoformat(text)) for text in found.groups()]
            return str(words) % dict(zip("ab", days, strict=False))
    return status
