"""What a model costs: the provider's own prices, then those of the config, then what is listed.

Unknown is unknown, never free. Where a source prices the input but not cached input, cached tokens
cost what the input costs: that is how the catalogue reads its own gaps, and it never flatters.
Listed are a price map in LiteLLM's form, where one was given, and the catalogue of this install.
"""

from __future__ import annotations

import functools
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from decimal import Decimal
from typing import Any, Final

from msgspec.structs import replace

from router.providers import KINDS
from router.settings import Generation, Price, Provider

UNKNOWN = Price()
FREE = Price(0, 0, 0, 0, 0, source="local", search=0)

#: seconds for which a listed price holds: some change with the time of day
_HOLDS: Final = 900
#: what the catalogue asks for a tier, and what providers call it
_SERVICES: Final = {
    "batch": {"processing": "batch"},
    "flex": {"service_tier": "flex"},
    "priority": {"service_tier": "priority"},
    "fast": {"service_tier": "fast", "speed": "fast"},
}
#: the catalogue's keys for prices per million tokens
_PER_MILLION: Final = {
    "input": "input_mtok",
    "output": "output_mtok",
    "cache_read": "cache_read_mtok",
    "cache_write": "cache_write_mtok",
    "cache_write_1h": "cache_write_1h_mtok",
    "reasoning": "output_reasoning_mtok",
    "audio_in": "input_audio_mtok",
    "audio_cached": "cache_audio_read_mtok",
    "audio_out": "output_audio_mtok",
    "image_in": "input_image_mtok",
    "image_out": "output_image_mtok",
}
#: and per thousand
_PER_THOUSAND: Final = {"request": "requests_kcount", "search": "web_searches_kcount"}


def price(provider: Provider, model: str, generation: Generation, at: float | None = None) -> Price:
    """What a model at a provider costs at a time (Unix seconds; None: now); all None where nothing
    is known.

    The first call for a model may load the catalogue: call `warm` in a thread at start.
    """
    if (own := provider.prices) or generation.prices:
        configured = own.get(model) or own.get("") or generation.prices.get(model)
        if configured is not None:
            return completed(configured)
    if provider.local:
        return FREE
    if generation.price_map is not None:
        mapped = generation.price_map.find(provider, model)
        if mapped is not None:
            return completed(mapped)
    when = int((time.time() if at is None else at) // _HOLDS)
    return listed(provider.kind, provider.name, provider.simulated, provider.url, model, when)


@functools.lru_cache(maxsize=1_024)
def completed(price: Price) -> Price:
    """A price whose kinds of input all have one, where plain input does; its tiers too."""
    return replace(
        price,
        cache_read=price.input if price.cache_read is None else price.cache_read,
        cache_write=price.input if price.cache_write is None else price.cache_write,
        cache_write_1h=_first(price.cache_write_1h, price.cache_write, price.input),
        above=tuple((limit, completed(over)) for limit, over in price.above),
        services=tuple((name, completed(served)) for name, served in price.services),
    )


def _first(*prices: float | None) -> float | None:
    return next((each for each in prices if each is not None), None)


def nano(dollars: Decimal, each: int) -> float:
    """Nano-dollars of one, where `each` cost that many dollars; whole ones as integers."""
    exact = dollars * 1_000_000_000 / each
    return int(exact) if exact == exact.to_integral_value() else float(exact)


def warm(generation: Generation) -> None:
    """Loads the catalogue and looks up every configured model: about a second of work, to be done
    in a thread before requests ask."""
    _catalogue()
    for provider in generation.providers.values():
        for model in provider.models:
            price(provider, model, generation)


@functools.lru_cache(maxsize=4_096)
def listed(kind: str, name: str, simulated: bool, url: str, model: str, when: int) -> Price:
    """The catalogue's price in a quarter hour (counted from 1970)."""
    found = _found(kind, name, simulated, url, model)
    if found is None:
        return UNKNOWN
    if not isinstance(found.prices, list) and not found.price_variants:
        return _lasting(kind, name, simulated, url, model)
    return _converted(found, datetime.fromtimestamp(when * _HOLDS, UTC), catalogue())


@functools.lru_cache(maxsize=4_096)
def _lasting(kind: str, name: str, simulated: bool, url: str, model: str) -> Price:
    """Of a model whose price is the same at all times."""
    found = _found(kind, name, simulated, url, model)
    return _converted(found, datetime.now(UTC), catalogue())


@functools.lru_cache(maxsize=4_096)
def _found(kind: str, name: str, simulated: bool, url: str, model: str) -> Any | None:
    """The catalogue's entry. A real provider is known by its address alone, so that no one else's
    server is billed at OpenAI's prices; a simulated one by what it stands in for."""
    snapshot, _ = _catalogue()
    places: list[dict[str, str | None]] = [{"provider_id": None, "provider_api_url": url}]
    if simulated:
        ids = tuple((KINDS[n].catalogue if n in KINDS else "") or n for n in (name, kind))
        places = [{"provider_id": id, "provider_api_url": None} for id in (*ids, None, "openai")]
    for place in places:
        try:
            return snapshot.find_provider_model(model, None, **place)[1]
        except LookupError:
            continue
    return None


@functools.cache
def _catalogue() -> tuple[Any, str]:
    """Its snapshot and version. Imported late: it is large, and no request should wait for it."""
    from genai_prices import __version__
    from genai_prices.data_snapshot import get_snapshot

    return get_snapshot(), __version__


def catalogue() -> str:
    """What the catalogue is called where a price is from it."""
    return f"genai-prices {_catalogue()[1]}"


def _converted(found: Any, when: datetime, source: str) -> Price:
    usual = _tiered(found.get_prices(when), source)
    services: list[tuple[str, Price]] = []
    for name, asked in _SERVICES.items():
        for key, value in asked.items():
            told = found.get_prices(when, {key: value})
            if told != found.get_prices(when):
                services.append((name, _tiered(told, f"{source}, {name}")))
                break
    return completed(replace(usual, services=tuple(services)))


def _tiered(listed: Any, source: str) -> Price:
    """One price with those for longer prompts; the catalogue's tiers are for all of the tokens."""
    limits = sorted({tier.start for key in _PER_MILLION.values() for tier in _tiers(listed, key)})
    above = ((limit, _at(listed, limit, f"{source}, above {limit:,}")) for limit in limits)
    return replace(_at(listed, 0, source), above=tuple(above))


def _tiers(listed: Any, key: str) -> Iterable[Any]:
    return getattr(getattr(listed, key, None), "tiers", ())


def _at(listed: Any, limit: int, source: str) -> Price:
    """The prices for prompts longer than `limit`."""

    def rate(key: str, each: int) -> float | None:
        value = getattr(listed, key, None)
        base = getattr(value, "base", value)
        for tier in _tiers(listed, key):
            base = tier.price if tier.start <= limit else base
        return nano(base, each) if isinstance(base, Decimal) else None

    rates: dict[str, Any] = {name: rate(key, 1_000_000) for name, key in _PER_MILLION.items()}
    rates |= {name: rate(key, 1_000) for name, key in _PER_THOUSAND.items()}
    return Price(**rates, source=source)
