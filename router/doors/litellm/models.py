"""Which models LiteLLM's clients are told that there are."""

from __future__ import annotations

from fnmatch import fnmatchcase
from typing import TYPE_CHECKING

from router.catalogue import listed_models
from router.doors.management.models import sizes
from router.errors import CallerError
from router.providers import KINDS
from router.rules.deployments import find, unaliased
from router.settings import Deployment
from router.spending.access import may_use

if TYPE_CHECKING:
    from router.service import Router

#: LiteLLM's own constant for every model it lists
CREATED = 1677610602
#: the guide's "ccr-claude-sonnet", less the prefix
ROUTED = "claude-sonnet"


def names(router: Router) -> list[str]:
    """What clients may choose from, as LiteLLM lists it: aliases that are not hidden, then groups
    in their file's order, a wildcard as the models that are known behind it. Last one name that the
    CCR plane's rules answer."""
    generation = router.generation
    groups = generation.groups
    found = [
        alias
        for alias in groups.aliases
        if alias not in groups.hidden and find(groups, unaliased(groups, alias))
    ]
    for name, deployments in groups.deployments.items():
        found += _behind(router, name, deployments) if "*" in name else [name]
    if generation.routes.targets:
        found.append(groups.ccr_prefix + ROUTED)
    return list(dict.fromkeys(found))


def _behind(router: Router, pattern: str, deployments: tuple[Deployment, ...]) -> list[str]:
    """The names under which the models that a wildcard's providers are known to have are asked."""
    found = []
    for deployment in deployments:
        provider = router.generation.provider(deployment.target.provider)
        if provider is None:
            continue
        kind = KINDS.get(provider.kind)
        known = list(provider.models)
        if kind is not None:
            known += [*kind.offered, *listed_models(kind.name, provider.base)]
        own = deployment.target.model
        if "*" not in own:
            continue  # any name will do: there is none to choose from
        for model in known:
            if "*" in model or not fnmatchcase(model, own):
                continue
            before, _, after = own.partition("*")
            middle = model[len(before) : len(model) - len(after)]
            found.append(pattern.replace("*", middle, 1) if pattern != "*" else model)
    return found


def listed(router: Router, name: str | None, key: str) -> dict[str, object]:
    """All models that a key may use, or the one that is named."""
    known = names(router)
    if (holder := router.cashier.find(key)) is not None:
        groups = router.generation.groups
        lists = router.cashier.register.lists(holder)
        known = [one for one in known if all(may_use(each, one, groups) for each in lists)]
    if name is None:
        return {"data": [_model(router, each) for each in known], "object": "list"}
    if name not in known and not find(router.generation.groups, name):
        raise CallerError(
            f"The model `{name[:200]}` does not exist or is not accessible",
            status=404,
            kind="missing",
            param="model",
        )
    return _model(router, name)


def _model(router: Router, name: str) -> dict[str, object]:
    told = {"id": name, "object": "model", "created": CREATED, "owned_by": "openai"}
    if served := router.generation.groups.deployments.get(name):
        known = sizes(router, served[0]).items()
        told |= {field: value for field, value in known if value is not None}
    return told
