"""A partner's standing has words for every status that the registry can have."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from meetbot.console.standing import _FIXED, standing
from meetbot.domain import authorizing as answers
from meetbot.domain import cards
from meetbot.domain.registry import Authorization, Certification, Contract
from tests.builders import at
from tests.console.conftest import Console

DAY = date(2026, 10, 13)
CONTRACT = Contract("C1", "P1", "G1", ("*",), DAY, DAY, DAY)
APPROVAL = Authorization("A1", "P1", "G1", "S1", None, DAY, DAY, "pat@district.example", at(0))
STATUSES = (
    *(
        cards._contract(answer)
        for answer in (
            answers.ContractValid(DAY),
            answers.ContractMissing(),
            answers.ContractNotStarted(None, CONTRACT),
            answers.ContractNotStarted(DAY, CONTRACT),
            answers.ContractExpired(DAY, CONTRACT),
            answers.ContractOutOfScope(("S1",)),
        )
    ),
    *(
        cards._certification(answer)
        for answer in (
            answers.CertificationValid(),
            answers.CertificationMissing(),
            answers.CertificationExpired(Certification("P1", None, DAY, DAY)),
        )
    ),
    *(
        cards._authorization(answer)
        for answer in (
            answers.AuthorizationMissing(),
            answers.AuthorizationMissing(APPROVAL),
            answers.AuthorizationRetroactive(APPROVAL, timedelta(hours=1)),
            answers.AuthorizationOutOfScope((answers.Field.DATE, answers.Field.HOST), APPROVAL),
            answers.Authorized((APPROVAL,)),
        )
    ),
)


@pytest.mark.parametrize("status", STATUSES)
def test_every_status_has_words(console: Console, status: str) -> None:
    """In the reader's language, days as pages write them."""
    with console.app.test_request_context("/"):
        said = standing(status)
    assert status in _FIXED or said != status
    assert "2026-10-13" not in said


def test_a_word_that_is_not_known_stays(console: Console) -> None:
    """Nothing is swallowed."""
    with console.app.test_request_context("/"):
        assert standing("held by aliens until 2026-10-13") == "held by aliens until 2026-10-13"
