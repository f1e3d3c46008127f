"""Events as an Ollama client's answer: lines of JSON, or one object.

Its one rule: the last line says done and holds the counts; calls of tools come whole, their
arguments as objects.
"""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import msgspec

from router.errors import RequestError
from router.formats import failures, guess
from router.formats.fold import fold
from router.formats.names import originals
from router.formats.ollama_chat.parse import GENERATE
from router.formats.whole_calls import WholeCalls
from router.messages import (
    JSON,
    Event,
    Finish,
    Request,
    StopReason,
    Text,
    Thinking,
    ToolUse,
    Usage,
)

_encode = msgspec.json.Encoder().encode
_LENGTH: tuple[StopReason, ...] = ("max_tokens", "context_full")


def envelope(error: RequestError) -> JSON:
    return {"error": error.message}


def status_of(error: RequestError) -> int:
    """Ollama's clients know no 529; a prompt that does not fit is a 400 to them."""
    if error.kind == "too_long":
        return 400
    status = failures.client_status(error)
    return 503 if status == 529 else status


class OllamaWriter(WholeCalls):
    def __init__(self, request: Request, now: int, id: str) -> None:
        super().__init__(request, id)
        self._generate = request.dialect == GENERATE
        self._now = now
        self._calls = 0

    def _text(self, text: str) -> bytes:
        return self._line(self._said(text))

    def _thought(self, text: str) -> bytes:
        return self._line(self._said("", text))

    def _call(self, use: ToolUse) -> bytes:
        call = tool_call(use, self._calls, self._id, self._names)
        self._calls += 1
        return self._line(self._said("", calls=[call]))

    def _finish(self, finish: Finish, usage: Usage) -> bytes:
        return self._line(self._said(""), _end(finish, usage))

    def _failed(self, error: RequestError) -> bytes:
        return _encode(envelope(error)) + b"\n"

    def _ping(self) -> bytes:
        """An empty piece: lines have no comments."""
        return self._line(self._said(""))

    def _said(self, text: str, thinking: str = "", calls: list[JSON] | None = None) -> JSON:
        return _fields(self._generate, text, thinking, calls or [])

    def _line(self, fields: JSON, end: JSON | None = None) -> bytes:
        head = {"model": self._model, "created_at": stamp(self._now)}
        return _encode({**head, **fields, **(end or {"done": False})}) + b"\n"


def _fields(generate: bool, text: str, thinking: str, calls: list[JSON]) -> JSON:
    if generate:
        return {"response": text, "thinking": thinking} if thinking else {"response": text}
    message: JSON = {"role": "assistant", "content": text}
    if thinking:
        message["thinking"] = thinking
    if calls:
        message["tool_calls"] = calls
    return {"message": message}


def _end(finish: Finish, usage: Usage) -> JSON:
    """Durations are the local machine's and unknown for a provider's model: 0."""
    return {
        "done": True,
        "done_reason": "length" if finish.reason in _LENGTH else "stop",
        "total_duration": 0,
        "load_duration": 0,
        "prompt_eval_count": usage.prompt,
        "prompt_eval_duration": 0,
        "eval_count": usage.output,
        "eval_duration": 0,
    }


def render_response(events: Iterable[Event], request: Request, now: int, id: str) -> bytes:
    """Raises UpstreamError where the events end in a Failure."""
    whole = fold(events)
    names = originals(request.tools)
    text = "".join(part.text for part in whole.parts if isinstance(part, Text))
    thinking = "".join(part.text for part in whole.parts if isinstance(part, Thinking))
    uses = [part for part in whole.parts if isinstance(part, ToolUse)]
    calls = [tool_call(use, number, id, names) for number, use in enumerate(uses)]
    usage = whole.usage or guess.usage(request, whole.written)
    return _encode(
        {
            "model": request.model or whole.start.model,
            "created_at": stamp(now),
            **_fields(request.dialect == GENERATE, text, thinking, calls),
            **_end(whole.finish, usage),
        }
    )


def tool_call(use: ToolUse, index: int, id: str, names: dict[str, str]) -> JSON:
    input = use.input
    if input is None:
        # Not JSON: shown as it is rather than as no arguments.
        input = {"_invalid_json": use.arguments}
    function = {"index": index, "name": names.get(use.name, use.name), "arguments": input}
    return {"id": use.id or f"call_{id}_{index}", "function": function}


def stamp(now: float) -> str:
    return datetime.fromtimestamp(now, UTC).isoformat().replace("+00:00", "Z")
