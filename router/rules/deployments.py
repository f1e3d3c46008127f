"""What stands behind a model's name on the LiteLLM plane: alias → group → deployments. Pure.

Both planes know each other without HTTP: a deployment may lead to another group, a CCR route may
name one. A chain between them ends after a few hops and never visits a name twice.
"""

from __future__ import annotations

from dataclasses import replace
from fnmatch import fnmatchcase

from msgspec import Struct

from router.rules import tags
from router.rules.plan import Candidate, Case
from router.rules.rule import unknown_provider
from router.rules.strategies import draw, ordered
from router.settings import Deployment, Groups, Provider, Timeouts
from router.wishes import NO_WISHES

#: names visited at most on the way to a deployment: alias, group, group behind it
HOPS = 4


class Expanded(Struct, frozen=True):
    """What a name stands for; with no candidates, `problem` says why."""

    candidates: tuple[Candidate, ...]
    problem: str = ""


def expand(
    case: Case, name: str, reason: str, seen: tuple[str, ...] = (), branch: str = ""
) -> Expanded:
    """The chosen deployment and the rest of its group. `seen`: the names on the way there;
    `branch`: the way of fallbacks that they are on."""
    groups = case.generation.groups
    name = unaliased(groups, name)
    if name in seen or len(seen) >= HOPS:
        return Expanded(
            (), f"the model {name!r} leads back to itself: " + " → ".join((*seen, name))
        )
    deployments = find(groups, name)
    if not deployments:
        return Expanded((), f"no model group is named {name[:100]!r}")
    return in_order(case, name, deployments, reason, seen, branch)


def in_order(
    case: Case,
    name: str,
    deployments: tuple[Deployment, ...],
    reason: str,
    seen: tuple[str, ...] = (),
    branch: str = "",
) -> Expanded:
    """What a group's deployments stand for, in the order to be tried."""
    if case.generation.groups.tag_filtering:
        deployments = tags.allowed(case, deployments)
    if not deployments:
        asked = ", ".join(case.wishes.tags)
        return Expanded((), f"{tags.REFUSED}. Passed model={name} and tags=[{asked}]")
    if len(deployments) == 1:
        return _served(case, deployments[0], name, reason, (*seen, name), branch)
    candidates: list[Candidate] = []
    problems: list[str] = []
    for place, deployment in enumerate(ordered(case, deployments)):
        why = reason if place == 0 else f"other deployment of {name}"
        found = _served(case, deployment, name, why, (*seen, name), branch)
        candidates += found.candidates
        problems += [found.problem] if found.problem else []
    return Expanded(tuple(candidates), "" if candidates else "; ".join(problems))


def _served(
    case: Case,
    deployment: Deployment,
    name: str,
    reason: str,
    seen: tuple[str, ...],
    branch: str,
) -> Expanded:
    target = deployment.target
    provider = case.generation.provider(target.provider)
    if provider is None:
        return Expanded((), unknown_provider(case.generation, target.provider))
    model = _filled(deployment, name)
    if provider.plane == "litellm":
        return expand(case, model, reason, seen, branch)
    leg = name if deployment.order == 1 else f"{name} (order {deployment.order})"
    params = deployment.params
    found: list[Candidate] = []
    for one in keyed(provider, case.chance) if provider.per_key else (provider,):
        timeouts = _timeouts(case, deployment, one)
        found.append(Candidate(one, model, reason, params, leg, branch, name, deployment, timeouts))
    return Expanded(tuple(found))


def keyed(provider: Provider, chance: float) -> tuple[Provider, ...]:
    """The provider once per key, the drawn one first."""
    first = draw([one.weight for one in provider.per_key], chance)
    return provider.per_key[first:] + provider.per_key[:first]


def _timeouts(case: Case, deployment: Deployment, provider: Provider) -> Timeouts | None:
    """Those of a request before those of its deployment; None: the provider's own."""
    wishes, usual = case.wishes, provider.timeouts
    if wishes is NO_WISHES and deployment.stream_timeout is None:
        return None
    seconds = wishes.timeout
    if case.request.stream:
        seconds = wishes.stream_timeout or seconds or deployment.stream_timeout
    if seconds is None:
        return None
    if case.request.stream:
        return replace(usual, first_byte=seconds, idle=seconds)
    return replace(usual, first_byte=seconds, idle=seconds, total=min(usual.total, seconds))


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
    aliases, hops = groups.aliases, HOPS
    while hops and name in aliases:
        name, hops = aliases[name], hops - 1
    return name


def find(groups: Groups, name: str) -> tuple[Deployment, ...]:
    """A group by its name; else one deployment by its id; else the longest wildcard that fits
    ("anthropic/*", "*"); else all that are `called` so. LiteLLM looks in this order."""
    if exact := groups.deployments.get(name) or groups.by_id.get(name):
        return exact
    fitting = [
        pattern for pattern in groups.deployments if "*" in pattern and fnmatchcase(name, pattern)
    ]
    if fitting:
        return groups.deployments[max(fitting, key=len)]
    return groups.by_call.get(name, ())
