"""Every account that money is spent from, and every rate: opened, changed, found, closed.

One rule: what an account begins with is the ledger's own sum, to the nano-dollar; it is asked at a
start, where budgets changed, and where history was priced anew.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING, Literal, Protocol

from router.caller import user_of
from router.record import Record
from router.spending.account import Account
from router.spending.budgets import Budgets, Sums
from router.spending.period import QUARTER, parse
from router.spending.rates import Rates
from router.spending.register import Keeper, Register, Terms, model_budgets
from router.spending.words import NANO

if TYPE_CHECKING:
    from storage.spent import Asking

#: who has terms of their own
Owner = Literal["key", "team", "user", "member", "customer", "organization"]
#: what the ledger knows them by: an organization by its teams, a member of one by their keys in it,
#: a customer as who is asked for
_COLUMNS: dict[Owner, Asking] = {
    **{"key": "key", "team": "team", "user": "user"},
    **{"member": "key", "customer": "user", "organization": "team"},
}


class Books(Keeper, Sums, Protocol):
    """What the ledger keeps and answers (storage.writer.Ledger)."""

    def spent_on(self, kind: Asking, since: float) -> dict[tuple[str, str], int]: ...


class Accounts:
    """By whose they are: ("key", name), ("key", name, model). `wall` gives Unix seconds."""

    def __init__(self, books: Books, register: Register, wall: Callable[[], float]) -> None:
        self._books = books
        self._register = register
        self._wall = wall
        self.budgets = Budgets(books, wall)
        self._accounts: dict[tuple[str, ...], Account] = {}
        self._rates: dict[tuple[str, ...], Rates] = {}
        #: whom the ledger's name of a user means
        self._customers: dict[str, str] = {}
        #: what the ledger answered, while many are opened at once
        self._told: dict[tuple[Asking, float], dict[str, int]] = {}
        for kind, name, terms in self.owners():
            self.open(kind, name, terms, known=True)
        self._told.clear()

    def __bool__(self) -> bool:
        return bool(len(self._register) or self.budgets)

    def owners(self) -> Iterable[tuple[Owner, str, Terms]]:
        """Everybody with terms of their own, by the name of their account."""
        register = self._register
        yield from (("key", one.name, one) for one in register.keys.values())
        yield from (("user", id, one) for id, one in register.users.items())
        yield from (("team", id, one) for id, one in register.teams.items())
        yield from (("member", id, one) for id, one in register.members.items())
        yield from (("customer", id, one) for id, one in register.customers.items())
        yield from (("organization", id, one) for id, one in register.organizations.items())

    def reread(self) -> None:
        """After history was priced anew. On the loop, so that no request ends meanwhile: waits for
        the disk, some milliseconds."""
        self._books.flush(1.0)
        self._told.clear()
        self.budgets.reread()
        for kind, name, terms in self.owners():
            if (one := self.account(kind, name)) is not None:
                one.spent = self._begins(kind, name, terms, one.start)
            for model in model_budgets(self._register.terms(terms)):
                one = self._accounts.get((kind, name, model))
                if one is not None:
                    one.roll(self._wall())
                    one.spent = self._on(kind, name, model, one)
        self._told.clear()

    def open(self, kind: Owner, name: str, own: Terms, *, known: bool = False) -> None:
        """Takes over somebody's terms; what was spent stays. `known`: the ledger is asked for
        that."""
        terms, at = self._register.terms(own), self._wall()
        account = Account(
            kind,
            name,
            parse(terms.budget_duration),
            at,
            limit=_nano(terms.max_budget),
            soft=_nano(terms.soft_budget),
            anchor=terms.created_at,
        )
        before = self._accounts.get((kind, name))
        if before is not None:
            if before.start == account.start:
                account.spent, account.warned = before.spent, before.warned
            else:
                self._books.flush(1.0)
                self._told.clear()
                account.spent = self._since(kind, name, account.start)
            before.become(account)
            account = before
        elif known:
            account.spent = self._begins(kind, name, own, account.start)
        self._accounts[(kind, name)] = account
        if kind == "customer":
            self._customers[user_of(name)] = name
        rates = self._rates.setdefault((kind, name), Rates())
        rates.rpm, rates.tpm = terms.rpm_limit, terms.tpm_limit
        rates.parallel = terms.max_parallel_requests
        self._open_models(kind, name, terms, at, known)

    def _open_models(self, kind: Owner, name: str, terms: Terms, at: float, known: bool) -> None:
        budgets = model_budgets(terms)
        for key in [key for key in self._accounts if key[:2] == (kind, name) and len(key) == 3]:
            if key[2] not in budgets:
                del self._accounts[key]
        for model, (dollars, duration) in budgets.items():
            account = self._accounts.get((kind, name, model))
            fresh = Account(
                f"{kind} model",
                f"{name} {model}",
                parse(duration),
                at,
                limit=_nano(dollars),
                anchor=terms.created_at,
            )
            if account is not None:
                account.limit = fresh.limit
                continue
            if known:
                fresh.spent = self._on(kind, name, model, fresh)
            self._accounts[(kind, name, model)] = fresh
        limits = {
            model: (
                (terms.model_rpm_limit or {}).get(model),
                (terms.model_tpm_limit or {}).get(model),
            )
            for model in {*(terms.model_rpm_limit or {}), *(terms.model_tpm_limit or {})}
        }
        for key in [key for key in self._rates if key[:2] == (kind, name) and len(key) == 3]:
            if key[2] not in limits:
                del self._rates[key]
        for model, (rpm, tpm) in limits.items():
            rates = self._rates.setdefault((kind, name, model), Rates())
            rates.rpm, rates.tpm = rpm, tpm

    def close(self, kind: Owner, name: str) -> None:
        """Of one that is no more. What runs still settles with the accounts that it holds."""
        for found in (self._accounts, self._rates):
            for key in [key for key in found if key[:2] == (kind, name)]:
                del found[key]
        if kind == "customer":
            self._customers.pop(user_of(name), None)

    def _begins(self, kind: Owner, name: str, own: Terms, start: float) -> int:
        opened = own.opened if own.opened_at >= start else 0
        return self._since(kind, name, start) + opened

    def _since(self, kind: Owner, name: str, since: float) -> int:
        column = _COLUMNS[kind]
        if (column, since) not in self._told:
            self._told[column, since] = self._books.spent(column, since)
        told = self._told[column, since]
        return sum(told.get(one, 0) for one in self._names(kind, name))

    def _on(self, kind: Owner, name: str, model: str, account: Account) -> int:
        if account.until is not None and account.until - account.start < QUARTER:
            return 0  # the ledger's sums have no smaller parts
        told = self._books.spent_on(_COLUMNS[kind], account.start)
        return sum(told.get((one, model), 0) for one in self._names(kind, name))

    def spent_by(self, key: str, since: float) -> int:
        """What the ledger has of one key. Waits for the disk, some milliseconds."""
        self._books.flush(1.0)
        return self._books.spent("key", since).get(key, 0)

    def _names(self, kind: Owner, name: str) -> list[str]:
        """What the ledger calls them."""
        if kind == "customer":
            return [user_of(name)]
        if kind == "member":
            return [key.name for key in self._register.keys.values() if key.member == name]
        if kind != "organization":
            return [name]
        return [id for id, team in self._register.teams.items() if team.organization_id == name]

    # ── found ─────────────────────────────────────────────────────────────────────────────────

    def account(self, kind: Owner, name: str) -> Account | None:
        """Of somebody with terms, in its window of now."""
        account = self._accounts.get((kind, name))
        if account is not None:
            account.roll(self._wall())
        return account

    def of(self, record: Record, provider: str, model: str) -> list[Account]:
        """The accounts that a request for a model at a provider is spent from."""
        at, found = self._wall(), list[Account]()
        for owner, id in self.payers(record):
            for key in ((owner, id), (owner, id, record.asked)):
                if (account := self._accounts.get(key)) is not None:
                    account.roll(at)
                    found.append(account)
        found += self.budgets.of(record, provider, model)
        return found

    def payers(self, record: Record) -> list[tuple[Owner, str]]:
        """Who has terms of their own that may bound a request."""
        found: list[tuple[Owner, str]] = []
        if record.holder is not None:
            caller = record.caller
            found += [("key", caller.key), ("team", caller.team), ("user", record.user)]
            members = self._register.members
            if members and (name := record.holder.member) in members:
                found.append(("member", name))
            team = self._register.teams.get(caller.team)
            if team is not None and team.organization_id:
                found.append(("organization", team.organization_id))
        if (customer := self._customers.get(record.user)) is not None:
            found.append(("customer", customer))
        return found

    def rates_of(self, record: Record) -> list[tuple[str, Rates]]:
        found = [
            (f"{kind}: {name}", self._rates.get(place))
            for kind, name in self.payers(record)
            for place in ((kind, name), (kind, name, record.asked))
        ]
        return [(who, rates) for who, rates in found if rates is not None]

    def bounded(self) -> list[Account]:
        """All that have a bound, in their windows of now."""
        found = [
            account
            for account in (*self._accounts.values(), *self.budgets)
            if account.limit is not None or account.soft is not None
        ]
        for account in found:
            account.roll(self._wall())
        return found


def _nano(dollars: float | None) -> int | None:
    return None if dollars is None else round(dollars * NANO)
