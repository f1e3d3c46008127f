"""Events as a Gemini client's answer: chunks as server-sent events, as a JSON array, or one whole.

Its one rule: a call of a function is told whole, and thoughts only to a client that asked for them.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from router.errors import RequestError
from router.formats import guess
from router.formats.citations import placed, spans, to_gemini
from router.formats.fold import fold
from router.formats.gemini.errors import envelope
from router.formats.gemini.parse import NAME
from router.formats.gemini.reader import write_usage
from router.formats.names import originals
from router.formats.whole_calls import WholeCalls
from router.messages import (
    JSON,
    BlockStart,
    Citation,
    Cited,
    Event,
    Finish,
    Image,
    Part,
    Request,
    StopReason,
    Text,
    Thinking,
    ToolUse,
    Usage,
)

_encode = msgspec.json.Encoder().encode
_REASONS: dict[StopReason, str] = {
    "max_tokens": "MAX_TOKENS",
    "context_full": "MAX_TOKENS",
    "refusal": "SAFETY",
}


class GeminiWriter(WholeCalls):
    """`array`: the stream is one JSON array, as it is without `alt=sse`."""

    def __init__(self, request: Request, id: str, *, array: bool) -> None:
        super().__init__(request, id)
        self._array = array
        self._thoughts = shows_thoughts(request)
        self._said: list[str] = []
        self._over = 0  # how many of those belong to blocks that are over
        self._citing: list[Citation] = []  # of the open block
        self._sources: list[Citation] = []
        self._told = False  # something is in the array

    def _text(self, text: str) -> bytes:
        self._said.append(text)
        return self._chunk({"text": text})

    def _thought(self, text: str) -> bytes:
        return self._chunk({"text": text, "thought": True}) if self._thoughts else b""

    def _call(self, use: ToolUse) -> bytes:
        part = call_part(use, self._names, own(self._signature))
        self._signature = None
        return self._chunk(part)

    def _finish(self, finish: Finish, usage: Usage) -> bytes:
        content = {"parts": [{"text": ""}], "role": "model"}
        reason = _REASONS.get(finish.reason, "STOP")
        last: JSON = {"content": content, "finishReason": reason, "index": 0}
        if self._sources:
            last["groundingMetadata"] = to_gemini(self._sources, "".join(self._said))
        out = self._framed(
            {
                "candidates": [last],
                "usageMetadata": write_usage(usage),
                "modelVersion": self._model,
                "responseId": self._id,
            }
        )
        return out + (b"]" if self._array else b"")

    def _other(self, event: Event) -> bytes:
        if type(event) is Cited:
            self._citing.append(event.citation)
        elif type(event) is BlockStart and type(event.part) is Image and event.part.data:
            return self._chunk(image_part(event.part))
        return super()._other(event)

    def _called(self) -> bytes:
        if self._citing:
            before, now = ("".join(self._said[:at]) for at in (self._over, None))
            self._sources += placed(self._citing, len(before), len(now))
            self._citing.clear()
        self._over = len(self._said)
        return super()._called()

    def _failed(self, error: RequestError) -> bytes:
        if not self._begun and not self._array:
            # after nothing but pings: Google's SDKs look for the error of a stream in plain JSON
            return _encode(envelope(error)) + b"\n"
        return self._framed(envelope(error)) + (b"]" if self._array else b"")

    def _ping(self) -> bytes:
        """Counts alone: Google's own clients stumble over a comment and over an empty text."""
        if self._array:
            return b"\n" if self._told else b""
        usage = {"promptTokenCount": guess.prompt_tokens(self._request)}
        return self._framed({"usageMetadata": usage, "modelVersion": self._model})

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


def render_response(events: Iterable[Event], request: Request, id: str) -> bytes:
    """Raises UpstreamError where the events end in a Failure."""
    whole = fold(events)
    parts = _parts(whole.parts, request)
    usage = whole.usage or guess.usage(request, whole.written)
    candidate: JSON = {
        "content": {"parts": parts or [{"text": ""}], "role": "model"},
        "finishReason": _REASONS.get(whole.finish.reason, "STOP"),
        "index": 0,
    }
    if whole.cited and (sources := spans(whole)):
        text = "".join(part.text for part in whole.parts if isinstance(part, Text))
        candidate["groundingMetadata"] = to_gemini(sources, text)
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
        elif isinstance(part, Image) and part.data:
            found.append(image_part(part))
        elif isinstance(part, ToolUse):
            found.append(call_part(part, names, signature))
            signature = None
    return found


def own(signature: str | None) -> str | None:
    """A thought's signature that Gemini gave, without our tag."""
    tag, _, told = (signature or "").partition(":")
    return told if tag == NAME and told else None


def image_part(part: Image) -> JSON:
    return {"inlineData": {"mimeType": part.media_type or "image/png", "data": part.data}}


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
