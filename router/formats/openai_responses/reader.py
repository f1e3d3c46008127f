"""A Responses provider's answer as events: its stream, and what is told at the end of one.

Its one rule: blocks come one after the other. Items are told apart by their place in the output;
pieces of one that is not yet due wait until the one before it is done. What a server leaves out of
its stream is taken from what it tells at the end of the item, or of all.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct, field

from router.formats import Frame
from router.formats.citations import from_openai
from router.formats.failures import in_stream, nonsense
from router.formats.openai_responses.thoughts import TAG, said
from router.formats.openai_responses.usage import read_usage
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
    SignatureDelta,
    Start,
    StopReason,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    UsageSeen,
)
from router.settings import Provider

#: an item that is billed by itself
SEARCH = "web_search_call"
_IMAGE = "image_generation_call"
#: items with a form in other dialects
_TOLD = frozenset({"message", "reasoning", "function_call", "custom_tool_call", _IMAGE})


class _Event(Struct):
    type: Any = None
    output_index: Any = None
    content_index: Any = None
    summary_index: Any = None
    delta: Any = None
    item: Any = None
    part: Any = None
    response: Any = None
    error: Any = None
    code: Any = None
    message: Any = None


_decode = msgspec.json.Decoder(_Event).decode
BROKEN = (msgspec.DecodeError, UnicodeDecodeError, RecursionError)
_INCOMPLETE: dict[Any, StopReason] = {
    "max_output_tokens": "max_tokens",
    "content_filter": "refusal",
}
#: what a piece of text belongs to
_TEXTS = {
    "response.output_text.delta": "text",
    "response.refusal.delta": "refusal",
    "response.reasoning_summary_text.delta": "thinking",
    "response.reasoning_text.delta": "thinking",
    "response.function_call_arguments.delta": "call",
}
_PART = {"output_text": "text", "refusal": "refusal"}
_PARAGRAPH = "\n\n"

Key = tuple[int, int]  # of a block: its item's place, and its part's


class _Block(Struct):
    """A block as far as it is known. `pieces` wait while another one is being told."""

    kind: str
    part: Text | Thinking | ToolUse | Image
    pieces: list[str] = field(default_factory=list)
    signature: str = ""
    told: bool = False  # it holds something
    summary: int = 0  # the part of the summary that is being told
    done: bool = False
    length: int = 0  # characters, once its part is whole
    annotations: Any = None


class ResponsesReader:
    """One answer. The first of `_blocks` is the one being told."""

    def __init__(self, provider: Provider) -> None:
        self._blocks: dict[Key, _Block] = {}
        self._seen: set[Key] = set()
        self._live = False  # the first block was begun
        self._next = 0
        self._said = 0  # characters of the texts that are over
        self._called = self._refused = False
        self._started = self._ended = False

    def feed(self, frame: Frame) -> list[Event]:
        data = frame.data
        if self._ended or not data or data[:1] == b"[":
            return []
        try:
            event = _decode(data)
            kind = event.type
            if kind in _TEXTS if type(kind) is str else False:
                return self._piece(event, _TEXTS[kind])
            return self._other(event)
        except BROKEN:
            return self._fail(nonsense("an event that is not a response's"))

    def _other(self, event: _Event) -> list[Event]:
        match event.type:
            case "response.created" | "response.in_progress" | "response.queued":
                return self._start(event.response)
            case "response.output_item.added":
                return self._added(event)
            case "response.content_part.added":
                return self._part_added(event)
            case "response.content_part.done":
                return self._part_done(
                    (_place(event.output_index), _place(event.content_index)), event.part
                )
            case "response.output_item.done":
                return self._item_done(_place(event.output_index), event.item)
            case "response.completed" | "response.incomplete":
                return self.end(event.response)
            case "response.failed":
                return self._fail(failure_of(event.response))
            case "error":
                told = {"code": event.code, "message": event.message}
                return self._fail(in_stream({"error": event.error or told}))
        if event.error:
            return self._fail(in_stream({"error": event.error}))
        return []

    def close(self) -> list[Event]:
        if self._ended:
            return []
        return self._fail(nonsense("a stream that ended before its answer was complete"))

    def _start(self, response: Any) -> list[Event]:
        if self._started:
            return []
        self._started = True
        told = response if type(response) is dict else {}
        id, model = told.get("id"), told.get("model")
        return [Start(id if type(id) is str else "", model if type(model) is str else "")]

    # ── items and their parts ─────────────────────────────────────────────────────────────────────

    def _added(self, event: _Event) -> list[Event]:
        item, at = event.item, _place(event.output_index)
        if type(item) is not dict:
            return []
        if item.get("type") == "function_call":
            return self._begin((at, 0), "call", _use(item))
        return []

    def _part_added(self, event: _Event) -> list[Event]:
        part = event.part if type(event.part) is dict else {}
        kind = _PART.get(str(part.get("type")))
        if kind is None:
            return []
        return self._begin((_place(event.output_index), _place(event.content_index)), kind)

    def _part_done(self, key: Key, part: Any) -> list[Event]:
        block = self._blocks.get(key)
        if block is not None and type(part) is dict and type(text := part.get("text")) is str:
            block.length, block.annotations = len(text), part.get("annotations")
        return []

    def _begin(self, key: Key, kind: str, use: ToolUse | Image | None = None) -> list[Event]:
        """Makes a block, once; it is told when those before it are."""
        if key in self._seen:
            return []
        self._seen.add(key)
        part: Text | Thinking | ToolUse | Image = Thinking("")
        if type(use) is Image:
            part = use
        elif kind == "call":
            part, self._called = use or ToolUse("", "unknown"), True
        elif kind != "thinking":
            part = Text("", extra={"refusal": True} if kind == "refusal" else None)
            self._refused = self._refused or kind == "refusal"
        events = self._start(None)
        for other, block in self._blocks.items():
            # of one message the parts follow each other, whether their ends are told or not
            block.done = block.done or (other[0] == key[0] and kind != "call")
        self._blocks[key] = _Block(kind, part)
        return events + self._advance()

    def _piece(self, event: _Event, kind: str) -> list[Event]:
        text = event.delta
        if type(text) is not str or not text:
            return []
        place = event.content_index if kind in ("text", "refusal") else 0
        key = (_place(event.output_index), _place(place))
        events = self._begin(key, kind)
        block = self._blocks.get(key)
        if block is None:
            return events  # it was over
        summary = _place(event.summary_index)
        if kind == "thinking" and summary != block.summary:
            block.summary = summary
            text = _PARAGRAPH + text if block.told else text
        return events + self._say(key, block, text)

    def _say(self, key: Key, block: _Block, text: str) -> list[Event]:
        block.told = True
        if self._live and next(iter(self._blocks)) == key:
            return [_delta(block, self._next, text)]
        block.pieces.append(text)
        return []

    def _item_done(self, at: int, item: Any) -> list[Event]:
        """The whole of an item: what of it was not told yet is told now."""
        if type(item) is not dict:
            return []
        events: list[Event] = []
        for key, kind, text, use in _whole(item, at):
            events += self._begin(key, kind, use)
            block = self._blocks.get(key)
            if block is not None:
                if type(use) is ToolUse and type(block.part) is ToolUse and not block.told:
                    block.part.id, block.part.name = use.id, use.name
                sealed = item.get("encrypted_content")
                if kind == "thinking" and type(sealed) is str and sealed:
                    block.signature = f"{TAG}:{sealed}"
                if not block.told and text:
                    events += self._say(key, block, text)
                if kind == "text":
                    self._part_done(key, item["content"][key[1]])
        if type(other := item.get("type")) is str and other not in _TOLD:
            events += [*self._start(None), OpaqueEvent(other, {})]
        for (place, _), block in self._blocks.items():
            block.done = block.done or place == at
        return events + self._advance()

    def _advance(self) -> list[Event]:
        """Ends the block that is told if it is done, and begins the next one."""
        events: list[Event] = []
        while self._blocks:
            key = next(iter(self._blocks))
            block = self._blocks[key]
            if not self._live:
                self._live = True
                events.append(BlockStart(self._next, block.part))
                events += [_delta(block, self._next, piece) for piece in block.pieces]
                block.pieces.clear()
            if not block.done:
                return events
            if block.annotations:
                told = from_openai(block.annotations, self._said)
                events += [Cited(self._next, one) for one in told]
            self._said += block.length
            if block.signature:
                events.append(SignatureDelta(self._next, block.signature))
            events.append(BlockStop(self._next))
            self._next += 1
            self._live = False
            del self._blocks[key]
        return events

    # ── the end ───────────────────────────────────────────────────────────────────────────────────

    def end(self, response: Any) -> list[Event]:
        """The proper end, as the whole response tells it."""
        told: JSON = response if type(response) is dict else {}
        if told.get("status") == "failed":
            return self._fail(failure_of(told))
        events = self._start(told)
        output = told.get("output")
        for at, item in enumerate(output if type(output) is list else ()):
            events += self._item_done(at, item)
        for block in self._blocks.values():
            block.done = True
        events += self._advance()
        self._ended = True
        items = output if type(output) is list else ()
        searches = sum(type(i) is dict and i.get("type") == SEARCH for i in items)
        usage = read_usage(told.get("usage"), told.get("service_tier"), searches)
        if usage is not None:
            events.append(UsageSeen(usage))
        return [*events, Finish(self._reason(told))]

    def _reason(self, told: JSON) -> StopReason:
        details = told.get("incomplete_details")
        why = details.get("reason") if type(details) is dict else None
        if why is not None or told.get("status") == "incomplete":
            return _INCOMPLETE.get(why, "max_tokens") if type(why) is str else "max_tokens"
        if self._called:
            return "tool_use"
        return "refusal" if self._refused else "end_turn"

    def _fail(self, failure: Failure) -> list[Event]:
        self._ended = True
        return [failure]


def failure_of(response: Any) -> Failure:
    """Of a response that failed."""
    error = response.get("error") if type(response) is dict else None
    return in_stream({"error": error if type(error) is dict else {"message": str(error or "")}})


def _place(index: Any) -> int:
    return index if type(index) is int else 0


def _delta(block: _Block, index: int, text: str) -> Event:
    if block.kind == "call":
        return ArgumentsDelta(index, text)
    return ThinkingDelta(index, text) if block.kind == "thinking" else TextDelta(index, text)


def _use(item: JSON) -> ToolUse:
    id, name = item.get("call_id") or item.get("id"), item.get("name")
    return ToolUse(id if type(id) is str else "", name if type(name) is str and name else "unknown")


def _whole(item: JSON, at: int) -> list[tuple[Key, str, str, ToolUse | Image | None]]:
    """The blocks that an item is: key, kind, text, and the call or the image where it is one."""
    kind = item.get("type")
    if kind == "function_call":
        arguments = item.get("arguments")
        return [((at, 0), "call", arguments if type(arguments) is str else "", _use(item))]
    if kind == "custom_tool_call":
        given = msgspec.json.encode({"input": item.get("input") or ""}).decode()
        return [((at, 0), "call", given, _use(item))]
    if kind == "reasoning":
        return [((at, 0), "thinking", said(item), None)]
    if kind == _IMAGE and type(data := item.get("result")) is str and data:
        return [((at, 0), "image", "", Image(f"image/{item.get('output_format') or 'png'}", data))]
    content = item.get("content") if kind == "message" else None
    found: list[tuple[Key, str, str, ToolUse | Image | None]] = []
    for index, part in enumerate(content if type(content) is list else ()):
        known = _PART.get(str(part.get("type"))) if type(part) is dict else None
        if known is not None:
            text = part.get("refusal" if known == "refusal" else "text")
            found.append(((at, index), known, text if type(text) is str else "", None))
    return found
