"""Costs of more sessions than are shown: the sums are still those of everything."""

from __future__ import annotations

import pytest

from console.lines.costs import By, CostRows, counts
from console.lines.spending import cost, rest, total
from console.text import NANO, money
from console.widgets.budget import allowed
from console.widgets.paint import plain
from console.widgets.rows import Heading
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


@pytest.mark.parametrize(
    ("by", "called"),
    [("model", "no model was reached"), ("session", "no session"), ("key", "no key")],
)
def test_what_names_nothing_is_called_so_and_what_used_nothing_has_no_line(
    by: By, called: str
) -> None:
    """A provider that only failed before another answered ended no request and cost nothing."""
    failed = CostLine("only failed", False, 0, 0, Tokens(), 0, unpriced=7, attempts=7)
    found = [line("", 9), failed]
    shown = list(filter(counts, found))
    rows = CostRows([(Heading(("Real",)), shown, total(found))], by)
    assert cost(line("priced in part", 5)) == f"≥ {money(5)}"
    assert cost(line("its model has no price, another failed", 0)) == "—"
    names = [plain(row[0]) for row in map(rows.row, range(len(rows))) if isinstance(row, tuple)]
    assert names == [called, "total"]


def test_an_estimate_and_a_bound_do_not_pretend_to_know_more_than_cents() -> None:
    estimates = [money(nano, cents=True) for nano in (59_919_200_000, 999_000_000, 20_000_000)]
    assert estimates == ["$59.92", "$0.9990", "$0.0200"]
    bounds = [allowed(nano) for nano in (2 * NANO, NANO // 2, 1_234_500_000)]
    assert bounds == ["$2", "$0.50", "$1.2345"]
