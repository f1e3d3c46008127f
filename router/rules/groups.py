"""The LiteLLM plane: a model's name → alias → group → deployments, and what a group falls back on.

Both planes know each other without HTTP: a `ccr-…` name goes to the CCR rules, a CCR route may name
a group. A chain between them ends after a few hops and never visits a name twice.
"""

from __future__ import annotations

from fnmatch import fnmatchcase

from msgspec import Struct

from router.errors import CallerError
from router.rules.plan import Candidate, Case
from router.rules.rule import Rule, Verdict, unknown_provider
from router.rules.signals import Signals
from router.settings import Deployment, Groups

#: names visited at most on the way to a deployment: alias, group, group behind it
HOPS = 4


class Expanded(Struct, frozen=True):
    """What a name stands for; with no candidates, `problem` says why."""

    candidates: tuple[Candidate, ...]
    problem: str = ""


def expand(case: Case, name: str, reason: str, seen: tuple[str, ...] = ()) -> Expanded:
    """The deployments behind a model's name: the drawn one, the rest of its group, fallbacks."""
    groups = case.generation.groups
    name = unaliased(groups, name)
    if name in seen or len(seen) >= HOPS:
        return Expanded(
            (), f"the model {name!r} leads back to itself: " + " → ".join((*seen, name))
        )
    deployments = find(groups, name)
    if not deployments:
        return Expanded((), f"no model group is named {name[:100]!r}")
    candidates: list[Candidate] = []
    problems: list[str] = []
    for place, deployment in enumerate(drawn(deployments, case.chance)):
        why = reason if place == 0 else f"other deployment of {name}"
        found = _served(case, deployment, name, why, (*seen, name))
        candidates += found.candidates
        problems += [found.problem] if found.problem else []
    for other in fallbacks(groups, name) if not seen else ():  # fallbacks have none of their own
        found = expand(case, other, f"fallback of {name}", (*seen, name))
        candidates += found.candidates
    return Expanded(tuple(candidates), "" if candidates else "; ".join(problems))


def _served(
    case: Case, deployment: Deployment, name: str, reason: str, seen: tuple[str, ...]
) -> Expanded:
    target = deployment.target
    provider = case.generation.provider(target.provider)
    if provider is None:
        return Expanded((), unknown_provider(case.generation, target.provider))
    model = _filled(deployment, name)
    if provider.plane == "litellm":
        return expand(case, model, reason, seen)
    return Expanded((Candidate(provider, model, reason, deployment.params),))


def _filled(deployment: Deployment, name: str) -> str:
    """The provider's own name for the model: what a `*` in the group's name stood for is put into
    the `*` of the deployment's."""
    model = deployment.target.model
    if "*" not in model:
        return model
    before, star, after = deployment.group.partition("*")
    matched = name[len(before) : len(name) - len(after)] if star else name
    return model.replace("*", matched)


def unaliased(groups: Groups, name: str) -> str:
    for _ in range(HOPS):
        if name not in groups.aliases:
            break
        name = groups.aliases[name]
    return name


def find(groups: Groups, name: str) -> tuple[Deployment, ...]:
    """A group by its name; else by the longest wildcard that fits ("anthropic/*", "*")."""
    if exact := groups.deployments.get(name):
        return exact
    fitting = [
        pattern for pattern in groups.deployments if "*" in pattern and fnmatchcase(name, pattern)
    ]
    return groups.deployments[max(fitting, key=len)] if fitting else ()


def drawn(deployments: tuple[Deployment, ...], chance: float) -> tuple[Deployment, ...]:
    """All of a group, the one drawn by weight first, then the rest in their order from there."""
    if len(deployments) == 1:
        return deployments
    weights = [max(0.0, deployment.weight) for deployment in deployments]
    left = chance * sum(weights)
    first = 0
    for place, weight in enumerate(weights):
        if weight > 0:
            first = place
            if left < weight:
                break
            left -= weight
    return deployments[first:] + deployments[:first]


def fallbacks(groups: Groups, name: str) -> tuple[str, ...]:
    """The groups to try after this one: its own list, else the general one. Never itself."""
    listed = groups.fallbacks.get(name)
    if listed is None:
        listed = groups.fallbacks.get("*", groups.default_fallbacks)
    return tuple(other for other in listed if other != name)


def look(case: Case, signals: Signals) -> Verdict:
    groups = case.generation.groups
    asked = signals.asked
    name = unaliased(groups, asked)
    if groups.ccr_prefix and name.startswith(groups.ccr_prefix) and name not in groups.deployments:
        return Verdict(name, hands_on=True, note="handed on to the CCR rules")
    deployments = find(groups, name)
    value = asked if name == asked else f"{asked} → {name}"
    if not deployments:
        return Verdict(value or "no model named", error=_unknown(asked))
    many = f", {len(deployments)} deployments" if len(deployments) > 1 else ""
    found = expand(case, name, f"group {name}")
    if not found.candidates:
        return Verdict(
            value,
            error=CallerError(
                f"model group {name!r} cannot be served: {found.problem}",
                status=503,
                kind="missing",
            ),
        )
    return Verdict(value + many, candidates=found.candidates)


def _unknown(model: str) -> CallerError:
    """In LiteLLM's own words: clients match on them."""
    return CallerError(
        f"Invalid model name passed in model={model or None}. "
        "Call `/v1/models` to view available models for your key.",
        status=400,
        kind="missing",
        param="model",
    )


RULE = Rule("group", look)
