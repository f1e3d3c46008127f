"""Costs of more sessions than are shown: the sums are still those of everything."""

from __future__ import annotations

from console.spending import rest, total
from router.contract import CostLine, Spend, Tokens


def line(name: str, cost: int, *, simulated: bool = False) -> CostLine:
    tokens = Tokens(input=cost, output=2 * cost, estimated=name == "b")
    spend = Spend(input=cost, saved=3)
    figures = {"requests": 2, "errors": 1, "unpriced": 1, "attempts": 3}
    return CostLine(
        name=name, simulated=simulated, tokens=tokens, cost=cost, spend=spend, **figures
    )


def test_what_is_not_shown_is_one_line_of_each_kind() -> None:
    every = [line("a", 9), line("b", 5), line("c", 1), line("s", 4, simulated=True)]
    left = rest(every[:1], every)
    assert [(one.simulated, one.cost, one.requests) for one in left] == [
        (False, 6, 4),
        (True, 4, 2),
    ]
    real = [one for one in every if not one.simulated]
    together = total([every[0], left[0]])
    assert together == total(real)
    assert rest(every, every) == []
