"""What a request is billed that took several attempts."""

from __future__ import annotations

import pytest

from router.caller import Caller
from router.contract import Tokens
from router.messages import Usage, UsageSeen
from router.record import Attempt, Record
from router.rules.plan import Candidate
from router.settings import Price, Provider
from router.tally import Tally


def attempt(number: int, *, simulated: bool, answered: bool = True) -> Attempt:
    """Uses 10 tokens and 1 at 3 and 5 nano-dollars."""
    provider = Provider("p", "openai_chat", "u", "b", simulated=simulated)
    made = Attempt(number, Candidate(provider, "m", ""), "", 0.0, 0.0)
    made.price = Price(3, 5)
    made.tally = Tally(99)
    if answered:
        made.tally.feed(UsageSeen(Usage(input=10, output=1)))
        made.answered = True
    return made


@pytest.mark.parametrize(
    ("attempts", "times"),
    [
        ([attempt(1, simulated=False)], 1),
        # one that was cut before the client saw a byte was paid as well
        ([attempt(1, simulated=False), attempt(2, simulated=False)], 2),
        # one that never began to answer cost nothing that anyone can tell
        ([attempt(1, simulated=False, answered=False), attempt(2, simulated=False)], 1),
        ([attempt(1, simulated=False, answered=False)], 0),
        # simulated money is never added to real money
        ([attempt(1, simulated=False), attempt(2, simulated=True)], 1),
        ([attempt(1, simulated=True), attempt(2, simulated=False)], 1),
        ([], 0),
    ],
)
async def test_tokens_and_cost_are_of_the_same_attempts(
    attempts: list[Attempt], times: int
) -> None:
    record = Record("r", Caller("ccr", "ccr", {}), "openai_chat", "chat", 0.0, 0.0, 0.5)
    record.attempts = attempts
    view = record.view()
    assert view.tokens == Tokens(input=10 * times, output=times)
    assert view.cost == 35 * times
