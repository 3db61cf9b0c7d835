"""The simulated methods, one module per API, and the table of all of them."""

from collections.abc import Callable, Mapping

from meetbot.sandbox.apis import calendar, directory, gmail, meet, reports, sheets
from meetbot.sandbox.call import Call

HANDLERS: Mapping[str, Callable[[Call], object]] = {
    **calendar.HANDLERS,
    **meet.HANDLERS,
    **directory.HANDLERS,
    **reports.HANDLERS,
    **gmail.HANDLERS,
    **sheets.HANDLERS,
}
"""By discovery method id; a handler gives a JSON value or raises `ApiError`."""
