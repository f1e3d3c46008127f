"""LiteLLM's per-request fields and headers: taken out of a body, since no provider knows them."""

from __future__ import annotations

from collections.abc import Callable

import msgspec

from router.call import Call
from router.errors import CallerError
from router.formats.splice import splice
from router.messages import Request
from router.wishes import NO_WISHES, Other, Wishes, others
from router.wishes.fields import (
    FIELDS,
    OURS,
    extra_body,
    otherwise,
    read,
    refuse_forbidden,
)

_HEADERS = frozenset(
    {
        "x-litellm-timeout",
        "x-litellm-stream-timeout",
        "x-litellm-num-retries",
        "x-litellm-tags",
    }
)


def wishes_of(
    request: Request, call: Call, parse: Callable[[bytes], Request]
) -> tuple[Request, Wishes]:
    """The request without what is meant for us, and that. Raises CallerError."""
    body, headers = request.body, call.headers
    if OURS.isdisjoint(body) and _HEADERS.isdisjoint(headers):
        return request, NO_WISHES
    refuse_forbidden(body)
    # OpenAI's own field is LiteLLM's bag of tags; Anthropic's names the user and goes on
    own = request.dialect == "openai_chat"
    found = [name for name in body if name in FIELDS or (own and name == "metadata")]
    asked = [name for name in _HEADERS if name in headers]
    tagged = not own and isinstance(body.get("metadata"), dict) and "tags" in body["metadata"]
    if not found and not asked and not tagged:
        return request, NO_WISHES
    wishes = read(body, headers)
    if found:
        more = {name: msgspec.json.encode(one) for name, one in extra_body(body).items()}
        request = parse(splice(request.raw, {**dict.fromkeys(found), **more}))
        for one in others(wishes):
            if isinstance(one, Other):
                _try(request, one, parse)
    return request, wishes


def _try(request: Request, other: Other, parse: Callable[[bytes], Request]) -> None:
    """A fallback's own fields are looked at before it is needed."""
    try:
        otherwise(request, other, parse)
    except CallerError as error:
        raise CallerError(f"fallbacks: {other.model}: {error.message}", param="fallbacks") from None
