"""Every model that can be named, with its price and size, for whoever chooses one.

One rule: a size or a price that nobody told is None, never a guess.
"""

from __future__ import annotations

import functools

from router.contract import ModelView
from router.prices import price
from router.providers import KINDS
from router.rules.deployments import find, unaliased
from router.settings import Generation, Provider, Target


def models(generation: Generation) -> tuple[ModelView, ...]:
    """In the configured order. May load the price catalogue: call it in a thread."""
    return tuple(
        view(provider, model, generation)
        for provider in generation.providers.values()
        for model in provider.models
    )


def configured(generation: Generation, provider: str, model: str) -> bool:
    """Whether somebody wrote it down here; else a client made the name up, or an operator did."""
    known = generation.providers.get(provider)
    if known is not None and model in known.models:
        return True
    return Target(provider, model) in generation.led_to


def view(provider: Provider, model: str, generation: Generation) -> ModelView:
    served, name = _served(provider, model, generation)
    cost = price(served, name, generation)
    known = served.context
    return ModelView(
        target=f"{provider.name},{model}",
        input=cost.input,
        output=cost.output,
        cache_read=cost.cache_read,
        cache_write=cost.cache_write,
        source=cost.source,
        context=known.get(name) or known.get("") or listed_size(name),
        simulated=served.simulated,
    )


def _served(provider: Provider, model: str, generation: Generation) -> tuple[Provider, str]:
    """A LiteLLM group stands for its first deployment."""
    if provider.plane != "litellm":
        return provider, model
    deployments = find(generation.groups, unaliased(generation.groups, model))
    first = generation.provider(deployments[0].target.provider) if deployments else None
    if first is None or first.plane == "litellm":
        return provider, model
    return first, deployments[0].target.model


@functools.lru_cache(maxsize=4_096)
def listed_size(model: str) -> int | None:
    """Tokens that the catalogue says a model of this name can hold; None where it does not know."""
    from genai_prices.data_snapshot import get_snapshot  # large, and seldom asked

    try:
        _, found = get_snapshot().find_provider_model(
            model, None, provider_id=None, provider_api_url=None
        )
    except LookupError:
        return None
    return found.context_window


@functools.lru_cache(maxsize=64)
def listed_models(kind: str, base: str) -> tuple[str, ...]:
    """What the catalogue knows at the own address of a kind of provider, of its own families."""
    from genai_prices.data_snapshot import get_snapshot  # large, and seldom asked

    known = KINDS.get(kind)
    if known is None or not known.base or base != known.base:
        return ()
    try:
        found = get_snapshot().find_provider(None, None, known.base)
    except LookupError:
        return ()
    names = (model.id for model in found.models)
    families = known.families
    return tuple(name for name in names if not families or name.startswith(families))
