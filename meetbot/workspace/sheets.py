"""Sheets v4 → the tabs of one spreadsheet as plain values, as the admin subject.

Values are asked for unformatted and dates as serial numbers: formatted ones follow the format of
each cell and the spreadsheet's locale, so that a day could come as 3/4 or as 4.3.
Source: https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values
"""

from __future__ import annotations

from collections.abc import Collection

from meetbot.errors import NotFound
from meetbot.ports import SheetTab, SheetValue
from meetbot.workspace.api import SHEETS, Api
from meetbot.workspace.client import GoogleClient
from meetbot.workspace.raw import Raw, as_object, as_text
from meetbot.workspace.refusals import items_of, unreadable

_MISSING = (
    "check the id in the spreadsheet's address, and share the spreadsheet with "
    "google.admin_subject as a viewer"
)


class GoogleSheets:
    """`ports.SheetsPort`. Errors are those of `GoogleClient.call`."""

    def __init__(self, client: GoogleClient, admin: str) -> None:
        spreadsheets = client.service(Api.SHEETS).spreadsheets()
        self._client = client
        self._admin = admin
        self._spreadsheets = spreadsheets
        self._values = spreadsheets.values()

    def titles(self, spreadsheet: str) -> tuple[str, ...]:
        """Titles of the tabs that hold a grid, in their order."""
        try:
            answer = self._client.call(
                SHEETS,
                self._admin,
                self._spreadsheets.get,
                spreadsheetId=spreadsheet,
                fields="sheets/properties(title,sheetType)",
            )
        except NotFound as error:
            raise NotFound("there is no such spreadsheet (status 404)", fix=_MISSING) from error
        found = [as_object(raw.get("properties")) for raw in items_of(SHEETS, answer, "sheets")]
        grids = [raw for raw in found if as_text(raw.get("sheetType")) in ("", "GRID")]
        return tuple(title for raw in grids if (title := as_text(raw.get("title"))))

    def read(self, spreadsheet: str, titles: Collection[str]) -> tuple[SheetTab, ...]:
        """All values of these tabs, in the order of `titles`; empty ends are left out by Google."""
        wanted = tuple(titles)
        if not wanted:
            return ()
        answer = self._client.call(
            SHEETS,
            self._admin,
            self._values.batchGet,
            spreadsheetId=spreadsheet,
            ranges=[_whole(title) for title in wanted],
            majorDimension="ROWS",
            valueRenderOption="UNFORMATTED_VALUE",
            dateTimeRenderOption="SERIAL_NUMBER",
            fields="valueRanges/values",
        )
        ranges = items_of(SHEETS, answer, "valueRanges")
        if len(ranges) != len(wanted):
            raise unreadable(SHEETS, "other tabs than were asked for")
        return tuple(
            SheetTab(title, to_rows(raw)) for title, raw in zip(wanted, ranges, strict=True)
        )

    def check(self) -> None:
        """Ask for a token: which spreadsheet to read is the caller's affair."""
        self._client.check_token(SHEETS, self._admin)


def _whole(title: str) -> str:
    """A tab in A1 notation; in quotes it can be no cell and no named range."""
    return "'" + title.replace("'", "''") + "'"


def to_rows(raw: Raw) -> tuple[tuple[SheetValue, ...], ...]:
    """The rows of one range. Raises `BadAnswer` for what no spreadsheet holds."""
    rows = raw.get("values", [])
    if not isinstance(rows, list) or not all(isinstance(row, list) for row in rows):
        raise unreadable(SHEETS, "values that are no rows of cells")
    return tuple(tuple(_value(cell) for cell in row) for row in rows)


def _value(cell: object) -> SheetValue:
    if isinstance(cell, str):
        return cell if cell.isascii() else cell.encode("utf-8", "replace").decode("utf-8")
    if cell is None or isinstance(cell, bool | int | float):
        return cell
    raise unreadable(SHEETS, "a cell that is no text, number or truth value")
