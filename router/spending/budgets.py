"""The configuration's budgets: each is one account, or one for everybody whom it is of.

One rule: an account that is opened later than its budget begins at nothing; whatever else there is
begins with the ledger's own sum (accounts.py).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from router.record import Record
from router.settings import Budget
from router.spending.account import Account
from router.spending.period import parse

if TYPE_CHECKING:
    from storage.spent import Spender

#: accounts that come and go with sessions: the oldest idle ones are forgotten beyond this
MOST = 50_000
#: by what the ledger sums up what a budget may be of
_SOURCES: dict[str, Spender] = {
    **{"house": "door", "door": "door", "provider": "model", "model": "model", "key": "key"},
    **{"team": "team", "user": "user", "project": "project", "session": "session"},
}


class Sums(Protocol):
    """What the ledger answers (storage.writer.Ledger)."""

    def flush(self, timeout: float) -> bool: ...

    def spent(self, kind: Spender, since: float) -> dict[str, int]: ...


class Budgets:
    """`wall` gives Unix seconds."""

    def __init__(self, sums: Sums, wall: Callable[[], float]) -> None:
        self._sums = sums
        self._wall = wall
        self._budgets: tuple[Budget, ...] = ()
        #: by the place of their budget, and whose they are
        self._accounts: dict[tuple[int, str], Account] = {}
        #: whether any budget is of a provider or a model
        self.by_target = False

    def __len__(self) -> int:
        return len(self._budgets)

    def __iter__(self) -> Iterator[Account]:
        return iter(self._accounts.values())

    def follow(self, budgets: tuple[Budget, ...]) -> None:
        """New ones begin with what the ledger has: that waits for the disk, some milliseconds, at a
        start and where a person has changed them."""
        if budgets == self._budgets:
            return
        self._sums.flush(1.0)
        held: dict[tuple[str, str, str], Account] = {}
        for (index, name), account in self._accounts.items():
            if account.held:
                held[self._budgets[index].scope, self._budgets[index].period, name] = account
        self._accounts, self._budgets = {}, budgets
        kinds = {budget.scope.partition(":")[0] for budget in budgets}
        self.by_target = not kinds.isdisjoint(("provider", "model"))
        for index, budget in enumerate(budgets):
            for name, cost in self._spent(budget).items():
                self._account(index, budget, name).spent += cost
            for (scope, period, name), before in held.items():
                if (scope, period) == (budget.scope, budget.period):
                    before.become(self._account(index, budget, name))
                    self._accounts[index, name] = before

    def reread(self) -> None:
        """After history was priced anew."""
        for index, budget in enumerate(self._budgets):
            spent = self._spent(budget)
            for (place, name), account in self._accounts.items():
                if place == index:
                    account.roll(self._wall())
                    account.spent = spent.get(name, 0)

    def of(self, record: Record, provider: str, model: str) -> Iterable[Account]:
        """The accounts that a request for a model at a provider is spent from."""
        caller = record.caller
        for index, budget in enumerate(self._budgets):
            kind, _, pattern = budget.scope.partition(":")
            name = {
                "house": "all",
                "key": caller.key,
                "team": caller.team,
                "user": record.user,
                "project": caller.project,
                "session": caller.session,
                "door": caller.door,
                "provider": provider,
                "model": f"{provider},{model}",
            }[kind]
            if not name or (pattern and not _fits(kind, pattern, name)):
                continue
            each = not pattern and kind != "house"
            yield self._account(index, budget, name if each else budget.scope)

    def _spent(self, budget: Budget) -> dict[str, int]:
        """In the window of now, by the names of the accounts of a budget."""
        kind, _, pattern = budget.scope.partition(":")
        since, _ = parse(budget.period).window(0.0, self._wall())
        each = not pattern and kind != "house"
        sums = {} if each else {budget.scope: 0}
        for line, cost in self._sums.spent(_SOURCES[kind], since).items():
            name = line.partition(",")[0] if kind == "provider" else line
            if kind != "house" and (not name or (pattern and not _fits(kind, pattern, name))):
                continue
            account = name if each else budget.scope
            sums[account] = sums.get(account, 0) + cost
        return sums

    def _account(self, index: int, budget: Budget, name: str) -> Account:
        """In its window of now."""
        at = self._wall()
        account = self._accounts.get((index, name))
        if account is None:
            if len(self._accounts) >= MOST:
                self._forget()
            kind, _, pattern = budget.scope.partition(":")
            account = Account(
                kind,
                name if name != budget.scope else pattern,
                parse(budget.period),
                at,
                limit=budget.limit,
                soft=budget.soft,
                cheaper=budget.cheaper,
            )
            self._accounts[index, name] = account
        account.roll(at)
        return account

    def _forget(self) -> None:
        """The oldest that have nothing held."""
        idle = [key for key, account in self._accounts.items() if not account.held]
        for key in idle[: MOST // 10]:
            del self._accounts[key]


def _fits(kind: str, pattern: str, name: str) -> bool:
    """A model is named with or without its provider."""
    names = (name, name.partition(",")[2]) if kind == "model" else (name,)
    several = pattern.split("|")
    return any(fnmatchcase(one, each) for one in names for each in several)
