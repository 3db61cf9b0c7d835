"""Links of mails into the officers' console: a path and a case id, never anything that signs in."""

from __future__ import annotations

import re
from dataclasses import dataclass

from meetbot.domain.notices import Audience, MeetingCard

_CASE = re.compile(r"C-[0-9a-f]{12}", re.ASCII)
_APPROVAL = re.compile(r"Q-[0-9a-f]{12}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Links:
    """Addresses below `root`; with an empty root there are none, and every link is empty."""

    root: str = ""

    def case(self, card: MeetingCard, audience: Audience) -> str:
        """The page of a case: the host's own page for the host, who sees no other."""
        return self._of_case("answers" if audience is Audience.HOST else "cases", card)

    def ask(self, card: MeetingCard) -> str:
        """Where the host asks for the approval of a meeting."""
        return self._of_case("approvals/ask", card)

    def approval(self, approval_id: str) -> str:
        """The page of one request for approval."""
        is_one = _APPROVAL.fullmatch(approval_id)
        return self.page(f"approvals/{approval_id}") if is_one else ""

    def page(self, name: str) -> str:
        """A page of its own, such as `overview`."""
        return f"{self.root}/{name}" if self.root else ""

    def _of_case(self, folder: str, card: MeetingCard) -> str:
        return self.page(f"{folder}/{card.case_id}") if _CASE.fullmatch(card.case_id) else ""
