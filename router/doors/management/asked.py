"""What a management request asks, and the shapes that all families share. Money leaves here in
dollars, times in ISO 8601."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, NamedTuple, TypeVar

import msgspec

from router.errors import CallerError
from router.messages import JSON
from router.spending.account import Account
from router.spending.accounts import Owner
from router.spending.period import parse
from router.spending.register import LONGEST, Key, Terms, model_budgets

if TYPE_CHECKING:
    from router.call import Call
    from router.service import Router

NANO = 1_000_000_000
#: LiteLLM's name for who holds the master key
ADMIN = "default_user_id"
#: fields of LiteLLM's that change nothing here and are given back
ECHOED = (
    *("permissions", "config", "guardrails", "organization_id", "allowed_cache_controls"),
    *("object_permission", "policies", "prompts", "key_type", "auto_rotate", "rotation_interval"),
    *("model_aliases", "agent_id"),
)
#: fields that promise a bound which is not kept here: refused, since one would rely on it
UNKEPT = (
    *("team_member_budget", "max_budget_in_organization", "budget_limits"),
    "allowed_model_region",
)
_T = TypeVar("_T", bound=Terms)


class Asked(NamedTuple):
    """`own`: the virtual key that asks; None: an administrator. `shown`: the key as it was sent."""

    body: JSON
    query: Mapping[str, list[str]]
    names: Mapping[str, str]
    own: Key | None = None
    shown: str = ""
    call: Call | None = None

    def one(self, name: str) -> str:
        """A query parameter, or a name in the path."""
        return self.names.get(name) or (self.query.get(name) or [""])[0]

    def needed(self, name: str) -> str:
        """A text of the body. Raises CallerError."""
        value = self.body.get(name)
        if not isinstance(value, str) or not value or len(value) > LONGEST:
            raise wrong(f"{name}: should be a text of at most {LONGEST} characters", name)
        return value

    def several(self, name: str) -> list[str]:
        """A list of texts in the body. Raises CallerError."""
        value = self.body.get(name) or []
        if not isinstance(value, list) or not all(isinstance(one, str) for one in value):
            raise wrong(f"{name}: should be a list of strings", name)
        return value


class Route(NamedTuple):
    """`changes`: only where a master key protects it. `anyone`: also for a virtual key."""

    answer: Callable[[Router, Asked], Awaitable[Any]]
    changes: bool = False
    anyone: bool = False


def wrong(words: str, param: str | None = None) -> CallerError:
    return CallerError(words, status=400, code="bad_request_error", param=param)


def missing(words: str) -> CallerError:
    return CallerError(words, status=404, kind="missing", code="not_found_error")


def fields(body: JSON, into: type[Terms]) -> JSON:
    """The fields of `into` that a body may set, and in `more` those that are only given back.
    Raises CallerError."""
    promised(body)
    own = {
        name
        for name in into.__struct_fields__
        if name not in ("created_at", "updated_at", "created_by", "opened", "opened_at", "more")
    }
    told = {name: value for name, value in body.items() if name in own}
    unset = ("models", "metadata", "tags", "model_max_budget", "allowed_routes")
    for name in (*unset, "aliases", "model_aliases"):
        if name in told and told[name] is None:
            del told[name]
    if told.get("max_budget") == "":  # as LiteLLM's own pages send it
        told["max_budget"] = None
    if told.get("blocked", False) is None:
        del told["blocked"]
    more = {name: body[name] for name in ECHOED if name not in own and body.get(name) is not None}
    return {**told, "more": more} if more else told


def promised(body: JSON) -> None:
    """Raises CallerError where a body asks for a bound that is not kept here."""
    for name in UNKEPT:
        if body.get(name) is not None:
            raise wrong(
                f"{name}: is not kept here, and so not taken: bound the key, user, team or customer"
                " by max_budget, or their models by `models`",
                name,
            )


def made(values: JSON, into: type[_T]) -> _T:
    """A new one, whose figures make sense. Raises CallerError that names the field."""
    try:
        terms = msgspec.convert(values, into, strict=False)
        parse(terms.budget_duration)
        model_budgets(terms)
    except ValueError as error:  # msgspec's own error is one
        raise CallerError(str(error), status=422, code="validation_error") from None
    for name in ("max_budget", "soft_budget", "tpm_limit", "rpm_limit", "max_parallel_requests"):
        value = getattr(terms, name)
        if value is not None and not 0 <= value < 1e12:
            raise wrong(f"{name}: should be 0 or more", name)
    return terms


def changed(terms: _T, values: JSON) -> _T:
    """As `made`, with some fields replaced."""
    before = {name: getattr(terms, name) for name in terms.__struct_fields__}
    if "more" in values:
        values = {**values, "more": {**terms.more, **values["more"]}}
    return made({**before, **values}, type(terms))


def with_spend(router: Router, kind: Owner, name: str, terms: _T, body: JSON) -> _T:
    """LiteLLM lets an administrator set what was spent so far."""
    spend = body.get("spend")
    account = router.cashier.account(kind, name)
    if spend is None or account is None:
        return terms
    if isinstance(spend, bool) or not isinstance(spend, int | float) or not 0 <= spend < 1e9:
        raise wrong("spend: should be dollars, 0 or more", "spend")
    wanted, at = round(spend * NANO), router.wall()
    opened = terms.opened if terms.opened_at >= account.start else 0
    opened += wanted - account.spent
    account.spent, account.warned = wanted, ""
    return msgspec.structs.replace(terms, opened=opened, opened_at=at)


async def stored(router: Router) -> None:
    """What was changed is on the disk before anybody is told of it. Raises CallerError."""
    if not await asyncio.to_thread(router.ledger.flush, 5.0):
        why = router.ledger.trouble or "the disk is slow"
        raise CallerError(
            f"it is in force but could not be stored: {why}",
            status=500,
            kind="ours",
            code="internal_server_error",
        )


def dollars(nano: int) -> float:
    return nano / NANO


def iso(at: float | None) -> str | None:
    if not at:
        return None
    return datetime.fromtimestamp(at, UTC).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def shape(router: Router, kind: Owner, name: str, terms: Terms) -> JSON:
    """The fields that keys, users and teams share, as LiteLLM's clients read them."""
    account: Account | None = router.cashier.account(kind, name)
    bounds = router.cashier.register.terms(terms)
    return {
        "spend": dollars(account.spent) if account is not None else 0.0,
        "max_budget": bounds.max_budget,
        "soft_budget": bounds.soft_budget,
        "budget_duration": bounds.budget_duration,
        "budget_reset_at": iso(account.until) if account is not None else None,
        "tpm_limit": bounds.tpm_limit,
        "rpm_limit": bounds.rpm_limit,
        "max_parallel_requests": bounds.max_parallel_requests,
        "model_max_budget": bounds.model_max_budget,
        "model_rpm_limit": terms.model_rpm_limit,
        "model_tpm_limit": terms.model_tpm_limit,
        "model_spend": {},
        "budget_id": terms.budget_id,
        "models": terms.models,
        "metadata": terms.metadata,
        "tags": terms.tags,
        "blocked": terms.blocked,
        "created_at": iso(terms.created_at),
        "updated_at": iso(terms.updated_at),
        "created_by": terms.created_by,
        **terms.more,
    }


def page(asked: Asked, count: int, size: int = 10) -> tuple[int, int, int]:
    """Which part of a list is asked for: its number, its size, and how many there are."""
    try:
        number = max(1, int(asked.one("page") or 1))
        size = min(500, max(1, int(asked.one("size") or asked.one("page_size") or size)))
    except ValueError:
        raise wrong("page and size should be whole numbers", "page") from None
    return number, size, max(1, -(-count // size))
