"""The headers that LiteLLM's clients read in an answer.

Figures that LiteLLM makes up are left out; those that we know are told truly.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise
from typing import TYPE_CHECKING

from router.doors import ccr
from router.headers import lines
from router.record import Attempt, Record
from router.spending.register import Key

if TYPE_CHECKING:
    from router.service import Router

#: the version whose answers ours are like: clients ask before they use what is newer
VERSION = "1.80.0"
_VERSION = f"x-litellm-version: {VERSION}\r\n"


def headers(router: Router, record: Record) -> str:
    """Header lines: ours, and those of LiteLLM's that its clients read."""
    told = f"{ccr.headers(record)}x-litellm-call-id: {record.id}\r\n{_VERSION}"
    if record.holder is not None:
        told += _of_key(router, record.holder)
    attempts = record.attempts
    if not attempts or record.pinged:
        return told
    again = len(attempts) > 1
    candidate = attempts[-1].candidate
    deployment, base = candidate.deployment, candidate.provider.base
    group = candidate.group or record.asked
    if deployment is None:
        told += _served(group, candidate.model, base)
    else:
        told += _served(group, candidate.model, base, deployment.called, deployment.id)
    now = router.now()
    taken = apart = now - record.started
    for one in attempts:
        apart -= (one.ended or now) - one.started
    told += (
        f"x-litellm-attempted-retries: {_retries(attempts) if again else 0}\r\n"
        f"x-litellm-attempted-fallbacks: {_fallbacks(attempts) if again else 0}\r\n"
        f"x-litellm-response-duration-ms: {taken * 1000:.3f}\r\n"
        f"x-litellm-overhead-duration-ms: {apart * 1000 if apart > 0 else 0:.3f}\r\n"
    )
    if record.wishes.timeout is not None:
        told += f"x-litellm-timeout: {record.wishes.timeout:g}\r\n"
    if not record.stream and (cost := record.cost) is not None:
        amount = f"{cost / 1e9:.9f}".rstrip("0").rstrip(".")
        told += f"x-litellm-response-cost: {amount}\r\n"
    return told


def _of_key(router: Router, key: Key) -> str:
    """What a virtual key may use up, and what was spent before this request; money in dollars."""
    account = router.cashier.account("key", key.name)
    known = (
        ("tpm-limit", key.tpm_limit),
        ("rpm-limit", key.rpm_limit),
        ("max-budget", key.max_budget),
        ("spend", account.spent / 1e9 if account is not None else None),
    )
    found = ((name, value) for name, value in known if value is not None)
    return "".join(f"x-litellm-key-{name}: {value}\r\n" for name, value in found)


@lru_cache(maxsize=1_024)
def _served(group: str, model: str, base: str, called: str = "", id: str = "") -> str:
    """The same for nearly every answer of a group."""
    told = [
        ("x-litellm-model-group", group),
        ("x-litellm-model-name", _called(called, model)),
        ("x-litellm-model-api-base", base),
    ]
    return lines(told + [("x-litellm-model-id", id)] * bool(id))


def _called(called: str, model: str) -> str:
    """LiteLLM's own name of a deployment's model: "openai/gpt-5"."""
    if "*" not in called:
        return called or model
    vendor, slash, _ = called.partition("/")
    return f"{vendor}/{model}" if slash else called


def _way(attempt: Attempt) -> tuple[str, str]:
    return attempt.candidate.leg, attempt.candidate.branch


def _retries(attempts: list[Attempt]) -> int:
    """Attempts at the last group before the one that counts."""
    last = _way(attempts[-1])
    return sum(_way(attempt) == last for attempt in attempts) - 1


def _fallbacks(attempts: list[Attempt]) -> int:
    """How often it moved on to another group."""
    return sum(_way(one) != _way(other) for one, other in pairwise(attempts))
