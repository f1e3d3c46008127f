"""Errors as LiteLLM tells them: its classes in the words, its types, and its statuses by version.

Its one rule: 1.80's shapes, which most clients were written against, unless `[litellm] errors` asks
for 1.109's. No key is ever shown, though 1.80 showed an expired one.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from functools import cache

import msgspec

from router.errors import RequestError, UpstreamError
from router.formats import Format
from router.formats.anthropic_messages import AnthropicMessages
from router.formats.anthropic_messages import errors as anthropic_errors
from router.formats.openai_chat import OpenAIChat
from router.formats.openai_chat import errors as openai_errors
from router.formats.openai_completions import OpenAICompletions
from router.formats.openai_responses import OpenAIResponses
from router.formats.openai_responses import errors as responses_errors
from router.messages import JSON
from router.settings import LiteLLMVersion

#: how LiteLLM's messages begin for a kind: its exception, and that again before the provider's
CLASSES = {
    "caller": "BadRequestError: ",
    "too_long": "ContextWindowExceededError: litellm.BadRequestError: ContextWindowExceededError: ",
    "refused": "ContentPolicyViolationError: ContentPolicyViolationError: ",
    "credential": "AuthenticationError: AuthenticationError: ",
    "quota": "RateLimitError: RateLimitError: ",
    "missing": "NotFoundError: NotFoundError: ",
    "overload": "ServiceUnavailableError: ServiceUnavailableError: ",
    "upstream": "InternalServerError: InternalServerError: ",
    "connect": "APIConnectionError: APIConnectionError: ",
    "timeout": "Timeout: Timeout Error: ",
}
#: …of statuses that its classes for servers of OpenAI's format tell apart, and our kinds do not
_BY_STATUS = {
    **dict.fromkeys((402, 405, 409, 413, 415, 501, 529), "APIError: APIError: "),
    502: "BadGatewayError: BadGatewayError: ",
}
#: our codes that LiteLLM's clients read as the error's type
TYPES = frozenset(
    {
        *("auth_error", "expired_key", "token_not_found_in_db", "budget_exceeded"),
        *("key_model_access_denied", "team_model_access_denied", "not_found_error"),
        *("org_model_access_denied", "customer_model_access_denied"),
        *("bad_request_error", "validation_error", "internal_server_error"),
    }
)
_DENIED = tuple(code for code in TYPES if code.endswith("_model_access_denied"))
_STATUSES: Mapping[LiteLLMVersion, Mapping[str, int]] = {
    "1.80": {"expired_key": 400, "budget_exceeded": 400, **dict.fromkeys(_DENIED, 401)},
    "1.109": {"expired_key": 401, "budget_exceeded": 422, **dict.fromkeys(_DENIED, 403)},
}
_UNKNOWN = "Invalid model name passed in"
#: what is in LiteLLM's own words already
_OWN = re.compile(r"No deployments available|^litellm\.")


@cache
def formats(version: LiteLLMVersion, over_budget: int | None) -> Mapping[str, Format]:
    """The formats whose errors LiteLLM tells in words of its own. `over_budget`: the status of
    budget_exceeded, where one was configured."""
    statuses = dict(_STATUSES[version])
    if over_budget is not None:
        statuses["budget_exceeded"] = over_budget
    return {
        "openai_chat": LiteLLMChat(version, statuses),
        "openai_completions": LiteLLMCompletions(version, statuses),
        "openai_responses": LiteLLMResponses(version, statuses),
        "anthropic_messages": LiteLLMMessages(version, statuses),
    }


def worded(error: RequestError, version: LiteLLMVersion) -> str:
    """A provider's failure in LiteLLM's words: "litellm.RateLimitError: RateLimitError:
    OpenAIException - …". Clients look for the class in them."""
    message = error.message
    if isinstance(error, UpstreamError):
        begins = CLASSES.get(error.kind)
        if begins is None or not error.provider or _OWN.search(message):
            return message
        vendor = _vendor(error.vendor)
        if vendor == "OpenAI" and error.kind in ("caller", "upstream", "overload"):
            begins = _BY_STATUS.get(error.status or 0, begins)
        words = f"litellm.{begins}{vendor}Exception - {message}"
        if version == "1.80" and error.groups:
            asked, *others = error.groups
            words += f". Received Model Group={asked}"
            words += f"\nAvailable Model Group Fallbacks={others or None}"
        return words
    if message.startswith(_UNKNOWN) and version == "1.80":  # as 1.80 has it, a dict as text
        return f"{{'error': '/chat/completions: {message}'}}"
    if version == "1.109":
        return message.replace("if you're admin.", "if you're an admin.")
    return message


def _vendor(kind: str) -> str:
    """LiteLLM's name of a provider in its errors; a server of OpenAI's format is OpenAI to it."""
    if kind in ("", "openai", "compatible", "thinking"):
        return "OpenAI"
    return kind[0].upper() + kind[1:]


class _Told:
    """What each of the formats shares: the version, and the statuses that it has for our codes."""

    def __init__(self, version: LiteLLMVersion, statuses: Mapping[str, int]) -> None:
        self._version: LiteLLMVersion = version
        self._statuses = statuses

    def status(self, error: RequestError) -> int | None:
        return self._statuses.get(error.code or "")


class _InOpenAIs(_Told):
    """An error in OpenAI's envelope, in LiteLLM's words, with its type and status for our codes."""

    envelope: Callable[[RequestError], JSON] = staticmethod(openai_errors.envelope)

    def client_status(self, error: RequestError) -> int:
        return self.status(error) or openai_errors.status_of(error)

    def render_error(self, error: RequestError) -> bytes:
        told = self.envelope(error)
        told["error"]["message"] = worded(error, self._version)
        if error.code in TYPES:
            told["error"] |= {"type": error.code, "code": str(self.client_status(error))}
        return msgspec.json.encode(told)


class LiteLLMChat(_InOpenAIs, OpenAIChat):
    """OpenAI's format, with errors as LiteLLM tells them."""


class LiteLLMCompletions(_InOpenAIs, OpenAICompletions):
    """The legacy format, with the same errors."""


class LiteLLMResponses(_InOpenAIs, OpenAIResponses):
    """Responses, with the same errors. Its own codes stay: Codex acts on them."""

    envelope = staticmethod(responses_errors.envelope)


class LiteLLMMessages(_Told, AnthropicMessages):
    """Anthropic's format, with errors as LiteLLM tells them. Claude Code compacts on its own words
    for a prompt that is too long: those stay."""

    def client_status(self, error: RequestError) -> int:
        return self.status(error) or anthropic_errors.status_of(error)

    def render_error(self, error: RequestError) -> bytes:
        message = None if error.kind == "too_long" else worded(error, self._version)
        told = anthropic_errors.envelope(error, message)
        if (status := self.status(error)) is not None:
            told["error"]["type"] = anthropic_errors.type_of(status)
        return msgspec.json.encode(told)
