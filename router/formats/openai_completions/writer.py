"""Events as a legacy Completions client's stream, or as one whole completion.

Its one rule: only what the model said is told: this dialect has no place for its thoughts.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from router.formats import guess
from router.formats.failures import raised
from router.formats.fold import fold
from router.formats.openai_chat.stream import Stream
from router.formats.openai_chat.usage import write_usage
from router.formats.openai_completions.parse import echo_of
from router.messages import (
    JSON,
    BlockStart,
    Event,
    Failure,
    Finish,
    Request,
    Start,
    Text,
    TextDelta,
    Usage,
    UsageSeen,
)

_encode = msgspec.json.Encoder().encode


def _reason(finish: Finish) -> str:
    if finish.reason in ("max_tokens", "context_full"):
        return "length"
    return "content_filter" if finish.reason == "refusal" else "stop"


def _head(start: Start, request: Request, now: int, id: str) -> JSON:
    return {
        "id": start.id if start.id.startswith("cmpl") else f"cmpl-{id}",
        "object": "text_completion",
        "created": now,
        "model": request.model or start.model,
    }


def _choice(text: str, reason: str | None) -> JSON:
    return {"text": text, "index": 0, "logprobs": None, "finish_reason": reason}


class CompletionsWriter(Stream):
    def __init__(self, request: Request, now: int, id: str) -> None:
        super().__init__()
        self._request = request
        self._now = now
        self._id = id
        self._head: JSON = {}
        self._usage: Usage | None = None
        self._written = 0

    def feed(self, event: Event) -> bytes:
        if self._done:
            return b""
        match event:
            case TextDelta(text=text):
                return self._said(text)
            case BlockStart(part=Text(text=text)) if text:
                return self._said(text)
            case Start():
                self._begun = True
                self._usage = event.usage
                self._head = _head(event, self._request, self._now, self._id)
                echo = echo_of(self._request)
                return self._chunk(echo) if echo else b""
            case UsageSeen(usage=usage):
                self._usage = usage
            case Finish():
                return self._finish(event)
            case Failure():
                return self.fail(raised(event))
        return b""

    def _said(self, text: str) -> bytes:
        self._written += len(text)
        return self._chunk(text)

    def _chunk(self, text: str, reason: str | None = None) -> bytes:
        return b"data: %b\n\n" % _encode({**self._head, "choices": [_choice(text, reason)]})

    def _finish(self, finish: Finish) -> bytes:
        self._done = True
        out = self._chunk("", _reason(finish))
        if self._request.include_usage:
            usage = self._usage or guess.usage(self._request, self._written)
            told = {**self._head, "choices": [], "usage": write_usage(usage)}
            out += b"data: %b\n\n" % _encode(told)
        return out


def render_response(events: Iterable[Event], request: Request, now: int, id: str) -> bytes:
    """Raises UpstreamError where the events end in a Failure."""
    whole = fold(events)
    said = "".join(part.text for part in whole.parts if isinstance(part, Text))
    usage = whole.usage or guess.usage(request, len(said))
    choice = _choice(echo_of(request) + said, _reason(whole.finish))
    head = _head(whole.start, request, now, id)
    return _encode({**head, "choices": [choice], "usage": write_usage(usage)})
