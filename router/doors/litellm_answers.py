"""What LiteLLM's clients read in an answer beside its body: its headers, and its words for errors.

Figures that LiteLLM makes up are left out; those that we know are told truly.
"""

from __future__ import annotations

from itertools import pairwise

import msgspec

from router.doors import ccr
from router.errors import RequestError, UpstreamError
from router.formats.anthropic_messages import AnthropicMessages
from router.formats.anthropic_messages import errors as anthropic_errors
from router.formats.openai_chat import OpenAIChat
from router.formats.openai_chat import errors as openai_errors
from router.record import Attempt, Record

#: the version whose answers ours are like: clients ask before they use what is newer
VERSION = "1.80.0"
#: LiteLLM's exception for a kind, as its messages begin
CLASSES = {
    "caller": "BadRequestError",
    "too_long": "ContextWindowExceededError",
    "refused": "ContentPolicyViolationError",
    "credential": "AuthenticationError",
    "quota": "RateLimitError",
    "missing": "NotFoundError",
    "overload": "ServiceUnavailableError",
    "upstream": "InternalServerError",
    "connect": "APIConnectionError",
    "timeout": "Timeout",
}


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


def worded(error: RequestError) -> str:
    """A provider's failure in LiteLLM's words: "litellm.RateLimitError: …". Clients look for the
    class in them."""
    name = CLASSES.get(error.kind)
    if not isinstance(error, UpstreamError) or name is None or not error.provider:
        return error.message
    if "No deployments available" in error.message:
        return error.message
    return f"litellm.{name}: {error.message}"


#: our codes that LiteLLM's clients read as the error's type
TYPES = frozenset(
    {
        *("auth_error", "expired_key", "token_not_found_in_db", "budget_exceeded"),
        *("key_model_access_denied", "team_model_access_denied", "not_found_error"),
        *("org_model_access_denied", "customer_model_access_denied"),
        *("bad_request_error", "validation_error", "internal_server_error"),
    }
)


class LiteLLMChat(OpenAIChat):
    """OpenAI's format, with errors as LiteLLM tells them."""

    def render_error(self, error: RequestError) -> bytes:
        told = openai_errors.envelope(error, worded(error))
        if error.code in TYPES:
            told["error"] |= {"type": error.code, "code": str(openai_errors.status_of(error))}
        return msgspec.json.encode(told)


class LiteLLMMessages(AnthropicMessages):
    """Anthropic's format, with errors as LiteLLM tells them. Claude Code compacts on its own words
    for a prompt that is too long: those stay."""

    def render_error(self, error: RequestError) -> bytes:
        message = None if error.kind == "too_long" else worded(error)
        return msgspec.json.encode(anthropic_errors.envelope(error, message))
