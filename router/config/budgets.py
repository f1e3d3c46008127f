"""Budgets of pointsman.toml, and the one of litellm_settings, as the router keeps them."""

from __future__ import annotations

from router.config.own import BudgetTable
from router.settings import Budget, Target

NANO = 1_000_000_000


def budgets(
    tables: tuple[BudgetTable, ...], litellm: tuple[float, str] | None
) -> tuple[Budget, ...]:
    """`litellm`: dollars and their duration, as LiteLLM's file bounds its whole proxy."""
    found = [
        Budget(
            table.scope,
            limit=None if table.limit is None else round(table.limit * NANO),
            soft=None if table.soft is None else round(table.soft * NANO),
            period=table.per,
            cheaper=Target.parse(table.cheaper),
        )
        for table in tables
    ]
    if litellm is not None:
        dollars, duration = litellm
        found.append(Budget("door:litellm", limit=round(dollars * NANO), period=duration))
    return tuple(found)
