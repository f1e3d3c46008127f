"""Who may run now, and on whose money: held back when a request is let in, settled at its end.

Lives on the router's loop and never waits. What was spent is in the ledger's rows and nowhere else:
at the start it is added up from them; what is held vanishes with the process that held it.
One rule: the ledger's sum and ours are the same for every account, to the nano-dollar.
"""

from __future__ import annotations

from collections.abc import Callable
from fnmatch import fnmatchcase

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
from router.spending.accounts import Accounts, Books, Owner
from router.spending.rates import Rates
from router.spending.register import Key, Register, Terms
from router.spending.words import (
    NO_MORE,
    fullness,
    over,
    reached,
    refused,
    said,
    told,
    too_fast,
    view,
)
from router.wishes import others as fallbacks

Alert = Callable[[AlertKind, str, str], None]


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
        self._wall = wall
        self._alert = alert
        self.register = Register(books)
        self.accounts = Accounts(books, self.register, wall)
        self.on = bool(self.accounts)

    # ── who there is ──────────────────────────────────────────────────────────────────────────

    def follow(self, budgets: tuple[Budget, ...]) -> None:
        """The configuration's budgets."""
        self.accounts.budgets.follow(budgets)
        self.on = bool(self.accounts)

    def open(self, kind: Owner, name: str, terms: Terms) -> None:
        """Takes over somebody's terms: they hold for the next request."""
        self.accounts.open(kind, name, terms)
        self.on = bool(self.accounts)

    def close(self, kind: Owner, name: str) -> None:
        """Of one that is no more."""
        self.accounts.close(kind, name)
        self.on = bool(self.accounts)

    def account(self, kind: Owner, name: str) -> Account | None:
        return self.accounts.account(kind, name)

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
        if key is not None or self.register.customers:
            self._may_ask(key, record, plan, case.generation)
        if self.accounts.budgets.by_target:
            plan = self._affordable(record, plan)
        accounts = self._of(record, plan)
        cheaper = next((one for one in accounts if one.cheaper and one.over_soft), None)
        if cheaper is not None and plan.rule != "external":  # a real LiteLLM chooses by itself
            plan = self._moved(record, case, plan, cheaper)
            accounts = self._of(record, plan)
        for account in accounts:
            if account.exhausted:
                self._tell(account, at)
                raise over(account, at)
            if account.over_soft:
                self._tell(account, at)
                record.problems = (*record.problems, said(account))
        rates = self.accounts.rates_of(record)
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
        if any(account.limit is not None for account in accounts):
            record.keep_at = 0.0  # at the next look: what it has used by then survives a crash
        record.entry = Entry(Hold(accounts, amount), [one for _, one in rates], at, tokens)
        return plan

    def _of(self, record: Record, plan: Plan) -> list[Account]:
        first = plan.candidates[0]
        return self.accounts.of(record, first.provider.name, first.model)

    def _affordable(self, record: Record, plan: Plan) -> Plan:
        """Without the candidates whose own budget (a provider's, a model's) is spent, where others
        are left: those answer instead, as with LiteLLM's provider budgets."""
        left = tuple(
            one
            for one in plan.candidates
            if not any(
                account.exhausted and account.scope in ("provider", "model")
                for account in self.accounts.of(record, one.provider.name, one.model)
            )
        )
        if len(left) in (0, len(plan.candidates)):
            return plan
        return replace(plan, candidates=left)

    def _may_ask(self, key: Key | None, record: Record, plan: Plan, generation: Generation) -> None:
        """By the names that were asked for, a request's own fallbacks too, and by what an explicit
        choice leads to."""
        first = plan.candidates[0]
        chosen = f"{first.provider.name},{first.model}"
        others = (one if isinstance(one, str) else one.model for one in fallbacks(record.wishes))
        named = (record.asked, *others)
        lists = {"key": key.models if key is not None else []}
        for kind, name in self.accounts.payers(record):
            terms = None if kind in ("key", "user") else self.register.of(kind, name)
            if terms is not None:
                lists["org" if kind == "organization" else kind] = terms.models
            if kind == "customer" and terms is not None and terms.blocked:
                raise refused(
                    f"Authentication Error, End User={name} is blocked. Update via"
                    " `/customer/unblock` if you're admin.",
                    401,
                    "auth_error",
                )
        for who, models in lists.items():
            asked = next((n for n in named if not may_use(models, n, generation.groups)), None)
            if asked is None and plan.rule in ("header", "/model"):
                may = (may_use(models, name, generation.groups) for name in (chosen, first.model))
                asked = None if any(may) else chosen
            if asked is not None:
                raise CallerError(
                    f"{who} not allowed to access model. This {who} can only access"
                    f" models={models}. Tried to access {asked[:200]}",
                    status=403,
                    kind="credential",
                    code=f"{who}_model_access_denied",
                    param="model",
                    headers=(NO_MORE,),
                )

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
        if not cost:
            return
        for account in self.accounts.of(record, provider.name, attempt.candidate.model):
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
        whose = f"{account.scope} {account.name}".strip()
        self._alert("budget", whose, reached(account, level))

    # ── for people ────────────────────────────────────────────────────────────────────────────

    def views(self, most: int = 50) -> tuple[BudgetView, ...]:
        """Those with a bound, the fullest first."""
        if not self.on:
            return ()
        at = self._wall()
        found = sorted(self.accounts.bounded(), key=fullness, reverse=True)
        return tuple(view(account, at) for account in found[:most])


def _route(allowed: str, path: str) -> bool:
    """LiteLLM's groups of routes, a path, or a path with a wildcard."""
    if allowed in ("llm_api_routes", "openai_routes", "anthropic_routes"):
        return not path.startswith(("/key", "/user", "/team", "/budget", "/global", "/spend"))
    if allowed in ("management_routes", "info_routes"):
        return path.startswith(("/key", "/user", "/team", "/budget", "/model"))
    return fnmatchcase(path, allowed)
