"""An error in OpenAI's envelope, as LiteLLM writes it. Its one rule: `code` is a string."""

from __future__ import annotations

import msgspec

from router.errors import RequestError
from router.formats import failures
from router.messages import JSON

_TYPES = {
    401: "auth_error",
    403: "permission_error",
    408: "timeout_error",
    429: "throttling_error",
    504: "timeout_error",
}


def status_of(error: RequestError) -> int:
    """OpenAI's clients know no 529; a prompt that does not fit is a 400 to them."""
    if error.kind == "too_long":
        return 400
    status = failures.client_status(error)
    return 503 if status == 529 else status


def envelope(error: RequestError, message: str | None = None) -> JSON:
    """`message` in place of the error's own."""
    status = status_of(error)
    other = "internal_server_error" if status >= 500 else "invalid_request_error"
    return {
        "error": {
            "message": error.message if message is None else message,
            "type": _TYPES.get(status, other),
            "param": error.param,
            "code": error.code or str(status),
        }
    }


def render_error(error: RequestError) -> bytes:
    return msgspec.json.encode(envelope(error))
