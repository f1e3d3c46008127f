"""/model/*, /model_group/info: what serves which name, what it costs and can hold; and models that
are added, changed and removed while requests run.

One rule: a model of a person's own file is never changed here, and no key is ever told.
"""

from __future__ import annotations

import re
import uuid
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import pydantic

from router.config.litellm_params import LiteLLMParams
from router.config.part import SECRET_NAME
from router.doors.management.asked import ADMIN, NANO, Asked, Route, iso, missing, wrong
from router.messages import JSON
from router.prices import price
from router.settings import Deployment
from router.spending.access import may_use
from router.spending.register import LONGEST

if TYPE_CHECKING:
    from router.service import Router

#: our rates, as LiteLLM's price map calls them
RATES = {
    "input": "input_cost_per_token",
    "output": "output_cost_per_token",
    "cache_read": "cache_read_input_token_cost",
    "cache_write": "cache_creation_input_token_cost",
}
#: params that hold credentials, besides those whose name says so
_HIDDEN = re.compile(r"^(extra_(headers|body)|vertex_credentials|aws_(access|secret|session).*)$")


# ── looked at ─────────────────────────────────────────────────────────────────────────────────────


def told(router: Router, deployment: Deployment, added: JSON | None = None) -> JSON:
    """`added`: its entry, where it was added here."""
    provider = router.generation.provider(deployment.target.provider)
    own: dict[str, Any] = {
        "id": deployment.id or str(deployment.target),
        "db_model": added is not None,
        "litellm_provider": deployment.target.provider,
        **sizes(router, deployment),
        "access_groups": list(deployment.access_groups),
        "simulated": bool(provider and provider.simulated),
    }
    if provider is not None:
        rates = price(provider, deployment.target.model, router.generation)
        for ours, theirs in RATES.items():
            rate = getattr(rates, ours)
            own[theirs] = None if rate is None else rate / NANO
    params: JSON = {"model": deployment.called or str(deployment.target).replace(",", "/", 1)}
    said = _shown(deployment.info)
    own |= {name: value for name, value in said.items() if own.get(name) is None}
    if added is not None:
        params = _shown(added["litellm_params"])
    return {"model_name": deployment.group, "litellm_params": params, "model_info": own}


def sizes(router: Router, deployment: Deployment) -> JSON:
    """What it is for, and the tokens that it can hold: None where nobody said."""
    provider, said = router.generation.provider(deployment.target.provider), deployment.info
    model = deployment.target.model
    known: JSON = {
        "mode": "embedding" if "embed" in model else "chat",
        "max_input_tokens": provider.context.get(model) if provider else None,
        "max_output_tokens": provider.max_output if provider else None,
    }
    # a mode is guessed from the name; a size of the provider's own settings is none
    first = {"mode": said.get("mode") or known["mode"]}
    return {name: said.get(name) if one is None else one for name, one in (known | first).items()}


def _shown(params: Mapping[str, Any]) -> JSON:
    return {
        name: value
        for name, value in params.items()
        if "_cost_" in name or not (SECRET_NAME.search(name) or _HIDDEN.match(name))
    }


def _seen(router: Router, asked: Asked) -> list[JSON]:
    """Those that the asking key may use."""
    groups = router.generation.groups
    lists = router.cashier.register.lists(asked.own) if asked.own is not None else []
    added = {entry["model_info"]["id"]: entry for entry in router.added.entries()}
    return [
        told(router, deployment, added.get(deployment.id))
        for name, deployments in groups.deployments.items()
        for deployment in deployments
        if all(may_use(each, name, groups) for each in lists)
    ]


async def info(router: Router, asked: Asked) -> JSON:
    wanted = asked.one("litellm_model_id")
    name = asked.one("model")
    found = [
        one
        for one in _seen(router, asked)
        if wanted in ("", one["model_info"]["id"]) and name in ("", one["model_name"])
    ]
    if wanted and not found:
        raise missing(f"Model id = {wanted[:200]} not found on litellm proxy")
    return {"data": found}


async def groups(router: Router, asked: Asked) -> JSON:
    """One line for each name, with the dearest of what serves it."""
    wanted, lines = asked.one("model_group"), dict[str, JSON]()
    for one in _seen(router, asked):
        group, own = one["model_name"], one["model_info"]
        if wanted not in ("", group):
            continue
        line = lines.setdefault(group, {"model_group": group, "providers": [], "mode": own["mode"]})
        if own["litellm_provider"] not in line["providers"]:
            line["providers"].append(own["litellm_provider"])
        for name in (*RATES.values(), "max_input_tokens", "max_output_tokens"):
            known = [value for value in (line.get(name), own.get(name)) if value is not None]
            line[name] = max(known, default=None)
        for name, value in own.items():
            if name.startswith("supports_"):
                line[name] = bool(line.get(name) or value)
        served = router.generation.groups.deployments.get(group, ())
        for name in ("rpm", "tpm"):
            bounds = [bound for each in served if (bound := getattr(each, name)) is not None]
            line[name] = sum(bounds) if bounds else None
    return {"data": list(lines.values())}


