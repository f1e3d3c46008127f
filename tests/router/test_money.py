"""What a usage costs: every kind once, whole tiers, one rounding; checklist M02 and M03."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

from router.contract import Apart, Spend
from router.messages import Usage
from router.money import bill
from router.settings import Price

SONNET = Price(3_000, 15_000, 300, 3_750, 6_000, "list")


@pytest.mark.parametrize(
    ("usage", "price", "cost", "spend"),
    [
        # M02: reads and both ages of writes apart; thinking is inside the output, once
        (
            Usage(10, 100, 20, 5, output=7, reasoning=6),
            SONNET,
            30_000 + 30_000 + 75_000 + 30_000 + 105_000,
            Spend(30_000, 30_000, 105_000, 105_000, 0, 375_000 - 135_000),
        ),
        # a reasoning price of its own replaces the output's for that part alone
        (Usage(output=10, reasoning=4), Price(1, 10, reasoning=30), 180, Spend(output=180)),
        (Usage(output=10, reasoning=4), Price(1, 0, reasoning=30), 120, Spend(output=120)),
        # writing a cache that is never read costs more than none: saved is below 0
        (Usage(cache_write=4), SONNET, 15_000, Spend(cache_write=15_000, saved=-3_000)),
        # … by how much is rounded as money is, and nothing where a prompt has no price to save from
        (Usage(0, 3), Price(0.5, 0, 0.25), 1, Spend(cache_read=1, saved=1)),
        (Usage(0, 10), Price(None, None, 3), 30, Spend(cache_read=30)),
        # M03: unknown is None, free is 0
        (Usage(1, output=1), Price(3, None), None, Spend()),
        (Usage(1, output=1), Price(0, 0), 0, Spend()),
        (Usage(1), Price(3, None), 3, Spend(input=3)),
        # fractions of a nano-dollar are added up before they are rounded
        (Usage(3, output=3), Price(37.5, 62.5), 300, Spend(112, 0, 0, 188)),
        (Usage(2, output=2), Price(0.25, 0.25), 1, Spend(1)),
        # sound and images inside the input and the output
        (
            Usage(100, 10, output=20, apart=Apart(30, 4, 5)),
            Price(1, 2, 1, audio_in=10, audio_cached=6, audio_out=20),
            100 + 270 + 10 + 20 + 40 + 90,
            Spend(370, 30, 0, 130, 0, -20),
        ),
        (Usage(10, apart=Apart(audio_in=10)), Price(3, 3), 30, Spend(30)),
        (
            Usage(100, output=20, apart=Apart(image_in=30, image_out=5)),
            Price(1, 2, image_in=10, image_out=20),
            100 + 270 + 40 + 90,
            Spend(370, 0, 0, 130),
        ),
        (Usage(5, apart=Apart(audio_in=5)), Price(0, 0, audio_in=7), 35, Spend(35)),
        # fees: each request, each search; a search that nobody priced is unknown
        (Usage(1, apart=Apart(searches=3)), Price(1, 1, request=5, search=100), 306, None),
        (Usage(1, apart=Apart(searches=1)), Price(1, 1), None, Spend()),
        # tiers of service: an unknown one is unknown, the usual ones are the usual price
        (
            Usage(2, apart=Apart(service="batch")),
            Price(4, 4, services=(("batch", Price(2, 2)),)),
            4,
            None,
        ),
        (Usage(2, apart=Apart(service="priority")), Price(4, 4), None, Spend()),
        (Usage(2, apart=Apart(service="standard")), Price(4, 4), 8, Spend(8)),
    ],
)  # fmt: skip
def test_a_usage_is_priced_whole_or_not_at_all(
    usage: Usage, price: Price, cost: int | None, spend: Spend | None
) -> None:
    made = bill(usage, price)
    assert made.cost == cost
    if spend is not None:
        assert made.spend == spend


LONG = Price(
    10, 20, 1, source="map", above=((200_000, Price(20, 30, 2, source="map, above 200,000")),
                                    (272_000, Price(40, 60, 4, source="map, above 272,000"))),
)  # fmt: skip


@pytest.mark.parametrize(
    ("input", "cached", "cost", "source"),
    [
        (200_000, 0, 2_000_020, "map"),
        (200_001, 0, 4_000_050, "map, above 200,000"),
        # all input counts towards the limit, and all of it costs the tier's price
        (150_000, 50_001, 3_000_000 + 100_002 + 30, "map, above 200,000"),
        (272_001, 0, 10_880_100, "map, above 272,000"),
    ],
)
def test_a_long_prompt_costs_its_tier_whole(
    input: int, cached: int, cost: int, source: str
) -> None:
    """M02, long-context tiers."""
    made = bill(Usage(input, cached, output=1), LONG)
    assert (made.cost, made.price) == (cost, source)


_COUNT = st.integers(0, 10_000_000)
_RATE = st.one_of(st.integers(0, 100_000), st.floats(0, 1_000, allow_subnormal=False))


@given(
    counts=st.tuples(*[_COUNT] * 5),
    rates=st.tuples(*[_RATE] * 5),
    searches=st.integers(0, 50),
)
def test_the_parts_add_up_to_the_cost_to_the_nano_dollar(
    counts: tuple[Any, ...], rates: tuple[Any, ...], searches: int
) -> None:
    """M04, within one attempt."""
    price = structs.replace(Price(*rates), search=10_000_000)
    used = structs.replace(Usage(*counts), apart=Apart(searches=searches))
    made = bill(used, price)
    assert made.cost is not None
    parts = made.spend
    assert made.cost == (
        parts.input + parts.cache_read + parts.cache_write + parts.output + parts.fees
    )
    input, output, *cached = rates
    exact = sum(n * rate for n, rate in zip(counts, (input, *cached, output), strict=True))
    assert abs(made.cost - exact - searches * 10_000_000) <= 0.5 + 1e-9 * exact
    assert min(parts.input, parts.cache_read, parts.cache_write, parts.output, parts.fees) >= 0
