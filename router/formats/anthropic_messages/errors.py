"""An error in Anthropic's envelope. Its one rule: the words of a 400 are the provider's own, but
for a context overflow, whose words make Claude Code compact its conversation.
"""

from __future__ import annotations

import msgspec

from router.errors import RequestError, UpstreamError
from router.formats.anthropic_messages.overflow import worded
from router.formats.failures import client_status
from router.messages import JSON

_TYPES = {
    400: "invalid_request_error",
    401: "authentication_error",
    402: "billing_error",
    403: "permission_error",
    404: "not_found_error",
    408: "api_error",  # a provider's own deadline: no mistake of the client's
    413: "request_too_large",
    422: "invalid_request_error",
    429: "rate_limit_error",
    529: "overloaded_error",
}


def status_of(error: RequestError) -> int:
    """A prompt that does not fit is always a 400: a client compacts on nothing else."""
    return 400 if error.kind == "too_long" else client_status(error)


def type_of(status: int) -> str:
    return _TYPES.get(status, "invalid_request_error" if status < 500 else "api_error")


def envelope(error: RequestError, message: str | None = None) -> JSON:
    """`message` in place of the error's own."""
    message = error.message if message is None else message
    if error.kind == "too_long":
        message = worded(message)
    # A key that a provider refused is not the client's: it must not see an authentication error.
    ours = isinstance(error, UpstreamError) and error.kind == "credential"
    type = "api_error" if ours else type_of(status_of(error))
    body: JSON = {"type": "error", "error": {"type": type, "message": message}}
    if error.request:
        body["request_id"] = error.request
    return body


def render_error(error: RequestError) -> bytes:
    return msgspec.json.encode(envelope(error))
