"""Prices: whose count first, how dollars become nano-dollars, and what stays unknown."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest

from router.prices import FREE, UNKNOWN, nano, price, warm
from router.settings import Price, Provider
from tests.router.rules.cases import generation, provider

NOTHING_SET = generation(prices={})


def at(url: str, name: str = "mine", **settings: object) -> Provider:
    return replace(provider(name), url=url, **settings)  # type: ignore[arg-type]


ANTHROPIC = at("https://api.anthropic.com/v1/messages")


@pytest.mark.parametrize(
    ("dollars", "each"),
    [
        ("0.14", 140),
        ("0.28", 280),
        ("0.55", 550),
        ("2.19", 2_190),
        ("15", 15_000),
        ("0", 0),
        ("0.0375", 37.5),
        ("0.0185", 18.5),
        ("0.0001", 0.1),
    ],
)
def test_dollars_per_million_become_nano_dollars_per_token(dollars: str, each: float) -> None:
    assert nano(Decimal(dollars), 1_000_000) == each


def test_own_prices_beat_the_configs_which_beat_the_catalogue() -> None:
    listed = price(ANTHROPIC, "claude-haiku-4-5", NOTHING_SET)
    assert (listed.input, listed.output, listed.cache_read) == (1_000, 5_000, 100)
    assert (listed.cache_write, listed.cache_write_1h) == (1_250, 2_000)
    assert listed.source.startswith("genai-prices ")
    config = generation(prices={"claude-haiku-4-5": Price(2, 3, source="config")})
    assert price(ANTHROPIC, "claude-haiku-4-5", config).source == "config"
    own = replace(ANTHROPIC, prices={"claude-haiku-4-5": Price(4, 5, source="own")})
    assert price(own, "claude-haiku-4-5", config).source == "own"
    whole = replace(ANTHROPIC, prices={"": Price(6, 7, source="all of them")})
    assert price(whole, "claude-haiku-4-5", config).source == "all of them"


def test_M02_the_catalogues_long_prompts_services_searches_and_dates_are_known() -> None:
    sonnet = price(ANTHROPIC, "claude-sonnet-4-5", NOTHING_SET)
    ((limit, long),) = sonnet.above
    assert (sonnet.input, limit, long.input, long.output) == (3_000, 200_000, 6_000, 22_500)
    assert long.source == f"{sonnet.source}, above 200,000"
    assert (long.search, long.above) == (10_000_000, ())
    services = dict(sonnet.services)
    assert services.keys() == {"batch"}, "only those whose price is another"
    assert (services["batch"].input, services["batch"].above[0][1].input) == (1_500, 3_000)
    gpt = dict(price(at("https://api.openai.com/v1"), "gpt-5", NOTHING_SET).services)
    assert [(name, gpt[name].input) for name in ("flex", "priority")] == [
        ("flex", 625),
        ("priority", 2_500),
    ]
    # a price that changed: what was sent before that day costs what it cost then
    before, after = (
        price(
            ANTHROPIC,
            "claude-sonnet-4-6",
            NOTHING_SET,
            datetime(2026, month, 1, tzinfo=UTC).timestamp(),
        )
        for month in (3, 4)
    )
    assert [tier for tier, _ in before.above] == [200_000]
    assert after.above == ()


def test_cached_input_without_a_price_of_its_own_costs_what_input_costs() -> None:
    own = replace(ANTHROPIC, prices={"m": Price(140, 280), "half": Price(cache_read=1)})
    assert price(own, "m", NOTHING_SET) == Price(140, 280, 140, 140, 140)
    written = replace(ANTHROPIC, prices={"m": Price(100, 200, 10, 125)})
    assert price(written, "m", NOTHING_SET) == Price(100, 200, 10, 125, 125)
    assert price(own, "half", NOTHING_SET) == Price(cache_read=1)


def test_what_nobody_priced_is_unknown() -> None:
    assert price(ANTHROPIC, "no-such-model", NOTHING_SET) == UNKNOWN
    own_server = at("http://10.0.0.5:8000/v1/chat/completions")
    assert price(own_server, "gpt-4o", NOTHING_SET) == UNKNOWN, "not OpenAI's: not its prices"


def test_local_models_are_free_unless_priced() -> None:
    ollama = replace(provider("ollama-local"), local=True)
    assert price(ollama, "anything", NOTHING_SET) == FREE
    priced = replace(ollama, prices={"m": Price(1, 1)})
    assert price(priced, "m", NOTHING_SET).input == 1


def test_a_simulated_provider_costs_what_it_stands_in_for() -> None:
    for name, model, dollars in (
        ("deepseek", "deepseek-chat", price_of("https://api.deepseek.com/v1", "deepseek-chat")),
        ("openrouter", "claude-3-5-sonnet", 3_000),
        ("simulator", "claude-haiku-4-5", 1_000),
        ("simulator", "gpt-4o", 2_500),
    ):
        stand_in = replace(provider(name), simulated=True, kind="simulator")
        assert price(stand_in, model, NOTHING_SET).input == dollars
    lost = replace(provider("simulator"), simulated=True, kind="simulator")
    assert price(lost, "no-such-model", NOTHING_SET) == UNKNOWN


def price_of(url: str, model: str) -> float:
    found = price(at(url), model, NOTHING_SET).input
    assert found
    return found


def test_warming_looks_up_every_configured_model() -> None:
    from router.prices import listed

    model = "claude-opus-4-5"
    warmed = replace(ANTHROPIC, models=(model,))
    before = listed.cache_info().misses
    warm(generation(providers={"mine": warmed}))
    price(warmed, model, NOTHING_SET)
    assert listed.cache_info().misses <= before + 1
    assert listed.cache_info().hits > 0
