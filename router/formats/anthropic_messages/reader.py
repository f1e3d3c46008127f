"""An Anthropic provider's answer, streamed or whole, as events.

Its one rule: whatever a provider sends, the events keep the grammar of router.messages. A server
that only imitates Anthropic may forget a start or a stop: what is missing is put in.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from router.errors import CallerError
from router.formats import Frame
from router.formats.anthropic_messages.parse import part_of
from router.formats.anthropic_messages.usage import read_usage
from router.formats.citations import from_anthropic
from router.formats.failures import in_stream, nonsense, raised
from router.framing import Framer
from router.messages import (
    JSON,
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Cited,
    Event,
    Failure,
    Finish,
    Opaque,
    OpaqueEvent,
    Part,
    SignatureDelta,
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
from router.settings import Provider

_REASONS: dict[Any, StopReason] = {
    "end_turn": "end_turn",
    "max_tokens": "max_tokens",
    "stop_sequence": "stop_sequence",
    "tool_use": "tool_use",
    "refusal": "refusal",
    "pause_turn": "pause_turn",
    "model_context_window_exceeded": "context_full",
}


class _Delta(Struct):
    type: Any = None
    text: Any = None
    partial_json: Any = None
    thinking: Any = None
    signature: Any = None
    stop_reason: Any = None
    stop_sequence: Any = None


class _Event(Struct):
    type: Any = None
    index: Any = None
    delta: _Delta | None = None
    content_block: Any = None
    message: Any = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Event).decode
_decode_any = msgspec.json.Decoder().decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class AnthropicReader:
    """One answer. `_open` is the block that is being told: our index, the provider's, its part."""

    def __init__(self, provider: Provider) -> None:
        self._provider = provider
        self._next = 0
        self._open: Part | None = None
        self._theirs: Any = None
        self._usage: Usage | None = None
        self._finish: Finish | None = None
        self._started = False
        self._ended = False

    def feed(self, frame: Frame) -> list[Event]:
        data = frame.data
        if self._ended or not data:
            return []
        try:
            return self._read(_decode(data), data)
        except _BROKEN:
            return self._fail(nonsense("an event that is not Anthropic's"))

    def _read(self, event: _Event, data: bytes) -> list[Event]:
        kind = event.type
        if kind == "content_block_delta":
            return self._delta(event, data)
        if kind == "ping":
            return [OpaqueEvent("ping", {"type": "ping"})]
        handler = _HANDLERS.get(kind) if type(kind) is str else None
        if handler is not None:
            events: list[Event] = handler(self, event)
            return events
        if event.error is not None:
            return self._error(event)
        if self._started and type(kind) is str and kind.isidentifier():  # it names an SSE event
            return [OpaqueEvent(kind, _decode_any(data))]
        return []

    def close(self) -> list[Event]:
        if self._ended:
            return []
        if self._finish is not None:
            return self._stop(_Event())
        return self._fail(nonsense("a stream that ended before its answer was complete"))

    def _begin(self, event: _Event) -> list[Event]:
        if self._started:
            return []
        self._started = True
        message = event.message if isinstance(event.message, dict) else {}
        self._usage = read_usage(message.get("usage"))
        id, model = message.get("id"), message.get("model")
        return [
            Start(
                id if isinstance(id, str) else "",
                model if isinstance(model, str) else "",
                self._usage,
            )
        ]

    def _block_start(self, event: _Event) -> list[Event]:
        events = self._ready()
        block = event.content_block
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            return events + self._fail(nonsense("a block without a type"))
        events += self._close_block()
        self._theirs = event.index
        return events + self._begin_block(block)

    def _begin_block(self, block: JSON) -> list[Event]:
        """A block and what it already holds."""
        kind = block["type"]
        if kind == "text":
            told = self._told(TextDelta, block.get("text"))
            return self._opened(Text("")) + told + self._cited(block.get("citations"))
        if kind == "thinking":
            return (
                self._opened(Thinking(""))
                + self._told(ThinkingDelta, block.get("thinking"))
                + self._told(SignatureDelta, block.get("signature"))
            )
        if kind == "tool_use":
            id, name, input = block.get("id"), block.get("name"), block.get("input")
            use = ToolUse(id if isinstance(id, str) else "", str(name or "unknown"))
            whole = msgspec.json.encode(input).decode() if input else None
            return self._opened(use) + self._told(ArgumentsDelta, whole)
        try:
            return self._opened(part_of(block))
        except CallerError:
            return self._opened(Opaque(kind, block))

    def _told(self, delta: type, text: Any) -> list[Event]:
        return [delta(self._next, text)] if isinstance(text, str) and text else []

    def _cited(self, citations: Any) -> list[Event]:
        if not isinstance(citations, list):
            return []
        told = (from_anthropic(one) for one in citations if isinstance(one, dict))
        return [Cited(self._next, one) for one in told]

    def _opened(self, part: Part) -> list[Event]:
        self._open = part
        return [BlockStart(self._next, part)]

    def _close_block(self) -> list[Event]:
        if self._open is None:
            return []
        self._open = None
        self._next += 1
        return [BlockStop(self._next - 1)]

    def _ready(self) -> list[Event]:
        """A message that never started is started by its first block."""
        return [] if self._started else self._begin(_Event())

    def _delta(self, event: _Event, data: bytes) -> list[Event]:
        delta = event.delta
        if delta is None:
            return []
        kind, part = delta.type, type(self._open)
        if kind == "text_delta" and part is Text:
            return self._told(TextDelta, delta.text)
        if kind == "input_json_delta":
            if part is ToolUse or part is Opaque:
                return self._told(ArgumentsDelta, delta.partial_json)
            if not delta.partial_json:
                return []
            return self._fail(nonsense("arguments for a tool call that it never began"))
        if kind == "thinking_delta" and part is Thinking:
            return self._told(ThinkingDelta, delta.thinking)
        if kind == "signature_delta" and part is Thinking:
            return self._told(SignatureDelta, delta.signature)
        return self._other_delta(event, delta, data)

    def _other_delta(self, event: _Event, delta: _Delta, data: bytes) -> list[Event]:
        """One that does not fit the open block opens its own; unknown ones ride along."""
        if delta.type == "text_delta" and delta.text:
            opened = self._ready() + self._close_block() + self._opened(Text(""))
            return opened + self._told(TextDelta, delta.text)
        if delta.type == "thinking_delta" and delta.thinking:
            opened = self._ready() + self._close_block() + self._opened(Thinking(""))
            return opened + self._told(ThinkingDelta, delta.thinking)
        if delta.type in ("text_delta", "thinking_delta", "signature_delta", None):
            return []
        if self._open is None or type(delta.type) is not str:
            return []
        body = _decode_any(data)
        if delta.type == "citations_delta" and type(self._open) is Text:
            return self._cited([body["delta"].get("citation")])
        body["index"] = self._next
        return [OpaqueEvent(delta.type, body)]

    def _block_stop(self, event: _Event) -> list[Event]:
        return self._close_block() if event.index == self._theirs else []

    def _message_delta(self, event: _Event) -> list[Event]:
        events = self._ready()
        if event.delta is not None and event.delta.stop_reason is not None:
            reason = event.delta.stop_reason
            known = _REASONS.get(reason) if type(reason) is str else None
            sequence = event.delta.stop_sequence
            self._finish = Finish(
                known or "end_turn", sequence if isinstance(sequence, str) else None
            )
        self._usage = usage = read_usage(event.usage, self._usage)
        if usage is not None and isinstance(event.usage, dict):
            events.append(UsageSeen(usage))
        return events

    def _stop(self, event: _Event) -> list[Event]:
        events = self._ready() + self._close_block()
        self._ended = True
        return [*events, self._finish or Finish("end_turn")]

    def _error(self, event: _Event) -> list[Event]:
        return self._fail(in_stream({"error": event.error}))

    def _fail(self, failure: Failure) -> list[Event]:
        self._ended = True
        return [failure]


