"""Sheets v4: `spreadsheets.get`, `values.get` and `values.batchGet`, of whole tabs.

Dates are numbers of days since 1899-12-30, which a cell's format only shows otherwise.
https://developers.google.com/workspace/sheets/api/reference/rest/v4/spreadsheets.values
"""

from datetime import date, datetime

from meetbot.sandbox.call import Call
from meetbot.sandbox.discovery import Json
from meetbot.sandbox.model import Cell, Spreadsheet
from meetbot.sandbox.replies import ApiError

_ZERO = datetime(1899, 12, 30)  # noqa: DTZ001 - a spreadsheet's days have no zone
_ROWS, _COLUMNS = 1000, 26


def get(call: Call) -> Json:
    """`spreadsheets.get` without grid data."""
    found = _found(call)
    return {
        "spreadsheetId": found.spreadsheet_id,
        "properties": {"title": "Registry", "locale": "en_US", "timeZone": call.world.time_zone},
        "sheets": [_sheet(number, title) for number, title in enumerate(found.tabs)],
    }


def _sheet(number: int, title: str) -> Json:
    grid = {"rowCount": _ROWS, "columnCount": _COLUMNS}
    return {
        "properties": {
            "sheetId": number,
            "title": title,
            "index": number,
            "sheetType": "GRID",
            "gridProperties": grid,
        }
    }


def get_values(call: Call) -> Json:
    """`values.get` of one whole tab."""
    return _range(call, _found(call), call.path["range"])


def batch_get(call: Call) -> Json:
    """`values.batchGet` of whole tabs, in the order asked for."""
    found = _found(call)
    return {
        "spreadsheetId": found.spreadsheet_id,
        "valueRanges": [_range(call, found, one) for one in call.texts("ranges")],
    }


def _found(call: Call) -> Spreadsheet:
    found = call.world.spreadsheets.get(call.path["spreadsheetId"])
    if found is None:
        raise ApiError(404, "Requested entity was not found.")
    if call.subject is None or call.subject.email not in found.readers:
        raise ApiError(403, "The caller does not have permission")
    return found


def _range(call: Call, spreadsheet: Spreadsheet, wanted: str) -> Json:
    title = wanted
    if len(wanted) > 1 and wanted.startswith("'") and wanted.endswith("'"):
        title = wanted[1:-1].replace("''", "'")
    rows = spreadsheet.tabs.get(title)
    if rows is None:
        raise ApiError(400, f"Unable to parse range: {wanted}")
    answer: Json = {"range": f"'{title}'!A1:Z{_ROWS}", "majorDimension": "ROWS"}
    values = _trimmed([_trimmed([_shown(call, cell) for cell in row], "") for row in rows], [])
    return answer | ({"values": values} if values else {})


def _trimmed(items: list[object], empty: object) -> list[object]:
    """Without empty ones at the end, which Google leaves out."""
    kept = list(items)
    while kept and kept[-1] == empty:
        kept.pop()
    return kept


def _shown(call: Call, cell: Cell) -> object:
    is_plain = call.text("valueRenderOption") in ("UNFORMATTED_VALUE", "FORMULA")
    if cell is None:
        return ""
    if isinstance(cell, date):
        is_serial = call.text("dateTimeRenderOption") != "FORMATTED_STRING"
        return _serial(cell) if is_plain and is_serial else _formatted(cell)
    if is_plain:
        return cell
    return str(cell).upper() if isinstance(cell, bool) else str(cell)


def _serial(cell: date) -> float | int:
    moment = cell if isinstance(cell, datetime) else datetime(cell.year, cell.month, cell.day)  # noqa: DTZ001
    days = (moment - _ZERO).total_seconds() / 86_400
    return int(days) if days.is_integer() else days


def _formatted(cell: date) -> str:
    """As a spreadsheet of the United States shows it."""
    day = f"{cell.month}/{cell.day}/{cell.year}"
    return f"{day} {cell:%H:%M:%S}" if isinstance(cell, datetime) else day


HANDLERS = {
    "sheets.spreadsheets.get": get,
    "sheets.spreadsheets.values.get": get_values,
    "sheets.spreadsheets.values.batchGet": batch_get,
}
