"""Events as a Gemini client's answer: chunks as server-sent events, as a JSON array, or one whole.

Its one rule: a call of a function is told whole, and thoughts only to a client that asked for them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from router.errors import RequestError
from router.formats import guess
from router.formats.failures import nonsense, raised
from router.formats.fields import json_object
from router.formats.fold import fold
from router.formats.gemini.errors import envelope
from router.formats.gemini.parse import NAME
from router.formats.gemini.reader import write_usage
from router.formats.names import originals
from router.messages import (
    JSON,
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Failure,
    Finish,
    OpaqueEvent,
    Part,
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
    "max_tokens": "MAX_TOKENS",
    "context_full": "MAX_TOKENS",
    "refusal": "SAFETY",
}


class GeminiWriter:
    """`array`: the stream is one JSON array, as it is without `alt=sse`."""

    def __init__(self, request: Request, id: str, *, array: bool) -> None:
        self._request = request
        self._names = originals(request.tools)
        self._id = id
        self._array = array
        self._thoughts = shows_thoughts(request)
        self._model = request.model or ""
        self._usage: Usage | None = None
        self._written = 0  # characters
        self._call: ToolUse | None = None
        self._pieces: list[str] = []
        self._signature: str | None = None
        self._begun = False
        self._told = False  # something is in the array
        self._ended = False

    def feed(self, event: Event) -> bytes:
        if self._ended:
            return b""
        match event:
            case TextDelta(text=text) | BlockStart(part=Text(text=text)) if text:
                self._written += len(text)
                return self._chunk({"text": text})
            case ThinkingDelta(text=text) | BlockStart(part=Thinking(text=text)) if text:
                self._written += len(text)
                return self._chunk({"text": text, "thought": True}) if self._thoughts else b""
            case SignatureDelta(signature=signature):
                self._signature = own(signature)
            case BlockStart(part=ToolUse() as use):
                self._call, self._pieces = use, []
            case ArgumentsDelta(json=piece):
                self._written += len(piece)
                self._pieces.append(piece)
            case BlockStop():
                return self._called()
            case _:
                return self._other(event)
        return b""

    def _other(self, event: Event) -> bytes:
        match event:
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
        """Counts alone: Google's own clients stumble over a comment and over an empty text."""
        if not self._begun or self._ended:
            return b""
        if self._array:
            return b"\n" if self._told else b""
        usage = {"promptTokenCount": guess.prompt_tokens(self._request)}
        return self._framed({"usageMetadata": usage, "modelVersion": self._model})

    def fail(self, error: RequestError) -> bytes:
        if self._ended:
            return b""
        out = self._framed(envelope(error))
        self._ended = True
        return out + (b"]" if self._array else b"")

    def close(self) -> bytes:
        return self.fail(raised(nonsense("an answer without an end")))

    def _framed(self, chunk: JSON) -> bytes:
        if not self._array:
            return b"data: %b\r\n\r\n" % _encode(chunk)
        before, self._told = (b",\r\n" if self._told else b"["), True
        return before + _encode(chunk)

    def _chunk(self, part: JSON) -> bytes:
        content = {"parts": [part], "role": "model"}
        return self._framed(
            {
                "candidates": [{"content": content, "index": 0}],
                "modelVersion": self._model,
                "responseId": self._id,
            }
        )

    def _called(self) -> bytes:
        use, self._call = self._call, None
        if use is None:
            return b""
        text = "".join(self._pieces)
        whole = ToolUse(
            use.id,
            use.name,
            json_object(text) if text.strip() else use.input,
            text,
            None,
            use.extra,
        )
        part = call_part(whole, self._names, self._signature)
        self._signature = None
        return self._chunk(part)

    def _finish(self, finish: Finish) -> bytes:
        usage = self._usage or guess.usage(self._request, self._written)
        content = {"parts": [{"text": ""}], "role": "model"}
        reason = _REASONS.get(finish.reason, "STOP")
        out = self._framed(
            {
                "candidates": [{"content": content, "finishReason": reason, "index": 0}],
                "usageMetadata": write_usage(usage),
                "modelVersion": self._model,
                "responseId": self._id,
            }
        )
        self._ended = True
        return out + (b"]" if self._array else b"")


def render_response(events: Iterable[Event], request: Request, id: str) -> bytes:
    """Raises UpstreamError where the events end in a Failure."""
    whole = fold(events)
    parts = _parts(whole.parts, request)
    usage = whole.usage or guess.usage(request, sum(len(str(part)) for part in parts))
    candidate = {
        "content": {"parts": parts or [{"text": ""}], "role": "model"},
        "finishReason": _REASONS.get(whole.finish.reason, "STOP"),
        "index": 0,
    }
    return _encode(
        {
            "candidates": [candidate],
            "usageMetadata": write_usage(usage),
            "modelVersion": request.model or whole.start.model,
            "responseId": id,
        }
    )


def _parts(parts: list[Part], request: Request) -> list[JSON]:
    names, thoughts = originals(request.tools), shows_thoughts(request)
    found: list[JSON] = []
    signature: str | None = None
    for part in parts:
        if isinstance(part, Text) and part.text:
            found.append({"text": part.text})
        elif isinstance(part, Thinking):
            signature = own(part.signature)
            if thoughts and part.text:
                found.append({"text": part.text, "thought": True})
        elif isinstance(part, ToolUse):
            found.append(call_part(part, names, signature))
            signature = None
    return found


def own(signature: str | None) -> str | None:
    """A thought's signature that Gemini gave, without our tag."""
    tag, _, told = (signature or "").partition(":")
    return told if tag == NAME and told else None


def call_part(use: ToolUse, names: dict[str, str], signature: str | None) -> JSON:
    args = use.input
    if args is None:
        # Not JSON: shown as it is rather than as no arguments.
        args = {"_invalid_json": use.arguments}
    call: JSON = {"name": names.get(use.name, use.name), "args": args}
    if use.id:
        call["id"] = use.id
    part: JSON = {"functionCall": call}
    match use.extra:
        case {"extra_content": {"google": {"thought_signature": str(known)}}}:
            signature = known
    if signature:
        part["thoughtSignature"] = signature
    return part


def shows_thoughts(request: Request) -> bool:
    return (request.reasoning.extra or {}).get("includeThoughts") is True
