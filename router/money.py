"""What a usage costs: the one way from tokens and a price to money. Pure.

One rule: a usage is priced whole or not at all, and rounded once, to a nano-dollar. What the price
does not know but the usage has (a service tier, a web search) makes the cost unknown, never less.
"""

from __future__ import annotations

from typing import NamedTuple

from router.contract import Spend
from router.messages import Usage
from router.settings import Price

#: tiers that cost what is usual, as providers name them
USUAL = frozenset(("", "default", "standard", "auto", "on_demand"))


class Bill(NamedTuple):
    """`cost` in nano-dollars, None where a price that is needed is unknown; `price` says where the
    price came from, and which of its tiers."""

    cost: int | None
    spend: Spend
    price: str


_NOTHING = Spend()


def bill(usage: Usage, price: Price) -> Bill:
    """The cost of one answer and what it consists of."""
    rates = _rates(usage, price)
    if rates is None:
        assert usage.apart is not None
        return Bill(None, _NOTHING, f"{price.source}, {usage.apart.service} unknown")
    if (
        (usage.input and rates.input is None)
        or (usage.cache_read and rates.cache_read is None)
        or (usage.cache_write and rates.cache_write is None)
        or (usage.cache_write_1h and rates.cache_write_1h is None)
        or (usage.output and rates.output is None)
    ):
        return Bill(None, _NOTHING, rates.source)
    input = usage.input * (rates.input or 0)
    read = usage.cache_read * (rates.cache_read or 0)
    written = usage.cache_write * (rates.cache_write or 0)
    written += usage.cache_write_1h * (rates.cache_write_1h or 0)
    output = usage.output * (rates.output or 0)
    fees = rates.request or 0
    if usage.reasoning and rates.reasoning is not None:
        output += usage.reasoning * (rates.reasoning - (rates.output or 0))
    if (apart := usage.apart) is not None:
        if apart.searches:
            if rates.search is None:
                return Bill(None, _NOTHING, rates.source)
            fees += apart.searches * rates.search
        input += _beside(apart.audio_in, rates.audio_in, rates.input)
        input += _beside(apart.image_in, rates.image_in, rates.input)
        read += _beside(apart.audio_cached, rates.audio_cached, rates.cache_read)
        output += _beside(apart.audio_out, rates.audio_out, rates.output)
        output += _beside(apart.image_out, rates.image_out, rates.output)
    cost = round(input + read + written + output + fees)
    saved = 0.0
    cached = usage.cache_read + usage.cache_write + usage.cache_write_1h
    if cached and rates.input is not None:
        saved = cached * rates.input - read - written
    parts = [input, read, written, output, fees]
    return Bill(cost, Spend(*(*_whole(cost, parts), round(saved))), rates.source)


def _rates(usage: Usage, price: Price) -> Price | None:
    """Those of the tier that it was served at and of the length of its prompt. All tokens of a long
    prompt cost what is said for it, not only those above the limit."""
    apart = usage.apart
    if apart is not None and apart.service not in USUAL:
        found = next((rates for name, rates in price.services if name == apart.service), None)
        if found is None:
            return None
        price = found
    if price.above:
        prompt = usage.prompt
        for limit, rates in reversed(price.above):
            if prompt > limit:
                return rates
    return price


def _beside(tokens: int, rate: float | None, usual: float | None) -> float:
    """What tokens that were counted at the usual rate cost more."""
    return tokens * (rate - (usual or 0)) if tokens and rate is not None else 0


def _whole(cost: int, parts: list[float]) -> list[int]:
    """Whole parts of a cost; what rounding leaves goes to the largest."""
    whole = list(map(round, parts))
    if rest := cost - sum(whole):
        whole[max(range(len(parts)), key=parts.__getitem__)] += rest
    return whole
