"""An error in Google's envelope. Its one rule: `code` is the HTTP status and `status` its name."""

from __future__ import annotations

import msgspec

from router.errors import RequestError, UpstreamError
from router.formats import failures
from router.messages import JSON

_NAMES = {
    400: "INVALID_ARGUMENT",
    401: "UNAUTHENTICATED",
    403: "PERMISSION_DENIED",
    404: "NOT_FOUND",
    413: "INVALID_ARGUMENT",
    429: "RESOURCE_EXHAUSTED",
    499: "CANCELLED",
    501: "UNIMPLEMENTED",
    502: "UNAVAILABLE",
    503: "UNAVAILABLE",
    504: "DEADLINE_EXCEEDED",
}


def status_of(error: RequestError) -> int:
    """Google's clients know no 529; a prompt that does not fit is a 400 to them."""
    if error.kind == "too_long":
        return 400
    status = failures.client_status(error)
    return 503 if status == 529 else status


def envelope(error: RequestError) -> JSON:
    status = status_of(error)
    name = _NAMES.get(status, "INTERNAL" if status >= 500 else "FAILED_PRECONDITION")
    body: JSON = {"code": status, "message": error.message, "status": name}
    if isinstance(error, UpstreamError) and error.retry_after:
        kind = "type.googleapis.com/google.rpc.RetryInfo"
        body["details"] = [{"@type": kind, "retryDelay": f"{error.retry_after:g}s"}]
    return {"error": body}


def render_error(error: RequestError) -> bytes:
    return msgspec.json.encode(envelope(error))
