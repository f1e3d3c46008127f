"""How spending is told to people and clients: views, and errors in LiteLLM's words."""

from __future__ import annotations

from datetime import UTC, datetime

from router.contract import BudgetView
from router.errors import CallerError
from router.spending.account import Account
from router.spending.rates import Exceeded

NANO = 1_000_000_000
#: seconds after which a client may ask again, where others' money is only held
SOON = 5
#: tells a client's SDK that sending it again is of no use
NO_MORE = ("x-should-retry", "false")


def told(at: float) -> str:
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")


def dollars(nano: int) -> str:
    return f"{nano / NANO:.6f}".rstrip("0").rstrip(".")


def said(account: Account) -> str:
    bound = account.limit if account.limit is not None else account.soft
    per = "" if account.until is None else f" per {account.period.text}"
    who = f"{account.scope} {account.name}".strip()
    held = f" and ${dollars(account.held)} held" if account.held else ""
    return f"budget of {who}: ${dollars(account.spent)} spent{held} of ${dollars(bound or 0)}{per}"


def reached(account: Account, level: str) -> str:
    """What an alert says of a bound that was come to: "limit" or "soft"."""
    soft = f"passed its soft limit of ${dollars(account.soft or 0)}"
    what = "is spent" if level == "limit" else soft
    resets = f", resets {told(account.until)}" if account.until else ""
    return f"{what}: {said(account).partition(': ')[2]}{resets}"


def refused(words: str, status: int, code: str) -> CallerError:
    return CallerError(words, status=status, kind="credential", code=code, headers=(NO_MORE,))


def over(account: Account, at: float) -> CallerError:
    """LiteLLM's words, with whose budget it is and when it begins anew."""
    assert account.limit is not None
    words = (
        f"Budget has been exceeded! Current cost: {dollars(account.spent)}, Max budget:"
        f" {dollars(account.limit)} ({account.scope} {account.name}".rstrip()
    )
    if account.spent < account.limit:
        words += f"; ${dollars(account.held)} is held by requests that run: try again soon)"
        soon = (("retry-after", str(SOON)),)
        return CallerError(words, status=429, kind="quota", headers=soon)
    if account.until is None:
        words += "; it does not reset by itself)"
        headers: tuple[tuple[str, str], ...] = (NO_MORE,)
    else:
        words += f"; resets at {told(account.until)})"
        seconds = max(1, round(account.until - at))
        headers = (NO_MORE, ("retry-after", str(seconds)), ("reset_at", told(account.until)))
    return CallerError(words, status=429, kind="quota", code="budget_exceeded", headers=headers)


def too_fast(who: str, exceeded: Exceeded, at: float) -> CallerError:
    words = (
        f"Rate limit exceeded for {who}. Limit type: {exceeded.what}. Current limit:"
        f" {exceeded.limit}, Remaining: {exceeded.remaining}."
    )
    headers: tuple[tuple[str, str], ...] = (("rate_limit_type", exceeded.what),)
    if exceeded.resets is not None:
        reset = told(at + exceeded.resets)
        words += f" Limit resets at: {reset}"
        seconds = str(max(1, -int(-exceeded.resets // 1)))
        headers = (*headers, ("retry-after", seconds), ("reset_at", reset))
    else:
        headers = (*headers, ("retry-after", "1"))
    return CallerError(words, status=429, kind="quota", headers=headers)


def fullness(account: Account) -> float:
    bound = account.limit if account.limit is not None else account.soft or 0
    return (account.spent + account.held) / bound if bound else 1.0


def view(account: Account, at: float) -> BudgetView:
    rate = account.rate(at)
    left = None if account.limit is None else account.limit - account.spent
    out = at + left / rate if rate and left is not None and left > 0 else None
    over = account.limit is not None and account.spent >= account.limit
    return BudgetView(
        scope=account.scope,
        name=account.name,
        period=account.period.text,
        limit=account.limit,
        soft=account.soft,
        spent=account.spent,
        held=account.held,
        resets_at=account.until,
        per_hour=round(rate * 3600),
        runs_out_at=out if out is not None and (not account.until or out < account.until) else None,
        state="over" if over else "soft" if account.over_soft else "ok",
    )
