"""What a model costs: the provider's own prices, then those of the config, then the catalogue.

Unknown is unknown, never free. Where a source prices the input but not cached input, cached tokens
cost what the input costs: that is how the catalogue reads its own gaps, and it never flatters.
"""

from __future__ import annotations

import functools
from dataclasses import replace
from datetime import UTC, datetime
from decimal import ROUND_HALF_EVEN, Decimal
from typing import Any

from router.settings import Generation, Price, Provider

UNKNOWN = Price()
FREE = Price(0, 0, 0, 0, 0, source="local")

#: names of ours that the catalogue knows under another
_ALIASES = {"gemini": "google", "xai": "x-ai", "moonshot": "moonshotai"}


def price(provider: Provider, model: str, generation: Generation) -> Price:
    """Nano-dollars per token of a model at a provider; all None where nothing is known.

    The first call for a model may load the catalogue: call `warm` in a thread at start.
    """
    own = provider.prices
    configured = own.get(model) or own.get("") or generation.prices.get(model)
    if configured is not None:
        return completed(configured)
    if provider.local:
        return FREE
    return listed(provider.kind, provider.name, provider.simulated, provider.url, model)


@functools.lru_cache(maxsize=1_024)
def completed(price: Price) -> Price:
    """A price whose kinds of input all have one, where plain input does."""
    return replace(
        price,
        cache_read=price.input if price.cache_read is None else price.cache_read,
        cache_write=price.input if price.cache_write is None else price.cache_write,
        cache_write_1h=_first(price.cache_write_1h, price.cache_write, price.input),
    )


def _first(*prices: int | None) -> int | None:
    return next((each for each in prices if each is not None), None)


def nano_per_token(dollars_per_million: Decimal) -> int:
    """Integer nano-dollars per token: $1 per million is 1,000. What costs anything never rounds to
    free."""
    nano = int((dollars_per_million * 1_000).quantize(Decimal(1), ROUND_HALF_EVEN))
    return nano or (1 if dollars_per_million > 0 else 0)


def warm(generation: Generation) -> None:
    """Loads the catalogue and looks up every configured model: about a second of work, to be done
    in a thread before requests ask."""
    _catalogue()
    for provider in generation.providers.values():
        for model in provider.models:
            price(provider, model, generation)


@functools.lru_cache(maxsize=4_096)
def listed(kind: str, name: str, simulated: bool, url: str, model: str) -> Price:
    """The catalogue's price. A real provider is known by its address alone, so that no one else's
    server is billed at OpenAI's prices; a simulated one by what it stands in for."""
    snapshot, version = _catalogue()
    places: list[dict[str, str | None]] = [{"provider_id": None, "provider_api_url": url}]
    if simulated:
        ids = (_ALIASES.get(name, name), _ALIASES.get(kind, kind))
        places = [{"provider_id": id, "provider_api_url": None} for id in (*ids, None, "openai")]
    for place in places:
        try:
            _, found = snapshot.find_provider_model(model, None, **place)
        except LookupError:
            continue
        return _converted(found.get_prices(datetime.now(UTC)), f"genai-prices {version}")
    return UNKNOWN


@functools.cache
def _catalogue() -> tuple[Any, str]:
    """Its snapshot and version. Imported late: it is large, and no request should wait for it."""
    from genai_prices import __version__
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot(), __version__


def _converted(listed: Any, source: str) -> Price:
    def nano(key: str) -> int | None:
        value = getattr(listed, key, None)
        value = getattr(value, "base", value)  # of a tiered price: what the first tokens cost
        return nano_per_token(value) if isinstance(value, Decimal) else None

    return completed(
        Price(
            input=nano("input_mtok"),
            output=nano("output_mtok"),
            cache_read=nano("cache_read_mtok"),
            cache_write=nano("cache_write_mtok"),
            cache_write_1h=nano("cache_write_1h_mtok"),
            source=source,
        )
    )
