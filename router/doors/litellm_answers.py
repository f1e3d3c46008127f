"""The headers that LiteLLM's clients read in an answer.

Figures that LiteLLM makes up are left out; those that we know are told truly.
"""

from __future__ import annotations

from itertools import pairwise
from typing import TYPE_CHECKING

from router.doors import ccr
from router.record import Attempt, Record
from router.settings import Deployment
from router.spending.register import Key

if TYPE_CHECKING:
    from router.service import Router

#: the version whose answers ours are like: clients ask before they use what is newer
VERSION = "1.80.0"
_VERSION = ("x-litellm-version", VERSION)


def headers(router: Router, record: Record) -> list[tuple[str, str]]:
    """Ours, and those of LiteLLM's that its clients read."""
    told = ccr.headers(record)
    told += (("x-litellm-call-id", record.id), _VERSION)
    if record.holder is not None:
        told += _of_key(router, record.holder)
    attempts = record.attempts
    if not attempts or record.pinged:
        return told
    again = len(attempts) > 1
    candidate = attempts[-1].candidate
    deployment = candidate.deployment
    now = router.now()
    taken = apart = now - record.started
    for one in attempts:
        apart -= (one.ended or now) - one.started
    told += (
        ("x-litellm-model-group", candidate.group or record.asked),
        ("x-litellm-model-name", _called(deployment, candidate.model)),
        ("x-litellm-model-api-base", candidate.provider.base),
        ("x-litellm-attempted-retries", _retries(attempts) if again else "0"),
        ("x-litellm-attempted-fallbacks", _fallbacks(attempts) if again else "0"),
        ("x-litellm-response-duration-ms", f"{taken * 1000:.3f}"),
        ("x-litellm-overhead-duration-ms", f"{max(0.0, apart) * 1000:.3f}"),
    )
    if deployment is not None:
        told.append(("x-litellm-model-id", deployment.id))
    if record.wishes.timeout is not None:
        told.append(("x-litellm-timeout", f"{record.wishes.timeout:g}"))
    if not record.stream and (cost := record.cost) is not None:
        amount = f"{cost / 1e9:.9f}".rstrip("0").rstrip(".")
        told.append(("x-litellm-response-cost", amount))
    return told


def _of_key(router: Router, key: Key) -> list[tuple[str, str]]:
    """What a virtual key may use up, and what was spent before this request; money in dollars."""
    account = router.cashier.account("key", key.name)
    known = (
        ("tpm-limit", key.tpm_limit),
        ("rpm-limit", key.rpm_limit),
        ("max-budget", key.max_budget),
        ("spend", account.spent / 1e9 if account is not None else None),
    )
    return [(f"x-litellm-key-{name}", str(value)) for name, value in known if value is not None]


def _called(deployment: Deployment | None, model: str) -> str:
    """LiteLLM's own name of a deployment's model: "openai/gpt-5"."""
    called = deployment.called if deployment is not None else ""
    if "*" not in called:
        return called or model
    vendor, slash, _ = called.partition("/")
    return f"{vendor}/{model}" if slash else called


def _way(attempt: Attempt) -> tuple[str, str]:
    return attempt.candidate.leg, attempt.candidate.branch


def _retries(attempts: list[Attempt]) -> str:
    """Attempts at the last group before the one that counts."""
    last = _way(attempts[-1])
    return str(sum(_way(attempt) == last for attempt in attempts) - 1)


def _fallbacks(attempts: list[Attempt]) -> str:
    """How often it moved on to another group."""
    return str(sum(_way(one) != _way(other) for one, other in pairwise(attempts)))
