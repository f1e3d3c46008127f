"""/model/info, /model_group/info: what serves which name, what it costs and what it can hold."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from router.doors.management.asked import NANO, Asked, Route, missing
from router.messages import JSON
from router.prices import price
from router.settings import Deployment
from router.spending.access import may_use

if TYPE_CHECKING:
    from router.service import Router

#: our rates, as LiteLLM's price map calls them
RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}


def told(router: Router, deployment: Deployment) -> JSON:
    provider = router.generation.provider(deployment.target.provider)
    own: dict[str, Any] = {
        "id": deployment.id or str(deployment.target),
        "db_model": False,
        "litellm_provider": deployment.target.provider,
        "mode": "embedding" if "embed" in deployment.target.model else "chat",
        "access_groups": list(deployment.access_groups),
        "simulated": bool(provider and provider.simulated),
    }
    if provider is not None:
        rates = price(provider, deployment.target.model, router.generation)
        for ours, theirs in RATES.items():
            rate = getattr(rates, ours)
            own[theirs] = None if rate is None else rate / NANO
        own["max_input_tokens"] = provider.context.get(deployment.target.model)
        own["max_output_tokens"] = provider.max_output
    return {
        "model_name": deployment.group,
        "litellm_params": {"model": str(deployment.target).replace(",", "/", 1)},
        "model_info": own,
    }


def _seen(router: Router, asked: Asked) -> list[Deployment]:
    """Those that the asking key may use."""
    groups = router.generation.groups
    models = asked.own.models if asked.own is not None else []
    return [
        deployment
        for name, deployments in groups.deployments.items()
        for deployment in deployments
        if may_use(models, name, groups)
    ]


async def info(router: Router, asked: Asked) -> JSON:
    wanted = asked.one("litellm_model_id")
    found = [told(router, one) for one in _seen(router, asked) if wanted in ("", one.id)]
    if wanted and not found:
        raise missing(f"Model id = {wanted[:200]} not found on litellm proxy")
    return {"data": found}


async def groups(router: Router, asked: Asked) -> JSON:
    """One line for each name, with the dearest of what serves it."""
    wanted, lines = asked.one("model_group"), dict[str, JSON]()
    for deployment in _seen(router, asked):
        if wanted not in ("", deployment.group):
            continue
        own = told(router, deployment)["model_info"]
        line = lines.setdefault(
            deployment.group,
            {"model_group": deployment.group, "providers": [], "mode": own["mode"]},
        )
        if own["litellm_provider"] not in line["providers"]:
            line["providers"].append(own["litellm_provider"])
        for name in (*RATES.values(), "max_input_tokens", "max_output_tokens"):
            known = [value for value in (line.get(name), own.get(name)) if value is not None]
            line[name] = max(known, default=None)
    return {"data": list(lines.values())}


ROUTES: dict[str, Route] = {
    "GET /model/info": Route(info, anyone=True),
    "GET /v1/model/info": Route(info, anyone=True),
    "GET /v2/model/info": Route(info, anyone=True),
    "GET /model_group/info": Route(groups, anyone=True),
}
