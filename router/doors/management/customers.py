"""/customer/*, also as /end_user/*: those whom a request's own `user` field names.

One rule: the ledger knows one user of a request. Where a key belongs to a user of ours, that one
pays; a body's `user` counts where it does not.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

import msgspec

from router.doors.management import budgets, owners
from router.doors.management.asked import (
    Asked,
    Route,
    changed,
    fields,
    missing,
    shape,
    stored,
    wrong,
)
from router.messages import JSON
from router.spending.register import Customer

if TYPE_CHECKING:
    from router.service import Router


def told(router: Router, customer: Customer) -> JSON:
    budget = router.cashier.register.budgets.get(customer.budget_id or "")
    own: JSON = shape(router, "customer", customer.user_id, customer)
    limits = {name: own[name] for name in ("max_budget", "budget_duration", "budget_reset_at")}
    limits |= {name: own[name] for name in ("tpm_limit", "rpm_limit", "max_parallel_requests")}
    bounded = any(value is not None for value in limits.values())
    at = {name: own[name] for name in ("created_at", "updated_at")}
    table = {**at, **(budgets.told(budget) if budget is not None else {}), **limits}
    return {
        **own,
        "user_id": customer.user_id,
        "alias": customer.alias,
        "allowed_model_region": customer.allowed_model_region,
        "default_model": customer.default_model,
        "object_permission": None,
        "litellm_budget_table": table if bounded or budget is not None else None,
    }


def _meant(router: Router, id: str) -> Customer:
    return owners.meant(router, "customer", id, Customer)


def _one_budget(body: JSON) -> None:
    if body.get("max_budget") is not None and body.get("budget_id") is not None:
        raise wrong("Set either 'max_budget' or 'budget_id', not both.", "max_budget")


async def new(router: Router, asked: Asked) -> JSON:
    asked.needed("user_id")
    _one_budget(asked.body)
    customer = owners.new(router, asked, "customer", Customer)
    await stored(router)
    return told(router, customer)


async def info(router: Router, asked: Asked) -> JSON:
    return told(router, _meant(router, asked.one("end_user_id")))


async def listed(router: Router, asked: Asked) -> list[JSON]:
    return [told(router, one) for one in router.cashier.register.customers.values()]


async def update(router: Router, asked: Asked) -> JSON:
    customer = _meant(router, asked.needed("user_id"))
    _one_budget(asked.body)
    owners.named_budget(router, asked.body)
    customer = changed(customer, fields(asked.body, Customer))
    customer = owners.put(router, "customer", customer, asked.body)
    await stored(router)
    return told(router, customer)


async def delete(router: Router, asked: Asked) -> JSON:
    ids = asked.several("user_ids")
    known = router.cashier.register.customers
    if unknown := [id for id in ids if id not in known]:
        raise missing(f"End User Id(s)={', '.join(unknown)[:400]} do not exist in db")
    for id in ids:
        owners.drop(router, "customer", known[id])
    await stored(router)
    words = f"Successfully deleted customers with ids: {ids}"
    return {"deleted_customers": len(ids), "message": words}


async def block(router: Router, asked: Asked) -> JSON:
    """Also those of whom nothing was known before, as LiteLLM does."""
    for id in asked.several("user_ids"):
        if id not in router.cashier.register.customers:
            owners.new(router, asked._replace(body={"user_id": id}), "customer", Customer)
    return {"blocked_users": await _blocked(router, asked, blocked=True)}


async def unblock(router: Router, asked: Asked) -> JSON:
    await _blocked(router, asked, blocked=False)
    left = router.cashier.register.customers.values()
    return {"blocked_users": [one.user_id for one in left if one.blocked]}


async def _blocked(router: Router, asked: Asked, *, blocked: bool) -> list[JSON]:
    customers = [_meant(router, id) for id in asked.several("user_ids")]
    now = [
        owners.put(router, "customer", msgspec.structs.replace(one, blocked=blocked), {})
        for one in customers
    ]
    await stored(router)
    return [told(router, one) for one in now]


_OWN: dict[str, Route] = {
    "POST /customer/new": Route(new, changes=True),
    "GET /customer/info": Route(info),
    "GET /customer/list": Route(listed),
    "POST /customer/update": Route(update, changes=True),
    "POST /customer/delete": Route(delete, changes=True),
    "POST /customer/block": Route(block, changes=True),
    "POST /customer/unblock": Route(unblock, changes=True),
}
ROUTES = _OWN | {name.replace("/customer/", "/end_user/"): one for name, one in _OWN.items()}
