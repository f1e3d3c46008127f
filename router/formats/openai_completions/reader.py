"""The answer of a provider that serves legacy Completions, streamed or whole, as events.

Its one rule: of several answers the first is read, and the usage of all.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from router.formats import Frame
from router.formats.failures import in_stream, nonsense, raised
from router.formats.openai_chat.usage import read_usage
from router.framing import Framer
from router.messages import (
    BlockStart,
    BlockStop,
    Event,
    Failure,
    Finish,
    Start,
    StopReason,
    Text,
    TextDelta,
    UsageSeen,
)
from router.providers import quirks
from router.settings import Provider


class _Choice(Struct):
    index: Any = 0
    text: Any = None
    finish_reason: Any = None


class _Chunk(Struct):
    id: Any = None
    model: Any = None
    choices: list[_Choice] | None = None
    usage: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Chunk).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_REASONS: dict[Any, StopReason] = {"length": "max_tokens", "content_filter": "refusal"}


class CompletionsReader:
    def __init__(self, provider: Provider) -> None:
        self._quirks = quirks(provider.kind)
        self._started = self._ended = False
        self._reason: StopReason | None = None

    def feed(self, frame: Frame) -> list[Event]:
        if self._ended or not frame.data:
            return []
        if frame.data.strip() == b"[DONE]":
            return self.close()
        try:
            return self.take(_decode(frame.data))
        except _BROKEN:
            return self._fail(nonsense("a chunk that is not a completion's"))

    def take(self, chunk: _Chunk) -> list[Event]:
        if chunk.error:
            return self._fail(in_stream({"error": chunk.error}))
        events: list[Event] = []
        if not self._started and (chunk.choices or chunk.usage):
            self._started = True
            id, model = chunk.id, chunk.model
            start = Start(id if type(id) is str else "", model if type(model) is str else "")
            events += [start, BlockStart(0, Text(""))]
        for choice in chunk.choices or ():
            if choice.index:
                continue
            if type(choice.text) is str and choice.text:
                events.append(TextDelta(0, choice.text))
            if choice.finish_reason is not None:
                known = _REASONS.get(str(choice.finish_reason))
                self._reason = known or "end_turn"
        usage = read_usage(chunk.usage or None, self._quirks)
        return [*events, UsageSeen(usage)] if usage is not None else events

    def whole(self, answer: _Chunk) -> list[Event]:
        """An answer that came at once is complete, whether it says why it ended or not."""
        events = self.take(answer)
        if self._started and self._reason is None:
            self._reason = "end_turn"
        return events

    def close(self) -> list[Event]:
        if self._ended:
            return []
        if self._reason is None:
            return self._fail(nonsense("a stream that ended before its answer was complete"))
        self._ended = True
        return [BlockStop(0), Finish(self._reason)]

    def _fail(self, failure: Failure) -> list[Event]:
        self._ended = True
        return [failure]


def read_response(body: bytes, provider: Provider) -> list[Event]:
    """Raises UpstreamError where it is not an answer."""
    reader = CompletionsReader(provider)
    if body.lstrip().startswith((b"data:", b":", b"event:")):
        framer = Framer()
        events = [e for f in (*framer.feed(body), *framer.close()) for e in reader.feed(f)]
    else:
        try:
            events = reader.whole(_decode(body))
        except _BROKEN:
            raise raised(nonsense("an answer that is no completion")) from None
    events += reader.close()
    last = events[-1]
    if isinstance(last, Failure):
        raise raised(last)
    return events
