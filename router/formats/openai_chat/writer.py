"""Events as an OpenAI client's stream, or as one whole completion.

Its one rule: the index of a tool call counts calls, not blocks; and the usage chunk goes only to a
client that asked for it.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from router.formats import guess
from router.formats.citations import placed, spans, to_chat
from router.formats.failures import raised
from router.formats.fold import fold
from router.formats.names import originals
from router.formats.openai_chat.pictures import image
from router.formats.openai_chat.stream import Stream
from router.formats.openai_chat.usage import write_usage
from router.messages import (
    JSON,
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Citation,
    Cited,
    Event,
    Failure,
    Finish,
    Image,
    OpaqueEvent,
    RedactedThinking,
    Request,
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

_encode = msgspec.json.Encoder().encode
_REASONS: dict[StopReason, str] = {
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "max_tokens": "length",
    "context_full": "length",
    "tool_use": "tool_calls",
    "refusal": "content_filter",
}


class OpenAIWriter(Stream):
    def __init__(self, request: Request, now: int, id: str) -> None:
        super().__init__()
        self._request = request
        self._now = now
        self._id = id
        self._names = originals(request.tools)
        self._usage: Usage | None = None
        self._written = 0  # characters
        self._calls = -1  # index of the last call
        self._block = -1  # the block that is this call's
        self._bare = False  # it has no arguments yet
        self._thoughts: list[str] = []  # of the open block: its signature is for all of them
        self._images = 0  # how many were told
        self._signed = -1  # index of the last thinking block
        self._said = 0  # characters of the text blocks that are over
        self._began = -1  # of the open text block: what was written before it
        self._citing: list[Citation] = []  # of the open block
        self._sources: list[Citation] = []
        self._text = b'"content"'  # or "refusal": where the open block's text goes
        self._head = b""  # of every chunk, up to its delta

    def feed(self, event: Event) -> bytes:
        if self._done:
            return b""
        if type(event) is TextDelta:
            self._written += len(event.text)
            return b'%b{%b:%b},"finish_reason":null}]}\n\n' % (
                self._head,
                self._text,
                _encode(event.text),
            )
        return self._other(event)

    def _chunk(self, delta: JSON, reason: str | None = None) -> bytes:
        return b'%b%b,"finish_reason":%b}]}\n\n' % (self._head, _encode(delta), _encode(reason))

    def _other(self, event: Event) -> bytes:
        match event:
            case ArgumentsDelta(index=index, json=text):
                self._written += len(text)
                return self._arguments(text) if index == self._block else b""
            case ThinkingDelta(text=text):
                self._written += len(text)
                self._thoughts.append(text)
                return self._chunk({"reasoning_content": text})
            case SignatureDelta(signature=signature):
                block = thinking_block("".join(self._thoughts), signature)
                self._thoughts.clear()
                return self._thinking(block)
            case BlockStart():
                return self._block_start(event)
            case BlockStop(index=index):
                if self._began >= 0:
                    self._end_text()
                bare = self._bare and index == self._block
                return self._arguments("{}") if bare else b""
            case Start():
                return self._start(event)
            case UsageSeen() | Cited():
                self._note(event)
            case Finish():
                return self._finish(event)
            case Failure():
                return self.fail(raised(event))
            case OpaqueEvent(kind="ping"):
                return self.ping()
        return b""

    def _note(self, event: UsageSeen | Cited) -> None:
        if isinstance(event, Cited):
            self._citing.append(event.citation)
        else:
            self._usage = event.usage

    def _start(self, start: Start) -> bytes:
        self._begun = True
        self._usage = start.usage
        head = {
            "id": completion_id(start, self._id),
            "object": "chat.completion.chunk",
            "created": self._now,
            "model": self._request.model or start.model,
        }
        self._head = b'data: %b,"choices":[{"index":0,"delta":' % _encode(head)[:-1]
        return self._chunk({"role": "assistant", "content": ""})

    def _block_start(self, event: BlockStart) -> bytes:
        part = event.part
        self._thoughts.clear()
        if isinstance(part, ToolUse):
            self._calls += 1
            self._block, self._bare = event.index, True
            call = tool_call(part, self._calls, self._id, self._names)
            whole = call["function"]["arguments"]
            call["function"]["arguments"] = ""
            out = self._chunk({"tool_calls": [{"index": self._calls, **call}]})
            return out + (self._arguments(whole) if whole and part.input else b"")
        if isinstance(part, Text):
            self._began = self._written
            self._text = b'"refusal"' if refused(part) else b'"content"'
        if isinstance(part, Text) and part.text:
            return self.feed(TextDelta(event.index, part.text))
        if isinstance(part, Thinking) and part.text:
            return self._other(ThinkingDelta(event.index, part.text))
        if isinstance(part, RedactedThinking):
            return self._thinking(redacted_block(part))
        if isinstance(part, Image):
            self._images += 1
            return self._chunk({"images": [image(part, self._images - 1)]})
        return b""

    def _end_text(self) -> None:
        end = self._said + self._written - self._began
        if self._citing:
            self._sources += placed(self._citing, self._said, end)
            self._citing.clear()
        self._said, self._began = end, -1

    def _thinking(self, block: JSON) -> bytes:
        """What the client must send back. OpenAI's SDK adds up no list without an index."""
        self._signed += 1
        return self._chunk({"thinking_blocks": [{"index": self._signed, **block}]})

    def _arguments(self, text: str) -> bytes:
        self._bare = False
        return self._chunk(
            {"tool_calls": [{"index": self._calls, "function": {"arguments": text}}]}
        )

    def _finish(self, finish: Finish) -> bytes:
        self._done = True
        # all at once: OpenAI's SDK adds up no list without an index
        out = self._chunk({"annotations": to_chat(self._sources)}) if self._sources else b""
        out += self._chunk({}, _REASONS[finish.reason])
        if self._request.include_usage:
            usage = self._usage or guess.usage(self._request, self._written)
            # The same chunk without a choice: OpenAI's way to tell the usage.
            head = self._head[: self._head.rindex(b',"choices"')]
            out += b'%b,"choices":[],"usage":%b}\n\n' % (head, _encode(write_usage(usage)))
        return out


