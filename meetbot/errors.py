"""The one tree of exceptions; adapters map everything foreign into it at the border.

::

    MeetbotError                 a message for people, and `fix`: what they can do about it
    ├── Temporary                trying again later may help; `retry_after` seconds, if known
    │   ├── BadAnswer            the answer could not be read (broken JSON, a missing field)
    │   └── PartlyDone           some recipients have the mail, `left` are to get it later
    ├── Permanent                trying again changes nothing
    │   ├── AccessDenied         a scope, delegation or role is missing
    │   ├── NotFound             there is no such thing, or it is hidden from us
    │   └── SyncTokenExpired     the progress mark is void; read that source from the start
    └── BadInput                 a person's mistakes, all at once, each with place and fix
        └── Outdated             what was decided on has changed since it was shown

Messages and fixes may be logged, mailed to operators and shown: they hold ids, counts, keys, file
names and district settings, never a student's name, address or id, and never a secret.
"""

from collections.abc import Iterable
from dataclasses import dataclass


class MeetbotError(Exception):
    """Anything meetbot itself reports as wrong; `fix` is one sentence, empty if none is known."""

    def __init__(self, message: str, *, fix: str = "") -> None:
        super().__init__(message)
        self.fix = fix


class Temporary(MeetbotError):
    """A failure that may pass; `retry_after` is in seconds, None if the other side named none."""

    def __init__(self, message: str, *, fix: str = "", retry_after: float | None = None) -> None:
        super().__init__(message, fix=fix)
        self.retry_after = retry_after


class BadAnswer(Temporary):
    """Another system answered with something that cannot be read; nothing of it was kept."""


class PartlyDone(Temporary):
    """A mail was taken for some of its recipients; `left` are the others, who get it later."""

    def __init__(self, message: str, *, left: tuple[str, ...], fix: str = "") -> None:
        super().__init__(message, fix=fix)
        self.left = left


class Permanent(MeetbotError):
    """A failure that stays until somebody changes something."""


class AccessDenied(Permanent):
    """A scope, a delegation or an administrator's right is missing."""


class NotFound(Permanent):
    """The thing asked for does not exist, or is not visible (Google answers 404 to both)."""


class SyncTokenExpired(Permanent):
    """Google refused a sync token (410); only this source must be read again in full."""


class Stopped(BaseException):
    """The service is to end: no failure, and nothing to be handled. The work is done next time."""


@dataclass(frozen=True, slots=True)
class Mistake:
    """One mistake of a person: where it is, what is wrong there and how to put it right."""

    place: str
    what: str
    fix: str

    def __str__(self) -> str:
        """The mistake as one line."""
        return f"{self.place}: {self.what}. Fix: {self.fix}"


class BadInput(MeetbotError):
    """Configuration, registry or command line is wrong; `mistakes` lists every one, in order."""

    def __init__(self, mistakes: Iterable[Mistake]) -> None:
        self.mistakes = tuple(mistakes)
        super().__init__(
            "\n".join(str(mistake) for mistake in self.mistakes),
            fix="correct every place named above",
        )


class Outdated(BadInput):
    """Somebody decided on what they saw, and it has changed since; they have to look again."""
