"""Money summed: totals, budgets, lines of a bill. Simulated and real never share a sum."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from router.contract.usage import Spend, Tokens


class Totals(Struct, frozen=True, gc=False):
    """Sums of real traffic; `simulated_*` are kept apart and never added to them."""

    requests: int = 0
    errors: int = 0
    tokens: Tokens = Tokens()
    cost: int = 0
    unpriced: int = 0  # attempts whose price is unknown: cost is then a lower bound
    simulated_requests: int = 0
    simulated_cost: int = 0


class BudgetView(Struct, frozen=True, gc=False):
    """What somebody may spend, and has. Money in nano-dollars."""

    scope: str  # "house", "key", "team", "user", "model", "session", …
    name: str  # of it; "" for the house
    period: str  # "day", "30d", "forever"
    limit: int | None
    soft: int | None
    spent: int
    held: int  # for requests that run
    resets_at: float | None
    per_hour: int = 0  # in this period so far
    #: when it is spent at that rate, where that is before it resets
    runs_out_at: float | None = None
    state: Literal["ok", "soft", "over"] = "ok"


class CostLine(Struct, frozen=True, gc=False):
    """Sums over one group. Simulated and real traffic never share a line.

    Tokens and money are those of every attempt under its own model, so that a provider's line is
    its bill; a request is counted with its last attempt. The sums over all lines of any grouping
    are the same.
    """

    name: str  # "provider,model" or what it was grouped by
    simulated: bool
    requests: int
    errors: int
    tokens: Tokens
    cost: int
    unpriced: int  # attempts whose price is unknown
    attempts: int = 0
    spend: Spend = Spend()  # of `cost`

    @property
    def coverage(self) -> float | None:
        """The share of attempts whose price is known, 0…1; None where there were none."""
        return (self.attempts - self.unpriced) / self.attempts if self.attempts else None


class CostPoint(Struct, frozen=True, gc=False):
    """A line of one step of time, which begins at `at`."""

    at: float
    line: CostLine


class BranchLine(Struct, frozen=True, gc=False):
    """What one session (`agent` "") or one of its subagents used of one model."""

    session: str
    agent: str
    first_at: float
    last_at: float
    used: CostLine  # its name is the "provider,model"
