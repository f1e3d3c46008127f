"""Budgets, as the header and the Costs screen tell them. Pure.

Its rule: what is spent, what may be, and when the one meets the other; an exceeded one is a word
and a shape, not only a colour.
"""

from __future__ import annotations

from collections.abc import Sequence

from console.text import NANO, age, fit, money, percent
from console.theme import Tone
from console.widgets.paint import Piece, Span
from router.contract import BudgetView

_CELLS = 10
_TONES: dict[str, Tone] = {"ok": "accent", "soft": "warn", "over": "bad"}
_PERIODS = {"day": "today", "forever": "in all"}


def of_the_house(budgets: Sequence[BudgetView]) -> BudgetView | None:
    """The house's own for a day: what the header's "today" is measured by."""
    return next((b for b in budgets if b.scope == "house" and b.period in ("day", "1d")), None)


def exceeded(budgets: Sequence[BudgetView]) -> int:
    return sum(budget.state == "over" for budget in budgets)


def allowed(nano: int | None) -> str:
    """A bound as a person sets it: whole dollars without their pennies, whole cents as such."""
    whole, rest = divmod(nano or 0, NANO)
    if rest and rest % (NANO // 100) == 0:
        return f"${whole:,}.{rest * 100 // NANO:02d}"
    return money(nano) if rest or nano is None else f"${whole:,}"


def line(budget: BudgetView, now: float, room: int) -> list[Piece]:
    """One budget in at most `room` cells: who, a bar, how much of how much, how long yet."""
    name = fit(f"{budget.scope} {budget.name}".strip(), 18, middle=True)
    bound = budget.limit if budget.limit is not None else budget.soft
    part = (budget.spent + budget.held) / bound if bound else 1.0
    tone = _TONES[budget.state]
    full = min(round(part * _CELLS), _CELLS) or (1 if part else 0)
    said: list[Piece] = [
        Span(f"{name} "),
        Span("━" * full, tone),
        Span("╌" * (_CELLS - full), "muted"),
        Span(f" {percent(part):>5} ", tone if budget.state != "ok" else ""),
        Span(f"{money(budget.spent)}", "strong"),
        Span(f" of {allowed(bound)} {_PERIODS.get(budget.period, budget.period)}", "muted"),
    ]
    for more in (*_ends(budget, now), *_holds(budget)):
        if sum(len(p.text if isinstance(p, Span) else p) for p in (*said, more)) <= room:
            said.append(more)
    return said


def _ends(budget: BudgetView, now: float) -> list[Span]:
    """How it is with time: the nearer of its end and its renewal first."""
    resets = budget.resets_at
    again = [] if resets is None else [Span(f"   anew in {age(resets - now)}", "muted")]
    if budget.state == "over":
        return [Span("   ✗ spent", "bad"), *again]
    if budget.runs_out_at is not None:
        return [Span(f"   ≈ spent in {age(budget.runs_out_at - now)}", "warn"), *again]
    return again


def _holds(budget: BudgetView) -> list[Span]:
    return [Span(f"   {money(budget.held)} held", "muted")] if budget.held else []
