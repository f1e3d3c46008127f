"""An error in OpenAI's envelope. Its one rule: the type and status are those of Chat Completions,
and `code` is a word where there is one, for clients act upon words.
"""

from __future__ import annotations

import msgspec

from router.errors import RequestError
from router.formats.openai_chat import errors as chat
from router.messages import JSON

status_of = chat.status_of


def envelope(error: RequestError) -> JSON:
    body = chat.envelope(error)
    if error.kind == "too_long":
        body["error"]["code"] = "context_length_exceeded"
    return body


def render_error(error: RequestError) -> bytes:
    return msgspec.json.encode(envelope(error))