_HANDLERS: dict[str, Any] = {
    "message_start": AnthropicReader._begin,
    "content_block_start": AnthropicReader._block_start,
    "content_block_stop": AnthropicReader._block_stop,
    "message_delta": AnthropicReader._message_delta,
    "message_stop": AnthropicReader._stop,
    "error": AnthropicReader._error,
}


def read_response(body: bytes, provider: Provider) -> list[Event]:
    """A whole message as events; also one that was streamed although nobody asked for it."""
    if body.lstrip().startswith((b"event:", b"data:", b":")):
        return _read_stream(body, provider)
    try:
        message = _decode_any(body)
    except _BROKEN:
        raise raised(nonsense("an answer that is not JSON")) from None
    if not isinstance(message, dict):
        raise raised(nonsense("an answer that is not a message"))
    if message.get("type") == "error" or "error" in message:
        raise raised(in_stream(message))
    content = message.get("content")
    if not isinstance(content, list):
        raise raised(nonsense("a message without content"))
    try:
        return _read_message(message, content, AnthropicReader(provider))
    except RecursionError:
        raise raised(nonsense("a message that is nested too deeply")) from None


def _read_message(message: JSON, content: list[Any], reader: AnthropicReader) -> list[Event]:
    events = reader._begin(_Event(message=message))
    for block in content:
        if not isinstance(block, dict) or not isinstance(block.get("type"), str):
            raise raised(nonsense("a block without a type"))
        events += reader._begin_block(block)
        events += reader._close_block()
    reason = _Delta(
        stop_reason=message.get("stop_reason"), stop_sequence=message.get("stop_sequence")
    )
    events += reader._message_delta(_Event(delta=reason, usage=message.get("usage")))
    return events + reader._stop(_Event())


def _read_stream(body: bytes, provider: Provider) -> list[Event]:
    framer, reader = Framer(), AnthropicReader(provider)
    events = [e for f in (*framer.feed(body), *framer.close()) for e in reader.feed(f)]
    events += reader.close()
    if isinstance(events[-1], Failure):
        raise raised(events[-1])
    return events
