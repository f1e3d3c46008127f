"""Every price in force, with all its kinds and tiers and where it came from, for people."""

from __future__ import annotations

from router.contract import PriceLine
from router.prices import UNKNOWN, price
from router.settings import Generation, Price, Provider

#: stands for any provider, so that a model can be looked up that is configured nowhere
_ANY = Provider("openai", "openai_chat", "", "", kind="openai", simulated=True)
_RATES = tuple(n for n in Price.__struct_fields__ if n not in ("source", "above", "services"))


def lines(generation: Generation, text: str = "") -> list[PriceLine]:
    """Of every configured model whose "provider,model" contains `text`; where none does, of the
    model of that name in the lists. Loads the catalogue: about a second of work."""
    wanted = text.casefold()
    found = [
        line
        for provider in generation.providers.values()
        if provider.plane is None
        for model in dict.fromkeys((*provider.models, *(m for m in provider.prices if m)))
        if wanted in f"{provider.name},{model}".casefold()
        for line in _lines(f"{provider.name},{model}", price(provider, model, generation))
    ]
    if not found and text:
        known = price(_ANY, text, generation)
        found = [] if known == UNKNOWN else _lines(text, known)
    return found


def _lines(target: str, found: Price) -> list[PriceLine]:
    """The usual price, then its tiers."""
    made = [_line(target, "", found)]
    made += [_line(target, f"above {limit:,}", over) for limit, over in found.above]
    for name, served in found.services:
        made.append(_line(target, name, served))
        made += [_line(target, f"{name}, above {at:,}", over) for at, over in served.above]
    return made


def _line(target: str, tier: str, found: Price) -> PriceLine:
    rates = {name: rate for name in _RATES if (rate := getattr(found, name)) is not None}
    return PriceLine(target, tier, rates, found.source)
