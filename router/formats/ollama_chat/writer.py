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
from router.formats.failures import nonsense, raised
from router.formats.fields import json_object
from router.formats.fold import fold
from router.formats.names import originals
from router.formats.ollama_chat.parse import GENERATE
from router.messages import (
    JSON,
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Failure,
    Finish,
    OpaqueEvent,
    Request,
    Start,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
    UsageSeen,
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


class OllamaWriter:
    def __init__(self, request: Request, now: int, id: str) -> None:
        self._request = request
        self._generate = request.dialect == GENERATE
        self._names = originals(request.tools)
        self._id = id
        self._now = now
        self._model = request.model or ""
        self._usage: Usage | None = None
        self._written = 0  # characters
        self._call: ToolUse | None = None
        self._pieces: list[str] = []
        self._calls = 0
        self._begun = False
        self._ended = False

    def feed(self, event: Event) -> bytes:
        if self._ended:
            return b""
        match event:
            case TextDelta(text=text) | BlockStart(part=Text(text=text)) if text:
                self._written += len(text)
                return self._line(self._said(text))
            case ThinkingDelta(text=text) | BlockStart(part=Thinking(text=text)) if text:
                self._written += len(text)
                return self._line(self._said("", text))
            case BlockStart(part=ToolUse() as use):
                self._call, self._pieces = use, []
            case ArgumentsDelta(json=piece):
                self._written += len(piece)
                self._pieces.append(piece)
            case BlockStop():
                return self._called()
            case Start():
                self._begun = True
                self._usage = event.usage
                self._model = self._model or event.model
            case UsageSeen(usage=usage):
                self._usage = usage
            case Finish():
                return self._finish(event)
            case Failure():
                return self.fail(raised(event))
            case OpaqueEvent(kind="ping"):
                return self.ping()
        return b""

    def passed(self, event: Event) -> None:
        self._begun = True
        if type(event) is Finish:
            self._ended = True

    def ping(self) -> bytes:
        """An empty piece: lines have no comments."""
        return self._line(self._said("")) if self._begun and not self._ended else b""

    def fail(self, error: RequestError) -> bytes:
        if self._ended:
            return b""
        self._ended = True
        return _encode(envelope(error)) + b"\n"

    def close(self) -> bytes:
        return self.fail(raised(nonsense("an answer without an end")))

    def _said(self, text: str, thinking: str = "", calls: list[JSON] | None = None) -> JSON:
        return _fields(self._generate, text, thinking, calls or [])

    def _line(self, fields: JSON, end: JSON | None = None) -> bytes:
        head = {"model": self._model, "created_at": stamp(self._now)}
        return _encode({**head, **fields, **(end or {"done": False})}) + b"\n"

    def _called(self) -> bytes:
        use, self._call = self._call, None
        if use is None:
            return b""
        text = "".join(self._pieces)
        input = json_object(text) if text.strip() else use.input
        whole = ToolUse(use.id, use.name, input, text)
        call = tool_call(whole, self._calls, self._id, self._names)
        self._calls += 1
        return self._line(self._said("", calls=[call]))

    def _finish(self, finish: Finish) -> bytes:
        self._ended = True
        usage = self._usage or guess.usage(self._request, self._written)
        return self._line(self._said(""), _end(finish, usage))


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
    usage = whole.usage or guess.usage(request, len(text) + len(thinking))
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
