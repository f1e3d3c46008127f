"""LiteLLM's price map (`model_prices_and_context_window.json`), and its words for prices. Pure.

One rule: an entry is only used for its own provider, at that provider's own address: nobody else's
server is billed at OpenAI's prices because it has a model of the same name.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from router.prices import nano
from router.providers import KINDS
from router.settings import Price, Provider

#: dollars per token, or per image or query, by the field they price
_FIELDS: Final = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
    "cache_write_1h": "cache_creation_input_token_cost_above_1hr",
    "reasoning": "output_cost_per_reasoning_token",
    "audio_in": "input_cost_per_audio_token",
    "audio_cached": "cache_read_input_audio_token_cost",
    "audio_out": "output_cost_per_audio_token",
    "image_in": "input_cost_per_image_token",
    "image_out": "output_cost_per_image_token",
    "request": "input_cost_per_request",
}
#: what LiteLLM appends for a tier → what providers call it
_SERVICES: Final = {"batches": "batch", "flex": "flex", "priority": "priority"}
_ABOVE: Final = re.compile(r"_above_(\d+)k_tokens")
#: what a search costs where the answer does not say how much context it used
_SEARCH: Final = ("search_context_size_medium", "search_context_size_low")


def read(entry: Mapping[str, Any], source: str) -> Price | None:
    """A price from an entry of the map, or from a deployment's litellm_params and model_info; None
    where it prices no token. A price of 0 for input and output is free, caches included."""
    usual = _tiered(entry, "", source)
    if usual.input is None and usual.output is None:
        return None
    if not usual.input and not usual.output and usual.input is not None:
        free = ("cache_read", "cache_write", "cache_write_1h", "search")
        unsaid: dict[str, Any] = {name: 0 for name in free if getattr(usual, name) is None}
        usual = replace(usual, **unsaid)
    services = [
        (name, _tiered(entry, f"_{suffix}", f"{source}, {name}", usual))
        for suffix, name in _SERVICES.items()
        if any(f"{field}_{suffix}" in entry for field in _FIELDS.values())
    ]
    return replace(usual, services=tuple(services))


def _tiered(
    entry: Mapping[str, Any], suffix: str, source: str, usual: Price | None = None
) -> Price:
    """With the prices of longer prompts. What a tier does not say costs what is `usual`."""
    limits = sorted({int(found[1]) * 1_000 for key in entry if (found := _ABOVE.search(key))})
    base = _rates(entry, "", suffix, source, usual)
    above = [
        (limit, _rates(entry, f"_above_{limit // 1000}k_tokens", suffix, longer, base))
        for limit in limits
        for longer in (f"{source}, above {limit:,}",)
    ]
    return replace(base, above=tuple(above))


def _rates(
    entry: Mapping[str, Any], long: str, suffix: str, source: str, usual: Price | None
) -> Price:
    rates: dict[str, Any] = {}
    for name, field in _FIELDS.items():
        told = _dollars(entry.get(f"{field}{long}{suffix}"))
        rates[name] = told if told is not None else getattr(usual, name, None)
    search = entry.get("search_context_cost_per_query")
    if isinstance(search, Mapping):
        rates["search"] = next((_dollars(search[k]) for k in _SEARCH if k in search), None)
    return Price(**rates, source=source)


def _dollars(value: object) -> float | None:
    """Nano-dollars; None for what is no price."""
    if isinstance(value, bool) or not isinstance(value, int | float | str):
        return None
    try:
        exact = Decimal(str(value))
    except ArithmeticError:
        return None
    return nano(exact, 1) if exact.is_finite() and exact >= 0 else None


class PriceMap:
    """A whole map. `name` says which, where a price is from it."""

    def __init__(self, entries: Mapping[str, Any], name: str) -> None:
        self._entries = entries
        self._name = name
        self._found: dict[tuple[str, str], Price | None] = {}

    def __len__(self) -> int:
        return len(self._entries)

    def find(self, provider: Provider, model: str) -> Price | None:
        """None where the map does not know the model at this provider."""
        kind = KINDS.get(provider.name if provider.simulated else provider.kind)
        if kind is None or not (provider.simulated or (kind.base and provider.base == kind.base)):
            return None
        asked = (kind.name, model)
        if asked not in self._found:
            if len(self._found) > 4_096:
                self._found.clear()
            self._found[asked] = self._look_up((kind.name, *kind.litellm), model)
        return self._found[asked]

    def _look_up(self, providers: tuple[str, ...], model: str) -> Price | None:
        for key in (*(f"{name}/{model}" for name in providers), model):
            entry = self._entries.get(key)
            if isinstance(entry, Mapping) and entry.get("litellm_provider") in providers:
                return read(entry, self._name)
        return None
