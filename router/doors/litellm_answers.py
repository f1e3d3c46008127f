"""The headers that LiteLLM's clients read in an answer.

Figures that LiteLLM makes up are left out; those that we know are told truly.
"""

from __future__ import annotations

from itertools import pairwise

from router.doors import ccr
from router.record import Attempt, Record

#: the version whose answers ours are like: clients ask before they use what is newer
VERSION = "1.80.0"


def headers(record: Record) -> list[tuple[str, str]]:
    """Ours, and those of LiteLLM's that its clients read."""
    told = ccr.headers(record)
    told += (("x-litellm-call-id", record.id), ("x-litellm-version", VERSION))
    if not record.attempts or record.pinged:
        return told
    last = record.attempts[-1]
    candidate, deployment = last.candidate, last.candidate.deployment
    told += (
        ("x-litellm-model-group", candidate.group or record.asked),
        ("x-litellm-model-name", candidate.model),
        ("x-litellm-model-api-base", candidate.provider.base),
        ("x-litellm-attempted-retries", str(_retries(record.attempts))),
        ("x-litellm-attempted-fallbacks", str(_fallbacks(record.attempts))),
    )
    if deployment is not None:
        told.append(("x-litellm-model-id", deployment.id))
    if record.wishes.timeout is not None:
        told.append(("x-litellm-timeout", f"{record.wishes.timeout:g}"))
    cost = record.cost
    if cost is not None and not record.stream:
        amount = f"{cost / 1e9:.9f}".rstrip("0").rstrip(".")
        told.append(("x-litellm-response-cost", amount))
    return told


def _way(attempt: Attempt) -> tuple[str, str]:
    return attempt.candidate.leg, attempt.candidate.branch


def _retries(attempts: list[Attempt]) -> int:
    """Attempts at the last group before the one that counts."""
    last = _way(attempts[-1])
    return sum(_way(attempt) == last for attempt in attempts) - 1


def _fallbacks(attempts: list[Attempt]) -> int:
    """How often it moved on to another group."""
    return sum(_way(one) != _way(other) for one, other in pairwise(attempts))
