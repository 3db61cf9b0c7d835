"""How a Google spreadsheet is named: `sheet:ID`, `sheet:` and its address, or its address."""

from __future__ import annotations

import re
from itertools import pairwise
from urllib.parse import urlsplit

_PREFIX = "sheet:"
_ID = re.compile(r"[A-Za-z0-9_-]{1,200}", re.ASCII)
_HOST = "docs.google.com"
WHAT_IS_WRONG = "names no Google spreadsheet"
HOW_TO_NAME = (
    "write sheet:ID, the part of the spreadsheet's address between /d/ and /edit, "
    "or sheet: and the whole address"
)


def is_spreadsheet(source: str) -> bool:
    """Whether a source is meant to be a Google spreadsheet and no file."""
    return source.startswith((_PREFIX, "https://", "http://"))


def spreadsheet_id(source: str) -> str | None:
    """The id of the spreadsheet that a source names; None if it names none."""
    text = source.removeprefix(_PREFIX).strip()
    if "/" not in text:
        return text if _ID.fullmatch(text) else None
    try:
        parts = urlsplit(text)
    except ValueError:
        return None
    steps = parts.path.split("/")
    if (parts.scheme, parts.netloc, *steps[1:2]) != ("https", _HOST, "spreadsheets"):
        return None
    # A published copy (/d/e/2PACX-...) is another thing, which the API does not know.
    found = next((after for before, after in pairwise(steps) if before == "d" and after != "e"), "")
    return found if _ID.fullmatch(found) else None
