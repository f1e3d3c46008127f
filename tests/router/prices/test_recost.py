"""History at today's prices."""

from __future__ import annotations

from pathlib import Path

import pytest
from msgspec.structs import replace

from router.prices.recost import recost
from router.settings import Price, Provider
from tests.router.rules.cases import generation
from tests.storage.make import detail, ledger, stored

MINE = Provider("mine", "openai_chat", "https://x.example/v1/chat/completions", "https://x.example")

_ALL = Price(0, 0, 0, 0, 0, search=0)
FREE = replace(_ALL, services=(("flex", _ALL),))


@pytest.mark.parametrize(
    ("simulated", "prices", "cost"),
    [
        (False, {"m": FREE}, 0),
        # the simulator stood in for a provider of that name: not at the real one's prices
        (True, {"m": FREE}, 7),
        (True, {}, 7),
    ],
)
def test_only_the_same_provider_prices_anew(
    tmp_path: Path, simulated: bool, prices: dict[str, Price], cost: int
) -> None:
    made = detail("r", provider="mine", model="m", simulated=simulated, cost=7)
    with ledger(tmp_path / "ledger.db") as book:
        book.request(made)
        assert book.flush(5)
        now = generation(providers={"mine": MINE}, prices=prices)
        recost(book, now, 0.0, 0, dry_run=False)
        assert stored(book.path, "SELECT cost FROM request") == [(cost,)]
