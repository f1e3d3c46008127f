"""The response object: what the client asked for said back to it, and what the model said.

Its one rule: every field that OpenAI's schema requires is there, in a stream's first event and in
its last alike.
"""

from __future__ import annotations

from typing import Any

import msgspec

from router.errors import RequestError
from router.formats.openai_chat.errors import status_of
from router.formats.openai_responses.usage import write_usage
from router.messages import JSON, Finish, Request, Start, Usage

_encode = msgspec.json.Encoder().encode
#: what a client may leave unsaid, and what is then in force
_DEFAULTS: JSON = {
    "background": False,
    "frequency_penalty": 0,
    "instructions": None,
    "max_output_tokens": None,
    "max_tool_calls": None,
    "metadata": {},
    "parallel_tool_calls": True,
    "presence_penalty": 0,
    "previous_response_id": None,
    "prompt_cache_key": None,
    "safety_identifier": None,
    "service_tier": "default",
    "store": True,
    "temperature": 1,
    "tool_choice": "auto",
    "top_logprobs": 0,
    "top_p": 1,
    "truncation": "disabled",
    "user": None,
}
_FUNCTION: JSON = {"description": None, "parameters": None, "strict": True}
_INCOMPLETE = {
    "max_tokens": "max_output_tokens",
    "context_full": "max_output_tokens",
    "refusal": "content_filter",
}
#: the words that OpenAI's clients know for a failed response
_CODES = {
    "too_long": "context_length_exceeded",
    "quota": "rate_limit_exceeded",
    "overload": "server_is_overloaded",
    "caller": "invalid_prompt",
}


def _missing(finish: Finish, output: list[JSON]) -> str | None:
    """Why the response is incomplete; None where it is not. A refusal that was put into words is a
    whole answer."""
    why = _INCOMPLETE.get(finish.reason)
    if finish.reason == "refusal":
        parts = [part for item in output for part in item.get("content") or ()]
        return None if any(part["type"] == "refusal" for part in parts) else why
    return why


def status(finish: Finish, output: list[JSON]) -> str:
    return "incomplete" if _missing(finish, output) else "completed"


class Resource:
    """Of one answer. What never changes is encoded once: a stream tells it three times."""

    def __init__(self, request: Request, start: Start, now: int, id: str) -> None:
        self.id = start.id if start.id.startswith("resp_") else f"resp_{id}"
        fixed: JSON = {
            "id": self.id,
            "object": "response",
            "created_at": now,
            "model": request.model or start.model,
            **_said_back(request.body),
        }
        self._fixed = _encode(fixed)[:-1]

    def encode(self, status: str, output: list[JSON], **more: Any) -> bytes:
        told = {
            "status": status,
            "output": output,
            "completed_at": None,
            "error": None,
            "incomplete_details": None,
            "usage": None,
            **more,
        }
        return b"%b,%b" % (self._fixed, _encode(told)[1:])

    def finished(self, finish: Finish, output: list[JSON], usage: Usage) -> bytes:
        why = _missing(finish, output)
        return self.encode(
            status(finish, output),
            output,
            usage=write_usage(usage),
            incomplete_details={"reason": why} if why else None,
        )

    def failed(self, error: RequestError, output: list[JSON]) -> bytes:
        return self.encode("failed", output, error={"code": code(error), "message": error.message})


def code(error: RequestError) -> str:
    """A failure in the words that a client acts upon."""
    known = error.code or _CODES.get(error.kind)
    return known or ("server_error" if status_of(error) >= 500 else "invalid_prompt")


def _said_back(body: JSON) -> JSON:
    told = {field: body.get(field, usual) for field, usual in _DEFAULTS.items()}
    for field, usual in _DEFAULTS.items():
        if told[field] is None:
            told[field] = usual
    wish = body.get("reasoning") or {}
    told["reasoning"] = {"effort": None, "summary": None, **wish}
    told["text"] = {"format": {"type": "text"}, **(body.get("text") or {})}
    tools = body.get("tools") or []
    told["tools"] = [_FUNCTION | t if t.get("type") == "function" else t for t in tools]
    return told
