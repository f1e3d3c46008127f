"""/budget/*: terms with a name, which keys, users and teams share by naming it.

One rule: each of them has the whole budget for itself; what they say themselves goes first.
"""

from __future__ import annotations

import uuid
from typing import TYPE_CHECKING

from router.doors.management.asked import (
    ADMIN,
    Asked,
    Route,
    changed,
    fields,
    iso,
    made,
    missing,
    stored,
    wrong,
)
from router.messages import JSON
from router.spending.register import BudgetTerms

if TYPE_CHECKING:
    from router.service import Router


def told(budget: BudgetTerms) -> JSON:
    names = (
        *("budget_id", "max_budget", "soft_budget", "max_parallel_requests", "tpm_limit"),
        *("rpm_limit", "model_max_budget", "budget_duration", "created_by"),
    )
    at = {"created_at": iso(budget.created_at), "updated_at": iso(budget.updated_at)}
    return {name: getattr(budget, name) for name in names} | at


async def new(router: Router, asked: Asked) -> JSON:
    id, at = asked.body.get("budget_id") or str(uuid.uuid4()), router.wall()
    if id in router.cashier.register.budgets:
        raise wrong(f"budget_id={id} exists already: use /budget/update", "budget_id")
    values = {**fields(asked.body, BudgetTerms), "budget_id": id}
    budget = made({**values, "created_at": at, "updated_at": at, "created_by": ADMIN}, BudgetTerms)
    router.cashier.register.put("budget", id, budget)
    await stored(router)
    return told(budget)


def _meant(router: Router, id: str) -> BudgetTerms:
    budget = router.cashier.register.budgets.get(id)
    if budget is None:
        raise missing(f"Budget {id[:200]} not found")
    return budget


async def update(router: Router, asked: Asked) -> JSON:
    id = asked.needed("budget_id")
    values = {**fields(asked.body, BudgetTerms), "updated_at": router.wall()}
    budget = changed(_meant(router, id), values)
    router.cashier.register.put("budget", id, budget)
    _reopen(router, id)
    await stored(router)
    return told(budget)


def _reopen(router: Router, id: str) -> None:
    """Those that name it have its new terms at once."""
    for kind, name, terms in router.cashier.accounts.owners():
        if terms.budget_id == id:
            router.cashier.open(kind, name, terms)


async def delete(router: Router, asked: Asked) -> JSON:
    id = asked.needed("id")
    budget = _meant(router, id)
    router.cashier.register.drop("budget", id)
    _reopen(router, id)
    await stored(router)
    return told(budget)


async def info(router: Router, asked: Asked) -> list[JSON]:
    return [told(_meant(router, id)) for id in asked.several("budgets")]


async def listed(router: Router, asked: Asked) -> list[JSON]:
    return [told(budget) for budget in router.cashier.register.budgets.values()]


ROUTES: dict[str, Route] = {
    "POST /budget/new": Route(new, changes=True),
    "POST /budget/update": Route(update, changes=True),
    "POST /budget/delete": Route(delete, changes=True),
    "POST /budget/info": Route(info),
    "GET /budget/list": Route(listed),
}
