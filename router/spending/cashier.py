"""Who may run now, and on whose money: held back when a request is let in, settled at its end.

Lives on the router's loop and never waits. What was spent is in the ledger's rows and nowhere else:
at the start it is added up from them; what is held vanishes with the process that held it.
One rule: the ledger's sum and ours are the same for every account, to the nano-dollar.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Protocol

from msgspec.structs import replace

from router.contract import AlertKind, BudgetView, Look
from router.errors import CallerError
from router.prices import price
from router.record import Attempt, Record
from router.rules.plan import Case, Plan
from router.rules.targets import resolve
from router.settings import Budget, Generation, Target
from router.spending.access import may_use
from router.spending.account import Account, Hold, estimate
from router.spending.period import QUARTER, parse
from router.spending.rates import Rates
from router.spending.register import Keeper, Key, Register, Terms, model_budgets
from router.spending.words import NANO, NO_MORE, fullness, over, refused, said, told, too_fast, view

if TYPE_CHECKING:
    from storage.spent import Asking, Spender

#: accounts that come and go with sessions: the oldest idle ones are forgotten beyond this
MOST = 50_000
#: by what the ledger sums up what a budget may be of
_SOURCES: dict[str, Spender] = {
    **{"house": "door", "door": "door", "provider": "model", "model": "model", "key": "key"},
    **{"team": "team", "user": "user", "project": "project", "session": "session"},
}
Alert = Callable[[AlertKind, str, str], None]


class Books(Keeper, Protocol):
    """What the ledger answers (storage.writer.Ledger)."""

    def flush(self, timeout: float) -> bool: ...

    def spent(self, kind: Spender, since: float) -> dict[str, int]: ...

    def spent_on(self, kind: Asking, since: float) -> dict[tuple[str, str], int]: ...


class Entry:
    """One request that was let in: what is held for it, and whose rates it counts in."""

    __slots__ = ("at", "hold", "rates", "tokens")

    def __init__(self, hold: Hold, rates: list[Rates], at: float, tokens: int) -> None:
        self.hold = hold
        self.rates = rates
        self.at = at
        self.tokens = tokens
        for one in rates:
            one.enter(at, tokens)

    def leave(self, now: float, used: int) -> None:
        self.hold.release()
        for one in self.rates:
            one.leave(now, self.at, self.tokens, used)
        self.rates = []


class Cashier:
    """`on`: whether there is anything to look at. `alert(kind, subject, words)` tells people."""

    def __init__(self, books: Books, wall: Callable[[], float], alert: Alert) -> None:
        self._books = books
        self._wall = wall
        self._alert = alert
        self.register = Register(books)
        self._budgets: tuple[Budget, ...] = ()
        #: by what they are of: ("key", name), ("key", name, model), ("#0", name)
        self._accounts: dict[tuple[str, ...], Account] = {}
        self._rates: dict[tuple[str, ...], Rates] = {}
        self.on = False
        #: what the ledger answered, while many are opened at the start
        self._told: dict[tuple[Asking, float], dict[str, int]] = {}
        for kind, name, terms in self._spenders():
            self.open(kind, name, terms, known=True)
        self._told.clear()
        self._switch()

    # ── who there is ──────────────────────────────────────────────────────────────────────────

    def _spenders(self) -> Iterable[tuple[Asking, str, Terms]]:
        register = self.register
        yield from (("key", one.name, one) for one in register.keys.values())
        yield from (("user", id, one) for id, one in register.users.items())
        yield from (("team", id, one) for id, one in register.teams.items())

    def _switch(self) -> None:
        self.on = bool(len(self.register) or self._budgets)

    def follow(self, budgets: tuple[Budget, ...]) -> None:
        """The configuration's budgets. New ones begin with what the ledger has: that waits for the
        disk, some milliseconds, at a start and where a person has changed them."""
        if budgets == self._budgets:
            return
        self._books.flush(1.0)
        for key in [key for key in self._accounts if key[0].startswith("#")]:
            del self._accounts[key]
        self._budgets = budgets
        for index, budget in enumerate(budgets):
            self._open_budget(index, budget)
        self._switch()

    def _open_budget(self, index: int, budget: Budget) -> None:
        at, mark = self._wall(), f"#{index}"
        kind, _, pattern = budget.scope.partition(":")
        since, _ = parse(budget.period).window(0.0, at)
        each = not pattern and kind != "house"
        for line, cost in self._books.spent(_SOURCES[kind], since).items():
            name = line.partition(",")[0] if kind == "provider" else line
            if kind != "house" and (not name or (pattern and not _fits(kind, pattern, name))):
                continue
            account = self._configured(mark, budget, name if each else budget.scope, at)
            account.spent += cost
        if not each:
            self._configured(mark, budget, budget.scope, at)

    def _configured(self, mark: str, budget: Budget, name: str, at: float) -> Account:
        account = self._accounts.get((mark, name))
        if account is None:
            if len(self._accounts) >= MOST:
                self._forget()
            kind = budget.scope.partition(":")[0]
            account = Account(
                kind,
                name if name != budget.scope else budget.scope.partition(":")[2],
                parse(budget.period),
                at,
                limit=budget.limit,
                soft=budget.soft,
                cheaper=budget.cheaper,
            )
            self._accounts[(mark, name)] = account
        account.roll(at)
        return account

    def _forget(self) -> None:
        """The oldest of those that come by themselves and have nothing held."""
        idle = [key for key, one in self._accounts.items() if key[0][0] == "#" and not one.held]
        for key in idle[: MOST // 10]:
            del self._accounts[key]

    def open(self, kind: Asking, name: str, own: Terms, *, known: bool = False) -> None:
        """Takes over the terms of a key, user or team; what it has spent stays. `known`: the ledger
        is asked for that."""
        terms, at = self.register.terms(own), self._wall()
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
            account.held = before.held  # those that run go on, and release it here
            if before.start == account.start:
                account.spent, account.warned = before.spent, before.warned
            else:
                self._books.flush(1.0)
                self._told.clear()
                account.spent = self._since(kind, name, account.start)
            _takeover(before, account)
            account = before
        elif known:
            account.spent = self._since(kind, name, account.start)
            if own.opened_at >= account.start:
                account.spent += own.opened
        self._accounts[(kind, name)] = account
        rates = self._rates.setdefault((kind, name), Rates())
        rates.rpm, rates.tpm = terms.rpm_limit, terms.tpm_limit
        rates.parallel = terms.max_parallel_requests
        self._open_models(kind, name, terms, at, known)
        self._switch()

    def _open_models(self, kind: Asking, name: str, terms: Terms, at: float, known: bool) -> None:
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
            if known and (fresh.until is None or fresh.until - fresh.start >= QUARTER):
                told = self._books.spent_on(kind, fresh.start)
                fresh.spent = told.get((name, model), 0)
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

    def close(self, kind: Asking, name: str) -> None:
        """Of one that is no more. What runs still settles with the accounts that it holds."""
        for found in (self._accounts, self._rates):
            for key in [key for key in found if key[:2] == (kind, name)]:
                del found[key]
        self._switch()

    def _since(self, kind: Asking, name: str, since: float) -> int:
        if (kind, since) not in self._told:
            self._told[kind, since] = self._books.spent(kind, since)
        return self._told[kind, since].get(name, 0)

    def account(self, kind: Asking, name: str) -> Account | None:
        """Of a key, user or team, in its window of now."""
        account = self._accounts.get((kind, name))
        if account is not None:
            account.roll(self._wall())
        return account

    # ── at the door ───────────────────────────────────────────────────────────────────────────

    def find(self, key: str) -> Key | None:
        return self.register.find(key) if self.on and key else None

    def check(self, key: Key, path: str) -> None:
        """Raises CallerError where a key opens nothing now."""
        if key.blocked:
            raise refused(
                "Authentication Error, Key is blocked. Update via `/key/unblock` if you're admin.",
                401,
                "auth_error",
            )
        at = self._wall()
        if key.expires is not None and at >= key.expires:
            raise CallerError(
                f"Authentication Error - Expired Key. Key Expiry time {told(key.expires)} and"
                f" current time {told(at)}",
                status=401,
                kind="credential",
                code="expired_key",
                param=key.key_name,
                headers=(NO_MORE,),
            )
        if key.allowed_routes and not any(_route(one, path) for one in key.allowed_routes):
            raise refused(
                f"Virtual key is not allowed to call this route. Only allowed to call routes:"
                f" {key.allowed_routes}. Tried to call route: {path}",
                403,
                "auth_error",
            )
        for kind, id in (("team", key.team_id), ("user", key.user_id)):
            terms = (self.register.teams if kind == "team" else self.register.users).get(id or "")
            if terms is not None and terms.blocked:
                raise refused(
                    f"Authentication Error, {kind.title()}={id} is blocked. Update via"
                    f" `/{kind}/unblock` if you're admin.",
                    401,
                    "auth_error",
                )

    # ── when it is known what a request is for ────────────────────────────────────────────────

    def admit(self, record: Record, case: Case, plan: Plan) -> Plan:
        """Lets a request in, holding its money back; the plan of a cheaper model where a budget
        asks for that. Raises CallerError."""
        at, key = self._wall(), record.holder
        if key is not None:
            self._may_ask(key, record, plan, case.generation)
        accounts = self._of(record, plan.candidates[0].provider.name, plan.candidates[0].model, at)
        cheaper = next((one for one in accounts if one.cheaper and one.over_soft), None)
        if cheaper is not None and plan.rule != "external":  # a real LiteLLM chooses by itself
            plan = self._moved(record, case, plan, cheaper)
            first = plan.candidates[0]
            accounts = self._of(record, first.provider.name, first.model, at)
        for account in accounts:
            if account.exhausted:
                self._tell(account, at)
                raise over(account, at)
            if account.over_soft:
                self._tell(account, at)
                record.problems = (*record.problems, said(account))
        rates = self._rates_of(record) if key is not None else []
        for who, one in rates:
            if (exceeded := one.exceeded(at)) is not None:
                raise too_fast(who, exceeded, at)
        tokens = record.facts.tokens
        amount = max(
            (
                estimate(tokens, case.request, price(one.provider, one.model, case.generation))
                for one in plan.candidates
                if not one.provider.simulated
            ),
            default=0,
        )
        record.entry = Entry(Hold(accounts, amount), [one for _, one in rates], at, tokens)
        return plan

    def _may_ask(self, key: Key, record: Record, plan: Plan, generation: Generation) -> None:
        """By the name that was asked for, and by what an explicit choice leads to."""
        first = plan.candidates[0]
        chosen = f"{first.provider.name},{first.model}"
        team = self.register.teams.get(key.team_id or "")
        for who, models in (("key", key.models), ("team", team.models if team else [])):
            allowed = may_use(models, record.asked, generation.groups)
            asked = record.asked
            if allowed and plan.rule in ("header", "/model"):
                allowed = any(
                    may_use(models, name, generation.groups) for name in (chosen, first.model)
                )
                asked = chosen
            if not allowed:
                raise CallerError(
                    f"{who} not allowed to access model. This {who} can only access"
                    f" models={models}. Tried to access {asked[:200]}",
                    status=403,
                    kind="credential",
                    code=f"{who}_model_access_denied",
                    param="model",
                    headers=(NO_MORE,),
                )

    def _of(self, record: Record, provider: str, model: str, at: float) -> list[Account]:
        """The accounts that a request for a model at a provider is spent from."""
        found: list[Account] = []
        caller = record.caller
        if record.holder is not None:
            for kind, name in (("key", caller.key), ("team", caller.team), ("user", record.user)):
                found += self._kept(kind, name, record.asked, at)
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
            found.append(self._configured(f"#{index}", budget, name if each else budget.scope, at))
        return found

    def _kept(self, kind: str, name: str, asked: str, at: float) -> list[Account]:
        found = [self._accounts.get((kind, name)), self._accounts.get((kind, name, asked))]
        accounts = [one for one in found if one is not None]
        for account in accounts:
            account.roll(at)
        return accounts

    def _rates_of(self, record: Record) -> list[tuple[str, Rates]]:
        caller = record.caller
        names = (("key", caller.key), ("team", caller.team), ("user", record.user))
        found = [
            (f"{kind}: {name}", self._rates.get(place))
            for kind, name in names
            for place in ((kind, name), (kind, name, record.asked))
        ]
        return [(who, rates) for who, rates in found if rates is not None]

    def _moved(self, record: Record, case: Case, plan: Plan, account: Account) -> Plan:
        """To the cheaper model of a budget that is nearly spent."""
        assert account.cheaper is not None
        first = plan.candidates[0]
        if account.cheaper in (Target(first.provider.name, first.model), Target.parse(plan.value)):
            return plan
        found = resolve(case, account.cheaper, "budget")
        if not found.candidates:
            record.problems = (*record.problems, f"budget: {found.problem}")
            return plan
        look = Look("budget", said(account), hit=True, target=str(account.cheaper))
        record.rule, record.value = "budget", said(account)
        record.looks = (*plan.looks, look)
        return replace(
            plan, candidates=found.candidates, rule="budget", value=look.value, looks=record.looks
        )

    # ── when it has ended ─────────────────────────────────────────────────────────────────────

    def settle(self, record: Record) -> None:
        """Releases what was held and charges what was used: once, however the request ended."""
        at = self._wall()
        if record.entry is not None:
            record.entry.leave(at, record.tokens.prompt + record.tokens.output)
            record.entry = None
        for attempt in record.attempts:
            self._charge(record, attempt, at)

    def _charge(self, record: Record, attempt: Attempt, at: float) -> None:
        provider, cost = attempt.candidate.provider, attempt.cost
        if provider.simulated:
            return
        if cost is None:
            self._alert(
                "unpriced",
                f"{provider.name},{attempt.candidate.model}",
                "has no known price: what it costs is in no budget",
            )
            return
        if not cost:
            return
        for account in self._of(record, provider.name, attempt.candidate.model, at):
            account.charge(cost, record.started_at)
            if account.over_soft or account.exhausted:
                self._tell(account, at)

    def _tell(self, account: Account, at: float) -> None:
        """Once for each window and each of its two bounds."""
        level = "limit" if account.limit is not None and account.spent >= account.limit else ""
        level = level or ("soft" if account.over_soft else "")
        if not level or account.warned in (level, "limit"):
            return
        account.warned = level
        self._alert(
            "budget",
            f"{account.scope} {account.name}".strip(),
            said(account).partition(": ")[2]
            + (f", resets {told(account.until)}" if account.until else ""),
        )

    # ── for people ────────────────────────────────────────────────────────────────────────────

    def views(self, most: int = 50) -> tuple[BudgetView, ...]:
        """Those with a bound, the fullest first."""
        if not self.on:
            return ()
        at = self._wall()
        found = [
            account
            for account in self._accounts.values()
            if account.limit is not None or account.soft is not None
        ]
        for account in found:
            account.roll(at)
        found.sort(key=fullness, reverse=True)
        return tuple(view(account, at) for account in found[:most])


def _takeover(before: Account, account: Account) -> None:
    """Into the same object: requests that run hold it."""
    for name in Account.__slots__:
        setattr(before, name, getattr(account, name))


def _fits(kind: str, pattern: str, name: str) -> bool:
    """A model is named with or without its provider."""
    names = (name, name.partition(",")[2]) if kind == "model" else (name,)
    return any(fnmatchcase(one, pattern) for one in names)


def _nano(dollars: float | None) -> int | None:
    return None if dollars is None else round(dollars * NANO)


def _route(allowed: str, path: str) -> bool:
    """LiteLLM's groups of routes, a path, or a path with a wildcard."""
    if allowed in ("llm_api_routes", "openai_routes", "anthropic_routes"):
        return not path.startswith(("/key", "/user", "/team", "/budget", "/global", "/spend"))
    if allowed in ("management_routes", "info_routes"):
        return path.startswith(("/key", "/user", "/team", "/budget", "/model"))
    return fnmatchcase(path, allowed)
