"""Events as an Anthropic client's stream.

Its one rule: the grammar that clients check: dense indices, every start with its stop, a
message_delta with the whole usage, and nothing after message_stop or an error.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from router.errors import RequestError
from router.formats import guess
from router.formats.anthropic_messages.errors import envelope
from router.formats.anthropic_messages.render import block_of
from router.formats.anthropic_messages.usage import write_usage
from router.formats.citations import to_anthropic
from router.formats.failures import nonsense, raised
from router.formats.fold import fold
from router.formats.names import originals
from router.messages import (
    JSON,
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Cited,
    Event,
    Failure,
    Finish,
    Image,
    OpaqueEvent,
    Part,
    Request,
    SignatureDelta,
    Start,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
    UsageSeen,
)

_encode = msgspec.json.Encoder().encode
_DELTA = (
    b'event: content_block_delta\ndata: {"type":"content_block_delta","index":%d,'
    b'"delta":{"type":"%b","%b":%b}}\n\n'
)
_STOP = b'event: content_block_stop\ndata: {"type":"content_block_stop","index":%d}\n\n'
#: an answer of Anthropic's has no images
_PICTURE = "[image]"
PING = b'event: ping\ndata: {"type":"ping"}\n\n'
_END = b'event: message_stop\ndata: {"type":"message_stop"}\n\n'


def _frame(kind: str, body: JSON) -> bytes:
    return b"event: %b\ndata: %b\n\n" % (kind.encode(), _encode({"type": kind, **body}))


class AnthropicWriter:
    def __init__(self, request: Request, id: str) -> None:
        self._request = request
        self._id = id
        self._names = originals(request.tools)
        self._usage: Usage | None = None
        self._written = 0  # characters
        self._open = -1
        self._begun = False
        self._ended = False

    def feed(self, event: Event) -> bytes:
        if self._ended:
            return b""
        if type(event) is TextDelta:
            self._written += len(event.text)
            return _DELTA % (event.index, b"text_delta", b"text", _encode(event.text))
        return self._other(event)

    def passed(self, event: Event) -> None:
        if type(event) is TextDelta:
            return  # nearly every one
        if type(event) is BlockStart:
            self._open = event.index
        elif type(event) is BlockStop:
            self._open = -1
        elif type(event) is Start:
            self._begun = True
        elif type(event) is Finish:
            self._ended = True

    def ping(self) -> bytes:
        return PING if self._begun and not self._ended else b""

    def fail(self, error: RequestError) -> bytes:
        if self._ended:
            return b""
        out = _STOP % self._open if self._open >= 0 else b""
        self._ended = True
        return out + b"event: error\ndata: %b\n\n" % _encode(envelope(error))

    def close(self) -> bytes:
        return self.fail(raised(nonsense("an answer without an end")))

    def _other(self, event: Event) -> bytes:
        match event:
            case ArgumentsDelta(index=index, json=text):
                self._written += len(text)
                return _DELTA % (index, b"input_json_delta", b"partial_json", _encode(text))
            case ThinkingDelta(index=index, text=text):
                self._written += len(text)
                return _DELTA % (index, b"thinking_delta", b"thinking", _encode(text))
            case SignatureDelta(index=index, signature=text):
                return _DELTA % (index, b"signature_delta", b"signature", _encode(text))
            case BlockStart(index=index, part=part):
                self._open = index
                return self._block_start(index, part)
            case BlockStop(index=index):
                self._open = -1
                return _STOP % index
            case Start():
                return self._start(event)
            case UsageSeen(usage=usage):
                self._usage = usage
            case Finish():
                return self._finish(event)
            case Failure():
                return self.fail(raised(event))
            case Cited() | OpaqueEvent():
                return self._rare(event)
        return b""

    def _rare(self, event: Cited | OpaqueEvent) -> bytes:
        match event:
            case Cited(index=index, citation=citation) if known := to_anthropic([citation]):
                delta = {"type": "citations_delta", "citation": known[0]}
                return _frame("content_block_delta", {"index": index, "delta": delta})
            case OpaqueEvent(kind="ping"):
                return self.ping()
            case OpaqueEvent(body=body) if isinstance(body.get("type"), str):
                return b"event: %b\ndata: %b\n\n" % (body["type"].encode(), _encode(body))
        return b""

    def _start(self, start: Start) -> bytes:
        self._begun = True
        self._usage = start.usage
        usage = start.usage or Usage(input=guess.prompt_tokens(self._request))
        message: JSON = {
            "id": message_id(start, self._id),
            "type": "message",
            "role": "assistant",
            "content": [],
            "model": self._request.model or start.model,
            "stop_reason": None,
            "stop_sequence": None,
            "usage": write_usage(usage),
        }
        return _frame("message_start", {"message": message})

    def _block_start(self, index: int, part: Part) -> bytes:
        if isinstance(part, Image):
            words = self.feed(TextDelta(index, _PICTURE))
            return self._block_start(index, Text("")) + words
        arguments = part.arguments if isinstance(part, ToolUse) else None
        block = answer_block(part, index, self._id, self._names)
        if isinstance(part, ToolUse):
            if part.input and not arguments:
                arguments = _encode(part.input).decode()
            block["input"] = {}
        out = _frame("content_block_start", {"index": index, "content_block": block})
        if arguments:
            out += self._other(ArgumentsDelta(index, arguments))
        return out

    def _finish(self, finish: Finish) -> bytes:
        self._ended = True
        usage = self._usage or guess.usage(self._request, self._written)
        delta = {"stop_reason": stop_reason(finish), "stop_sequence": finish.sequence}
        return _frame("message_delta", {"delta": delta, "usage": write_usage(usage)}) + _END


def render_response(events: Iterable[Event], request: Request, id: str) -> bytes:
    """Raises UpstreamError where the events end in a Failure."""
    whole = fold(events)
    names = originals(request.tools)
    content = [answer_block(part, n, id, names) for n, part in enumerate(whole.parts)]
    for number, citations in whole.cited.items():
        if known := to_anthropic(citations):
            content[number]["citations"] = known
    usage = whole.usage or guess.usage(request, whole.written)
    return _encode(
        {
            "id": message_id(whole.start, id),
            "type": "message",
            "role": "assistant",
            "model": request.model or whole.start.model,
            "content": content,
            "stop_reason": stop_reason(whole.finish),
            "stop_sequence": whole.finish.sequence,
            "usage": write_usage(usage),
        }
    )


def message_id(start: Start, id: str) -> str:
    return start.id if start.id.startswith("msg_") else f"msg_{id}"


def stop_reason(finish: Finish) -> str:
    return "model_context_window_exceeded" if finish.reason == "context_full" else finish.reason


def answer_block(part: Part, index: int, id: str, names: dict[str, str]) -> JSON:
    """A block of an answer, under the client's own name for its tool."""
    if isinstance(part, ToolUse):
        input = part.input
        if input is None:
            # Not JSON (cut off, or the model's slip): shown as it is rather than as no arguments.
            input = {"_invalid_json": part.arguments}
        return {
            "type": "tool_use",
            "id": part.id or f"toolu_{id}_{index}",
            "name": names.get(part.name, part.name),
            "input": input,
        }
    if isinstance(part, Image):
        return {"type": "text", "text": _PICTURE}
    if isinstance(part, Text):  # a blank one is refused in questions only
        return {**(block_of(part) or {"type": "text"}), "text": part.text}
    block = block_of(part) or {"type": "text", "text": ""}
    if isinstance(part, Thinking) and not part.signature:
        block["signature"] = ""
    return block
