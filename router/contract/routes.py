"""The rules as they stand, models with their prices, and what an edit would move."""

from __future__ import annotations

from msgspec import Struct


class PriceLine(Struct, frozen=True, gc=False):
    """A price in force. `rates`: nano-dollars per token of each kind that is known (and per
    "request", per "search"); `tier` "" is the usual one, else "above 200,000", "batch", …"""

    target: str  # "provider,model"
    tier: str
    rates: dict[str, float]
    source: str


class ModelView(Struct, frozen=True, gc=False):
    """A model that a route or an override may name. Prices are nano-dollars per token."""

    target: str  # "provider,model"
    input: float | None = None
    output: float | None = None
    cache_read: float | None = None
    cache_write: float | None = None
    source: str = ""  # of the price
    context: int | None = None  # tokens it can hold, where known
    simulated: bool = False


class RuleView(Struct, frozen=True, gc=False):
    """One rule, in the order they are asked. `scenario` is "" where it has no target of its own."""

    name: str
    when: str  # "more than 60,000 tokens"
    scenario: str = ""
    target: str = ""  # as configured; "" for none, or where the request itself names it
    override: str = ""  # what an operator's override of this scenario sends it to instead


class RouteValue(Struct, frozen=True, gc=False):
    """What a rule goes by, besides its target: a number, words, or "fallback.SCENARIO", the
    "provider,model"s that are tried after the scenario's own, apart by blanks. "strict", "yes" or
    "no", is of no rule but of all."""

    name: str  # "longContextThreshold"
    value: str  # "60000"
    rule: str  # the scenario that it is of; "" for all
    what: str  # "tokens"


class Move(Struct, frozen=True, gc=False):
    """Requests that would go elsewhere. Costs are of all of them, None where one is unknown."""

    rule: str
    before: str
    after: str
    requests: int
    cost_before: int | None
    cost_after: int | None
