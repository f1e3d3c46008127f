"""LiteLLM's words for prices: the map as a file, and costs in a deployment."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from router.config import price_file
from router.prices import price
from router.prices.map import PriceMap, read
from router.providers import KINDS
from router.settings import Price, Provider
from tests.router.rules.cases import generation, provider

#: an entry with all that we follow
ENTRY = {
    "litellm_provider": "gemini",
    "input_cost_per_token": 1.25e-06,
    "output_cost_per_token": 1e-05,
    "output_cost_per_reasoning_token": 1.1e-05,
    "cache_read_input_token_cost": 3.75e-08,
    "cache_creation_input_token_cost_above_1hr": 6e-06,
    "input_cost_per_token_above_200k_tokens": 2.5e-06,
    "output_cost_per_token_above_200k_tokens": 1.5e-05,
    "input_cost_per_token_batches": 6.25e-07,
    "input_cost_per_token_above_200k_tokens_priority": 4.5e-06,
    "input_cost_per_token_priority": 2.25e-06,
    "input_cost_per_audio_token": 2e-06,
    "search_context_cost_per_query": {"search_context_size_medium": 0.035},
    "mode": "chat",
    "max_input_tokens": 1_000_000,
}
GEMINI = replace(provider("gem"), kind="gemini", base=KINDS["gemini"].base)


def test_an_entry_with_all_its_tiers() -> None:
    found = read(ENTRY, "map")
    assert found is not None
    assert (found.input, found.output, found.cache_read) == (1_250, 10_000, 37.5)
    assert (found.reasoning, found.cache_write_1h, found.audio_in) == (11_000, 6_000, 2_000)
    assert (found.search, found.cache_write) == (35_000_000, None)
    ((limit, above),) = found.above
    assert (limit, above.input, above.output, above.cache_read) == (200_000, 2_500, 15_000, 37.5)
    assert above.source == "map, above 200,000"
    services = dict(found.services)
    assert set(services) == {"batch", "priority"}
    assert (services["batch"].input, services["batch"].output) == (625, 10_000)
    assert services["priority"].input == 2_250
    assert services["priority"].above[0][1].input == 4_500


@pytest.mark.parametrize(
    ("entry", "expected"),
    [
        ({"input_cost_per_token": 0, "output_cost_per_token": 0.0}, (0, 0, 0)),
        ({"input_cost_per_token": "0.000003"}, (3_000, None, None)),
        ({"input_cost_per_token": -1, "output_cost_per_token": True}, None),
        ({"input_cost_per_token": float("nan"), "output_cost_per_token": "x"}, None),
        ({"output_cost_per_image": 0.04}, None),
    ],
)
def test_what_is_no_price_is_none(
    entry: dict[str, object], expected: tuple[float | None, ...] | None
) -> None:
    found = read(entry, "map")
    assert (found and (found.input, found.output, found.cache_read)) == expected


def test_the_map_is_before_the_catalogue_and_after_all_else() -> None:
    openai = {**ENTRY, "litellm_provider": "openai"}
    known = PriceMap({"gemini/gemini-2.5-pro": ENTRY, "gpt-4o": openai}, "map of today")
    told = generation(prices={}, price_map=known)
    found = price(GEMINI, "gemini-2.5-pro", told)
    assert (found.input, found.source) == (1_250, "map of today")
    assert found.cache_write == 1_250  # what nobody prices costs what the input costs
    own = replace(GEMINI, prices={"gemini-2.5-pro": Price(7, 8, source="config")})
    assert price(own, "gemini-2.5-pro", told).source == "config"
    assert price(GEMINI, "gpt-4o", told).source == ""  # another provider's
    elsewhere = replace(GEMINI, base="http://10.0.0.5/v1", url="http://10.0.0.5/v1/chat")
    assert price(elsewhere, "gemini-2.5-pro", told).source == "", "not Google's: not its prices"


def test_a_file_that_is_no_map_changes_nothing(tmp_path: Path) -> None:
    home, given = tmp_path / "model_prices.json", tmp_path / "given.json"
    assert price_file.load(home) == (None, [])
    for text, problem in (("{", "is no JSON"), ("[]", "an object"), ('{"a": {}}', "no model")):
        given.write_text(text)
        with pytest.raises(ValueError, match=problem):
            price_file.install(given, home)
        assert not home.exists()
    given.write_bytes(b'{"m": {"input_cost_per_token": 1e-6, "litellm_provider": "openai"}}')
    price_file.install(given, home)
    assert home.stat().st_mode & 0o777 == 0o600
    loaded, (finding,) = price_file.load(home)
    assert loaded is not None
    assert (len(loaded), finding.state) == (1, "found")
    home.write_text("{")
    broken, (finding,) = price_file.load(home)
    assert broken is None
    assert finding.state == "problem"


def test_prices_follow_the_time_of_the_request() -> None:
    """DeepSeek's prices changed with the hour: history is priced at its own."""
    deepseek: Provider = replace(provider("ds"), url="https://api.deepseek.com/v1/chat/completions")
    july = 1_752_000_000.0  # 2025
    asked = [
        price(deepseek, "deepseek-chat", generation(prices={}), at=july + hour * 3_600).input
        for hour in range(24)
    ]
    assert None not in asked
    assert len(set(asked)) == 2
