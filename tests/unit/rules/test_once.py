"""What many rules ask of one dossier is answered once."""

from __future__ import annotations

from dataclasses import replace

from meetbot.domain.dossier import Dossier
from meetbot.domain.policy import Policy
from meetbot.rules.once import Same, once_per_dossier
from tests.dossiers import a_dossier


def test_an_answer_is_remembered_for_one_and_the_same_dossier() -> None:
    """An equal dossier is asked anew; only the last few are remembered."""
    asked: list[Dossier] = []

    @once_per_dossier
    def answer(dossier: Dossier, policy: Policy) -> int:
        """What is asked."""
        asked.append(dossier)
        return len(asked)

    one, policy = a_dossier(), Policy()
    twin = replace(one)

    assert [answer(one, policy), answer(one, policy), answer(twin, policy)] == [1, 1, 2]
    assert answer(one, Policy()) == 3
    assert answer.__doc__ == "What is asked."
    for _ in range(8):
        answer(replace(one), policy)
    assert answer(one, policy) == 12


def test_a_value_is_the_same_as_itself_only() -> None:
    """An equal one that was made anew is another, and is not even compared."""
    one = Policy()
    twin = replace(one)

    assert Same(one) == Same(one)
    assert Same(one) != Same(twin)
    assert Same(one) != one
    assert hash(Same(one)) == hash(Same(one)) != hash(Same(twin))