def render_response(events: Iterable[Event], request: Request, now: int, id: str) -> bytes:
    """Raises UpstreamError where the events end in a Failure."""
    whole = fold(events)
    names = originals(request.tools)
    said = [part for part in whole.parts if isinstance(part, Text)]
    texts = [part.text for part in said if not refused(part)]
    refusals = [part.text for part in said if refused(part)]
    thoughts = [part for part in whole.parts if isinstance(part, Thinking)]
    uses = [part for part in whole.parts if isinstance(part, ToolUse)]
    message: JSON = {
        "role": "assistant",
        "content": "".join(texts) if texts or not (uses or refusals) else None,
        "refusal": "".join(refusals) or None,
    }
    if any(thought.text for thought in thoughts):
        message["reasoning_content"] = "".join(thought.text for thought in thoughts)
    blocks = [thinking_block(t.text, t.signature) for t in thoughts if t.signature]
    blocks += [redacted_block(p) for p in whole.parts if isinstance(p, RedactedThinking)]
    if blocks:
        message["thinking_blocks"] = blocks
    if made := [part for part in whole.parts if isinstance(part, Image)]:
        message["images"] = [image(part, number) for number, part in enumerate(made)]
    if whole.cited and (sources := spans(whole)):
        message["annotations"] = to_chat(sources)
    if uses:
        message["tool_calls"] = [tool_call(use, n, id, names) for n, use in enumerate(uses)]
    usage = whole.usage or guess.usage(request, whole.written)
    return _encode(
        {
            "id": completion_id(whole.start, id),
            "object": "chat.completion",
            "created": now,
            "model": request.model or whole.start.model,
            "choices": [
                {
                    "index": 0,
                    "message": message,
                    "logprobs": None,
                    "finish_reason": _REASONS[whole.finish.reason],
                }
            ],
            "usage": write_usage(usage),
        }
    )


def refused(part: Text) -> bool:
    """Whether it is said as a refusal, which has a place of its own in OpenAI's dialects."""
    return bool(part.extra and part.extra.get("refusal"))


def completion_id(start: Start, id: str) -> str:
    """The provider's, unless it is in another dialect's form."""
    return start.id if start.id and not start.id.startswith("msg_") else f"chatcmpl-{id}"


def tool_call(use: ToolUse, index: int, id: str, names: dict[str, str]) -> JSON:
    """Arguments are the text as the model wrote it, also where it is not JSON."""
    arguments = use.arguments
    if arguments is None or not arguments.strip():
        arguments = _encode(use.input or {}).decode()
    call: JSON = {
        "id": use.id or f"call_{id}_{index}",
        "type": "function",
        "function": {"name": names.get(use.name, use.name), "arguments": arguments},
    }
    if use.extra and "extra_content" in use.extra:
        call["extra_content"] = use.extra["extra_content"]
    return call


def thinking_block(text: str, signature: str | None) -> JSON:
    return {"type": "thinking", "thinking": text, "signature": signature}


def redacted_block(part: RedactedThinking) -> JSON:
    return {"type": "redacted_thinking", "data": part.data}
