"""Which of a group's deployments goes first: by what runs, by what was used, by pace, by price."""

from __future__ import annotations

import dataclasses

import pytest
from msgspec.structs import replace

from router.loads import Loads
from router.rules.strategies import ordered
from router.settings import Deployment, Groups, Price, Strategy, Target
from tests.router.rules.cases import case, generation

#: seconds per token of a, b and c; d was never tried
PACES = {"a": 0.30, "b": 0.10, "c": 0.11}
ALL = tuple(
    Deployment("g", Target("anth", name), id=name, counted=True) for name in ("a", "b", "c", "d")
)


def loads() -> Loads:
    """a has two running, b one; of c's minute the tokens are most, of b's the requests."""
    made = Loads()
    by = {deployment.id: deployment for deployment in ALL}
    for name, pace in PACES.items():
        made.began(by[name], 0.0)
        made.ended(by[name], 0.0, 90 if name == "c" else 10, pace)
    for name in ("a", "a", "b"):
        made.began(by[name], 0.0)
    return made


@pytest.mark.parametrize(
    ("strategy", "buffer", "chance", "order"),
    [
        ("least-busy", 0.0, 0.0, "cdba"),
        ("least-busy", 0.0, 0.9, "dcba"),  # equals in a drawn order
        ("usage", 0.0, 0.0, "dbac"),
        ("latency", 0.0, 0.0, "dbca"),
        ("latency", 0.2, 0.5, "dcba"),  # c is within a fifth of b: drawn
        ("latency", 0.05, 0.5, "dbca"),
    ],
)
def test_the_first_is_the_least(
    strategy: Strategy, buffer: float, chance: float, order: str
) -> None:
    groups = Groups(strategy=strategy, latency_buffer=buffer)
    asked = case("hi", config=generation(groups=groups), chance=chance)
    found = ordered(replace(asked, loads=loads()), ALL)
    assert "".join(one.id for one in found) == order


@pytest.mark.parametrize("strategy", ["least-busy", "usage", "latency"])
def test_where_nothing_is_counted_it_is_drawn(strategy: Strategy) -> None:
    asked = case("hi", config=generation(groups=Groups(strategy=strategy)), chance=0.5)
    assert [one.id for one in ordered(asked, ALL)] == ["c", "d", "a", "b"]


def test_the_cheapest_goes_first_and_what_nobody_priced_last() -> None:
    """By what a token in and a token out cost together, as far as either is known."""
    prices = {
        "a": Price(0.6, 0.1),
        "b": Price(0.1, 3),
        "c": Price(None, 0.5),
        "e": Price(0.55, None),
        "f": Price(0, 0),
    }
    groups = Groups(strategy="cost")
    asked = case("hi", config=generation(groups=groups, prices=prices), chance=0.0)
    found = [dataclasses.replace(ALL[0], id=name, target=Target("anth", name)) for name in "abcdef"]
    gone = dataclasses.replace(ALL[0], id="gone", target=Target("no-such-provider", "f"))
    names = [one.id for one in ordered(asked, (gone, *found))]
    assert names == ["f", "c", "e", "a", "b", "gone", "d"]


def test_a_lower_order_goes_first_whatever_the_strategy_says_within_it() -> None:
    mixed = tuple(dataclasses.replace(one, order=2 - place % 2) for place, one in enumerate(ALL))
    asked = case("hi", config=generation(groups=Groups()), chance=0.5)
    assert "".join(one.id for one in ordered(asked, mixed)) == "dbca"
