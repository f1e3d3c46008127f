"""Budgets of pointsman.toml, and those that LiteLLM's file names, as the router keeps them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from router.config.document import Document
from router.config.litellm_routing import Routing
from router.config.own import BudgetTable
from router.providers import litellm_kind
from router.settings import Budget, Target
from router.spending.period import parse

NANO = 1_000_000_000


def budgets(tables: tuple[BudgetTable, ...]) -> tuple[Budget, ...]:
    return tuple(
        Budget(
            table.scope,
            limit=None if table.limit is None else round(table.limit * NANO),
            soft=None if table.soft is None else round(table.soft * NANO),
            period=table.per,
            cheaper=Target.parse(table.cheaper),
        )
        for table in tables
    )


def of_litellm_file(
    document: Document, routing: Routing, named: Mapping[str, Sequence[str]]
) -> tuple[Budget, ...]:
    """Its whole proxy's (`max_budget`), its providers' (`provider_budget_config`) and each end
    user's (`max_end_user_budget`). `named`: what LiteLLM's providers are called here. Raises
    ConfigError for what is no duration."""
    found: list[Budget] = []
    if (dollars := routing.said("max_budget")) is not None:
        period = routing.said("budget_duration") or "forever"
        place = ("litellm_settings", "budget_duration")
        found.append(_budget(document, "door:litellm", dollars, period, *place))
    if (dollars := routing.said("max_end_user_budget")) is not None:
        place = ("litellm_settings", "max_end_user_budget")
        found.append(_budget(document, "user", dollars, "forever", *place))
    for name, told in routing.said("provider_budget_config").items():
        at = ("router_settings", "provider_budget_config", name)
        kind = litellm_kind(name)
        if told.budget_limit is None:
            raise document.error("needs a budget_limit, in dollars", *at)
        which = "|".join(named.get(kind.name, ()) if kind else ()) or name
        period = told.time_period or "forever"
        found.append(_budget(document, f"provider:{which}", told.budget_limit, period, *at))
    return tuple(found)


def _budget(
    document: Document, scope: str, dollars: float, period: str, *place: str | int
) -> Budget:
    try:
        parse(period)
    except ValueError as error:
        raise document.error(str(error), *place) from None
    return Budget(scope, limit=round(dollars * NANO), period=period)