# ── added, changed, removed ───────────────────────────────────────────────────────────────────────


async def new(router: Router, asked: Asked) -> JSON:
    name, info = asked.needed("model_name"), asked.body.get("model_info") or {}
    if not isinstance(info, dict):
        raise wrong("model_info: should be an object", "model_info")
    id = info.get("id") or str(uuid.uuid4())
    if not isinstance(id, str) or len(id) > LONGEST:
        raise wrong(f"model_info.id: should be a text of at most {LONGEST} characters", "id")
    if _served(router, id) is not None:
        raise wrong(f"Model with id={id} exists already: use /model/update", "id")
    at = iso(router.wall())
    info = {**info, "id": id, "created_at": at, "created_by": ADMIN, "updated_at": at}
    params = _params(asked.body.get("litellm_params"))
    entry: JSON = {"model_name": name, "litellm_params": params, "model_info": info}
    await router.added.change(lambda before: [*before, entry], lambda: _left_out(router, id))
    router.log.info("models", f"{name} was added ({id})")
    return _row(entry)


def _params(params: Any) -> JSON:
    """Raises CallerError that names the field."""
    if not isinstance(params, dict):
        raise wrong("litellm_params: should be an object with a model", "litellm_params")
    try:
        LiteLLMParams.model_validate(params)
    except pydantic.ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        field = ".".join(map(str, ("litellm_params", *first["loc"])))
        raise wrong(f"{field}: {first['msg']}", field) from None
    return params


def _served(router: Router, id: str) -> Deployment | None:
    every = router.generation.groups.deployments.values()
    return next((one for served in every for one in served if one.id == id), None)


def _left_out(router: Router, id: str) -> str:
    """Why a model that is in the file is not served; "" where it is."""
    if _served(router, id) is not None:
        return ""
    where = str(router.home.litellm_models)
    said = [
        finding.detail
        for finding in router.generation.findings
        if finding.state == "problem" and finding.where.startswith(where)
    ]
    return f"this model cannot be served: {said[-1] if said else 'it was left out'}"


def _row(entry: JSON) -> JSON:
    """As LiteLLM's table has it."""
    info = entry["model_info"]
    return {
        "model_id": info["id"],
        "model_name": entry["model_name"],
        "litellm_params": _shown(entry["litellm_params"]),
        "model_info": info,
        "created_at": info.get("created_at"),
        "created_by": info.get("created_by"),
        "updated_at": info.get("updated_at"),
        "updated_by": info.get("created_by"),
    }


def _meant(router: Router, asked: Asked) -> JSON:
    """The added model that is named: in the path, as `id`, or in model_info."""
    info = asked.body.get("model_info")
    named = info.get("id") if isinstance(info, dict) else None
    id = asked.one("model_id") or asked.body.get("id") or asked.body.get("model_id") or named
    for entry in router.added.entries():
        if entry["model_info"]["id"] == id:
            return entry
    if isinstance(id, str) and _served(router, id) is not None:
        raise wrong(
            "Can't edit model. Model in config. Store model in db via `/model/new`. to edit.", "id"
        )
    raise wrong(f"Model with id={str(id)[:LONGEST]} not found in db", "id")


async def update(router: Router, asked: Asked) -> JSON:
    """What the body does not name stays as it is; null takes a field away."""
    before = _meant(router, asked)
    id, name, body = before["model_info"]["id"], before["model_name"], asked.body
    params = {**before["litellm_params"], **(body.get("litellm_params") or {})}
    told = body.get("model_info") if isinstance(body.get("model_info"), dict) else {}
    after: JSON = {
        "model_name": asked.needed("model_name") if body.get("model_name") else name,
        "litellm_params": _params({k: v for k, v in params.items() if v is not None}),
        "model_info": {
            **before["model_info"], **(told or {}), "id": id, "updated_at": iso(router.wall()),
        },
    }  # fmt: skip

    def replaced(entries: list[JSON]) -> list[JSON]:
        return [after if one["model_info"]["id"] == id else one for one in entries]

    await router.added.change(replaced, lambda: _left_out(router, id))
    router.log.info("models", f"{after['model_name']} was changed ({id})")
    return _row(after)


async def delete(router: Router, asked: Asked) -> JSON:
    gone = _meant(router, asked)
    id = gone["model_info"]["id"]
    await router.added.change(
        lambda before: [one for one in before if one["model_info"]["id"] != id]
    )
    router.log.info("models", f"{gone['model_name']} was removed ({id})")
    return {"message": f"Model: {id} deleted successfully"}


ROUTES: dict[str, Route] = {
    "GET /model/info": Route(info, anyone=True),
    "GET /v1/model/info": Route(info, anyone=True),
    "GET /v2/model/info": Route(info, anyone=True),
    "GET /model_group/info": Route(groups, anyone=True),
    "POST /model/new": Route(new, changes=True),
    "POST /model/update": Route(update, changes=True),
    "PATCH /model/{model_id}/update": Route(update, changes=True),
    "POST /model/delete": Route(delete, changes=True),
}
