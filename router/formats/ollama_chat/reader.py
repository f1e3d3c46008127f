"""An Ollama's answer, as lines of a stream or as one object, as events.

Its one rule: each line is a whole JSON object; the one that says done holds the end and the counts.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from router.formats import Frame
from router.formats.blocks import Blocks
from router.formats.failures import in_stream, nonsense, raised
from router.formats.fields import count_of
from router.formats.openai_chat.think_tags import ThinkTags
from router.framing import Framer
from router.messages import Event, Failure, Finish, Start, StopReason, Usage, UsageSeen
from router.settings import Provider


class _Function(Struct):
    name: Any = None
    arguments: Any = None


class _Call(Struct):
    id: Any = None
    function: _Function | None = None


class _Message(Struct):
    content: Any = None
    thinking: Any = None
    tool_calls: list[_Call] | None = None


class _Line(Struct):
    model: Any = None
    message: _Message | None = None
    response: Any = None  # of /api/generate
    thinking: Any = None
    done: Any = None
    done_reason: Any = None
    prompt_eval_count: Any = None
    eval_count: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Line).decode
_BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)


class OllamaReader:
    """One answer. Calls that came without an id get none: the client's writer makes one."""

    def __init__(self, provider: Provider) -> None:
        self._blocks = Blocks()
        self._tags = ThinkTags()
        self._started = False
        self._ended = False

    def feed(self, frame: Frame) -> list[Event]:
        if self._ended or not frame.data:
            return []
        try:
            return self._take(_decode(frame.data))
        except _BROKEN:
            return self._fail(nonsense("a line that is not Ollama's"))

    def close(self) -> list[Event]:
        if self._ended:
            return []
        return self._fail(nonsense("a stream that ended before its answer was complete"))

    def _take(self, line: _Line) -> list[Event]:
        if line.error:
            return self._fail(in_stream({"error": line.error}))
        if line.message is None and line.response is None and line.done is None:
            return self._fail(nonsense("a line that is not Ollama's"))
        events: list[Event] = []
        if not self._started:
            self._started = True
            events.append(Start("", line.model if isinstance(line.model, str) else ""))
        message = line.message or _Message(line.response, line.thinking)
        if isinstance(message.thinking, str) and message.thinking:
            self._tags.off = True
            self._blocks.say("thinking", message.thinking, events)
        if isinstance(message.content, str) and message.content:
            self._content(message.content, events)
        for call in message.tool_calls or ():
            self._call(call, events)
        if line.done is True:
            self._end(line, events)
        return events

    def _content(self, text: str, events: list[Event]) -> None:
        if self._tags.off:
            self._blocks.say("text", text, events)
            return
        for thinking, piece in self._tags.feed(text):
            self._blocks.say("thinking" if thinking else "text", piece, events)

    def _call(self, call: _Call, events: list[Event]) -> None:
        function = call.function or _Function()
        self._rest(events)
        id, name = call.id, function.name
        self._blocks.call(
            id if isinstance(id, str) else "",
            name if isinstance(name, str) else "",
            function.arguments,
            events,
        )

    def _rest(self, events: list[Event]) -> None:
        """What may have been part of a tag and is not."""
        for thinking, piece in self._tags.close():
            if piece.strip() or not self._blocks.count:
                self._blocks.say("thinking" if thinking else "text", piece, events)

    def _end(self, line: _Line, events: list[Event]) -> None:
        self._rest(events)
        self._blocks.close(events)
        self._ended = True
        # A prompt that was cached whole is not counted by older versions: then it is unknown.
        prompt, output = count_of(line.prompt_eval_count), count_of(line.eval_count)
        if prompt or output:
            events.append(UsageSeen(Usage(input=prompt, output=output, estimated=not prompt)))
        events.append(Finish(self._reason(line.done_reason)))

    def _reason(self, told: Any) -> StopReason:
        if told == "length":
            return "max_tokens"
        return "tool_use" if self._blocks.calls else "end_turn"  # it says "stop" after a call, too

    def _fail(self, failure: Failure) -> list[Event]:
        self._ended = True
        return [failure]


def read_response(body: bytes, provider: Provider) -> list[Event]:
    """A whole answer, or one that was streamed although nobody asked. Raises UpstreamError."""
    reader, framer = OllamaReader(provider), Framer("ndjson")
    try:
        whole: list[Event] | None = reader._take(_decode(body))
    except _BROKEN:
        whole = None
    if whole is None:
        frames = (*framer.feed(body), *framer.close())
        whole = [event for frame in frames for event in reader.feed(frame)]
    whole += reader.close()
    if isinstance(whole[-1], Failure):
        raise raised(whole[-1])
    return whole
