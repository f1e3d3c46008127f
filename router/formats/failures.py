"""What a provider's failure means: one classification for every dialect.

Its one rule: policy reads the kind, people read the message, and the message holds no key, no
stack trace and no markup of an error page.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any

import msgspec

from router.errors import Kind, RequestError, UpstreamError
from router.formats.retry_after import retry_after
from router.messages import Failure
from router.redaction import SECRET, redacted
from router.settings import Provider

#: the HTTP status that a client gets for a kind when the failure itself names none
STATUS: dict[Kind, int] = {
    "caller": 400,
    "credential": 502,
    "quota": 429,
    "too_long": 400,
    "refused": 400,
    "missing": 404,
    "overload": 529,
    "upstream": 502,
    "connect": 502,
    "timeout": 504,
    "cancelled": 499,
    "ours": 500,
}
_KIND_OF_STATUS: dict[int, Kind] = {
    401: "credential",
    402: "quota",
    403: "credential",
    404: "missing",
    407: "credential",
    408: "timeout",
    409: "upstream",  # a lock that somebody else holds: OpenAI's SDK and LiteLLM send it again
    429: "quota",
    503: "overload",
    504: "timeout",
    529: "overload",
}
#: error types and codes, as Anthropic, OpenAI, OpenRouter, Gemini and Groq name them
_KIND_OF_TYPE: dict[str, Kind] = {
    "overloaded_error": "overload",
    "overloaded": "overload",
    "engine_overloaded_error": "overload",
    "service_unavailable": "overload",
    "unavailable": "overload",
    "insufficient_system_resource": "overload",
    "rate_limit_error": "quota",
    "rate_limit_exceeded": "quota",
    "insufficient_quota": "quota",
    "billing_error": "quota",
    "resource_exhausted": "quota",
    "throttling_error": "quota",
    "authentication_error": "credential",
    "invalid_api_key": "credential",
    "auth_error": "credential",
    "permission_error": "credential",
    "permission_denied": "credential",
    "unauthenticated": "credential",
    "not_found_error": "missing",
    "model_not_found": "missing",
    "not_found": "missing",
    "context_length_exceeded": "too_long",
    "exceed_context_size_error": "too_long",
    "content_policy_violation": "refused",
    "content_filter": "refused",
    "responsibleaipolicyviolation": "refused",
    "request_too_large": "caller",
    "invalid_request_error": "caller",
    "invalid_argument": "caller",
    "timeout_error": "timeout",
    "deadline_exceeded": "timeout",
    "api_error": "upstream",
    "server_error": "upstream",
    "internal_server_error": "upstream",
    "internal": "upstream",
}
# How each says that the prompt does not fit: Anthropic; OpenAI, DeepSeek, vLLM, Groq; OpenAI's
# Responses and xAI; Gemini; Mistral; Bedrock; llama.cpp; Groq's per-request limit.
_TOO_LONG = re.compile(
    r"prompt is too long|maximum (?:context|prompt) length|exceeds? the (?:available )?context|"
    r"context (?:window|length|size) (?:is |was )?exceed|exceeds? (?:the )?(?:model'?s? )?"
    r"(?:maximum )?(?:prompt|context) (?:length|window|limit|size)|"
    r"input token count.{0,40}exceeds|too many (?:input )?tokens|too large for model|"
    r"input is too long|reduce the length of the messages",
    re.IGNORECASE,
)
_BAD_KEY = re.compile(
    r"api[ _-]?key (?:is )?(?:not valid|invalid|expired)|invalid api[ _-]?key", re.I
)
_NO_MODEL = re.compile(
    r"not a valid model|model.{0,80}(?:does not exist|not found)|unknown model", re.I
)
# Azure and OpenAI; Anthropic; Bedrock and Vertex have a stop reason of their own instead.
_REFUSED = re.compile(
    r"content management policy|violat\w+ .{0,40}(?:content|usage) polic|"
    r"rejected as a result of .{0,20}safety system|blocked by content filtering policy",
    re.I,
)
_LONGEST = 2000


def kind_of(status: int, type: str | None, code: str | None, message: str) -> Kind:
    """The kind of failure; `status` 0 where it came inside of a stream."""
    if status in (0, 400, 413, 422, 500) and _TOO_LONG.search(message):
        return "too_long"
    named = _KIND_OF_TYPE.get((code or "").lower()) or _KIND_OF_TYPE.get((type or "").lower())
    if named in ("too_long", "refused"):
        return named
    if status in (0, 400):
        if _BAD_KEY.search(message):
            return "credential"
        if named in (None, "caller") and _NO_MODEL.search(message):
            return "missing"
        if _REFUSED.search(message):
            return "refused"
    if status in _KIND_OF_STATUS:
        return _KIND_OF_STATUS[status]
    if status >= 500:
        return "overload" if named == "overload" else "upstream"
    return named or ("caller" if status else "upstream")


def read_error(
    status: int, headers: Mapping[str, str], body: bytes, provider: Provider
) -> UpstreamError:
    """A non-2xx answer of any provider: JSON of any known envelope, a page, or nothing."""
    type, code, message = told(body)
    message = clean(message, provider)
    kind = kind_of(status, type, code, message)
    shown = message
    if kind == "credential":
        unset = provider.key.unset()
        remedy = (
            f"${unset} is not set in the router's environment"
            if unset
            else f"check the key configured for {provider.name}"
        )
        shown = f"upstream provider {provider.name} refused its key (HTTP {status}): {remedy}"
        shown += f" - {message}" if message else ""
    elif not message:
        shown = f"upstream provider {provider.name} answered HTTP {status} without a message"
    if kind == "credential" or not 400 <= status < 600:  # a redirect, or a number of its own
        status = STATUS["upstream"]
    error = UpstreamError(
        shown,
        kind=kind,
        status=status,
        provider=provider.name,
        provider_type=type or code,
        retry_after=retry_after(headers, message, body, limited=kind == "quota"),
        code="context_length_exceeded" if kind == "too_long" else None,
    )
    if error.retry_after is not None and "retry-after" not in headers:
        error.headers = (("retry-after", str(-int(-error.retry_after // 1))),)
    if kind == "credential" and "x-should-retry" not in headers:
        # A refused key stays refused: without this Claude Code tries for three minutes.
        error.headers = (("x-should-retry", "false"),)
    return error


def told(body: bytes) -> tuple[str | None, str | None, str]:
    """Type, code and message of an error body, as far as it has them."""
    try:
        value: Any = msgspec.json.decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        text = body[: 4 * _LONGEST].decode("utf-8", "replace").strip()
        page = text[:1] == "<"
        return None, None, "it answered with a page, not with JSON" if page else text
    return told_by(value)


def told_by(value: Any) -> tuple[str | None, str | None, str]:
    """As `told`, of decoded JSON: {"error": {…} or "…"}, {"message"}, {"detail"}, [{…}]."""
    if isinstance(value, list) and value:
        value = value[0]
    if not isinstance(value, dict):
        return None, None, value if isinstance(value, str) else ""
    inner = value.get("error", value)
    if isinstance(inner, str):
        return None, None, inner
    if not isinstance(inner, dict):
        return None, None, ""
    message = inner.get("message") or inner.get("detail") or value.get("message") or ""
    if not isinstance(message, str):
        try:
            message = msgspec.json.encode(message).decode()
        except RecursionError:
            message = ""
    # OpenRouter's own message says only "Provider returned error": what it got is inside.
    metadata = inner.get("metadata")
    if isinstance(metadata, dict) and isinstance(metadata.get("raw"), str):
        message = f"{message}: {metadata['raw']}"
    type, code = inner.get("type") or inner.get("status"), inner.get("code")
    return _text(type), _text(code), message


def clean(message: str, provider: Provider | None = None) -> str:
    """Fit for a client: no stack trace, nothing that looks like a key, not endless."""
    message = message.split("\n    at ", 1)[0].split("\nTraceback ", 1)[0].strip()
    if provider is not None:
        message = redacted(message, provider)
    message = SECRET.sub("…", message)
    return message if len(message) <= _LONGEST else message[:_LONGEST] + "…"


def in_stream(value: Any) -> Failure:
    """An error that came as an event of a stream that had begun with 200."""
    type, code, message = told_by(value)
    status = int(code) if code and code.isdigit() and len(code) == 3 else 0
    message = clean(message) or "the provider reported an error without a message"
    return Failure(kind_of(status, type, code, message), message, type or code)


def nonsense(what: str) -> Failure:
    """The provider sent what its format does not allow."""
    return Failure("upstream", f"the provider sent {what}")


def raised(failure: Failure) -> UpstreamError:
    return UpstreamError(
        failure.message,
        kind=failure.kind,
        status=STATUS[failure.kind],
        provider_type=failure.provider_type,
    )


def unfit(provider: Provider, what: str) -> UpstreamError:
    """The request holds what that provider's format has no place for: another may have one."""
    return UpstreamError(
        f"{provider.name} does not take {what}",
        kind="caller",
        status=400,
        provider=provider.name,
    )


def client_status(error: RequestError) -> int:
    """A provider's 401, 403 or 407 is our trouble: the client would think its own key was
    refused, and log its user out."""
    if isinstance(error, UpstreamError) and error.status in (401, 403, 407):
        return STATUS["credential"]
    return error.status


def _text(value: Any) -> str | None:
    if isinstance(value, str):
        return value or None
    return str(value) if type(value) is int else None
