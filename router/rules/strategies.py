"""In which order the deployments of a group are tried: LiteLLM's routing strategies. Pure.

The first is the strategy's choice; the rest stand in for it, in the order of the same measure. What
ties is drawn by `chance`, so that equals share the load.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from router.prices import price
from router.rules.plan import Case
from router.settings import Deployment, Strategy

Deployments = tuple[Deployment, ...]
#: what LiteLLM takes for a price that nobody knows: it comes last
UNKNOWN_PRICE = float("inf")
#: before every pace: who was not tried yet is tried first
UNTRIED = -1.0


def ordered(case: Case, deployments: Deployments) -> Deployments:
    """All of a group, those of the lowest `order` first, each order by the group's strategy."""
    if len(deployments) == 1:
        return deployments
    strategy = _STRATEGIES[case.generation.groups.strategy]
    levels = sorted({deployment.order for deployment in deployments})
    if len(levels) == 1:
        return strategy(case, deployments)
    placed: list[Deployment] = []
    for level in levels:
        placed += strategy(case, tuple(d for d in deployments if d.order == level))
    return tuple(placed)


def drawn(deployments: Deployments, chance: float) -> Deployments:
    """The one drawn by weight first, then the rest in their order from there."""
    if len(deployments) == 1:
        return deployments
    first = draw([deployment.weight for deployment in deployments], chance)
    return deployments[first:] + deployments[:first]


def draw(weights: Sequence[float], chance: float) -> int:
    """The place that `chance` in [0, 1) hits; one of weight 0 is never hit unless all are."""
    weights = [max(0.0, weight) for weight in weights]
    if not any(weights):
        return int(chance * len(weights))
    left = chance * sum(weights)
    first = 0
    for place, weight in enumerate(weights):
        if weight > 0:
            first = place
            if left < weight:
                break
            left -= weight
    return first


def _shuffled(case: Case, deployments: Deployments) -> Deployments:
    return drawn(deployments, case.chance)


def _by(measure: Callable[[Deployment], float], case: Case, found: Deployments) -> Deployments:
    """Lowest first; equals in a drawn order."""
    first = int(case.chance * len(found))
    return tuple(sorted(found[first:] + found[:first], key=measure))


def _least_busy(case: Case, deployments: Deployments) -> Deployments:
    loads = case.loads
    if loads is None:
        return _shuffled(case, deployments)
    return _by(lambda one: loads.running(one), case, deployments)


def _least_used(case: Case, deployments: Deployments) -> Deployments:
    """By the tokens of this minute, then by its requests."""
    loads = case.loads
    if loads is None:
        return _shuffled(case, deployments)
    used = {one.id: loads.used(one, case.now) for one in deployments}
    rank = {pair: float(place) for place, pair in enumerate(sorted(set(used.values()), key=_most))}
    return _by(lambda one: rank[used[one.id]], case, deployments)


def _most(used: tuple[int, int]) -> tuple[int, int]:
    return used[1], used[0]


def _fastest(case: Case, deployments: Deployments) -> Deployments:
    """By pace; one that was not tried yet is tried first. Those within the buffer are equal."""
    loads = case.loads
    if loads is None:
        return _shuffled(case, deployments)
    known = {one.id: loads.pace(one) for one in deployments}
    best = min((pace for pace in known.values() if pace is not None), default=0.0)
    bound = best * (1 + case.generation.groups.latency_buffer)

    def pace(one: Deployment) -> float:
        seconds = known[one.id]
        return UNTRIED if seconds is None else max(seconds, bound)

    return _by(pace, case, deployments)


def _cheapest(case: Case, deployments: Deployments) -> Deployments:
    def cost(one: Deployment) -> float:
        provider = case.generation.provider(one.target.provider)
        if provider is None:
            return UNKNOWN_PRICE
        known = price(provider, one.target.model, case.generation)
        if known.input is None and known.output is None:
            return UNKNOWN_PRICE
        return (known.input or 0) + (known.output or 0)

    return _by(cost, case, deployments)


_STRATEGIES: Mapping[Strategy, Callable[[Case, Deployments], Deployments]] = {
    "simple-shuffle": _shuffled,
    "least-busy": _least_busy,
    "latency": _fastest,
    "usage": _least_used,
    "cost": _cheapest,
}
