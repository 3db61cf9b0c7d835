"""What rules say, parted by rule."""

from __future__ import annotations

from meetbot.domain.findings import Evidence, Undecided, Verdict
from tests.flags import a_finding, at

OPEN, LATE = a_finding("guests-can-invite"), a_finding("staff-joined-late")
UNREAD = Undecided("adhoc-meeting", frozenset({Evidence.CALENDAR}), "a calendar was not read")
UNSEEN = Undecided("staff-left-early", frozenset({Evidence.ATTENDANCE}), "no attendance")
DECIDED = frozenset({"guests-can-invite", "staff-joined-late", "contract-missing"})
VERDICT = Verdict((OPEN, LATE), (UNREAD, UNSEEN), DECIDED, at(20))


def test_a_verdict_is_parted_by_rules() -> None:
    """What is said of some rules and of all others: nothing is lost, nothing said twice."""
    rules = {"guests-can-invite", "adhoc-meeting", "contract-missing"}

    assert VERDICT.only(rules) == Verdict(
        (OPEN,), (UNREAD,), frozenset({"guests-can-invite", "contract-missing"}), at(20)
    )
    assert VERDICT.without(rules) == Verdict(
        (LATE,), (UNSEEN,), frozenset({"staff-joined-late"}), at(20)
    )
