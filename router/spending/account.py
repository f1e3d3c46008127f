"""One budget's arithmetic: money is held back before a request runs and settled after it. Pure.

One rule: a request may begin while what was spent and what is held are together below the limit.
So however many run at once, the limit is passed by at most the one request that was let in last.
"""

from __future__ import annotations

from router.messages import Request, Usage
from router.money import bill
from router.settings import Price, Target
from router.spending.period import Period

#: output tokens of a request that names no bound; and the most that is held back for one
TYPICAL, MOST = 4_096, 128_000


class Account:
    """What one spender has and has spent. Money in nano-dollars, times in Unix seconds.

    `limit` and `soft` None: there is none.
    """

    __slots__ = (
        "anchor",
        "cheaper",
        "held",
        "limit",
        "name",
        "period",
        "scope",
        "soft",
        "spent",
        "start",
        "until",
        "warned",
    )

    def __init__(
        self,
        scope: str,
        name: str,
        period: Period,
        at: float,
        *,
        limit: int | None = None,
        soft: int | None = None,
        cheaper: Target | None = None,
        anchor: float = 0.0,
    ) -> None:
        self.scope = scope  # "key", "team", "house", …
        self.name = name
        self.period = period
        self.limit = limit
        self.soft = soft
        self.cheaper = cheaper
        self.anchor = anchor
        self.start, self.until = period.window(anchor, at)
        self.spent = 0
        self.held = 0
        #: what was told of this window: "", "soft", "limit"
        self.warned = ""

    def roll(self, at: float) -> None:
        """Begins a new window where the last one has ended."""
        if self.until is not None and at >= self.until:
            self.start, self.until = self.period.window(self.anchor, at)
            self.spent, self.warned = 0, ""

    def become(self, other: Account) -> None:
        """Another in this very object: requests that run hold it, and release there what is
        held."""
        for name in self.__slots__:
            if name != "held":
                setattr(self, name, getattr(other, name))

    @property
    def exhausted(self) -> bool:
        """Nothing more is let in, for the time being or until the window ends."""
        return self.limit is not None and self.spent + self.held >= self.limit

    @property
    def over_soft(self) -> bool:
        return self.soft is not None and self.spent + self.held >= self.soft

    def charge(self, cost: int, began: float) -> None:
        """The cost of what began at a time. What began before the window is the last one's."""
        if began >= self.start:
            self.spent += cost

    def rate(self, at: float) -> float:
        """Nano-dollars per second, over the window so far; 0 where there is no window."""
        if self.until is None or at <= self.start:
            return 0.0
        return self.spent / max(at - self.start, 900.0)


class Hold:
    """Money held back for one request, in all the accounts that it is spent from."""

    __slots__ = ("accounts", "amount")

    def __init__(self, accounts: list[Account], amount: int) -> None:
        self.accounts = accounts
        self.amount = amount
        for account in accounts:
            account.held += amount

    def release(self) -> None:
        """Once, whatever happens; a second time does nothing."""
        for account in self.accounts:
            account.held -= self.amount
        self.accounts = []


def estimate(tokens: int, request: Request, price: Price) -> int:
    """What a request may cost at most, as far as that can be told; 0 where the price is unknown.

    Its prompt as if all of it were written to a cache, and all the output that it allows.
    """
    wanted = request.max_tokens if request.max_tokens is not None else TYPICAL
    many = request.extra.get("n")
    times = many if isinstance(many, int) and 0 < many <= 128 else 1
    output = min(max(wanted, 0), MOST) * times if price.output is not None else 0
    return bill(Usage(cache_write=tokens, output=output), price).cost or 0
