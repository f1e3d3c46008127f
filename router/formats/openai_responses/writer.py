"""Events as a Responses client's stream, or as one whole response.

Its one rule: the grammar that clients check: every item added is done, every part of it likewise,
each event has the next sequence number, and the last one tells the whole response.
"""

from __future__ import annotations

from collections.abc import Iterable

import msgspec

from router.errors import RequestError
from router.formats import guess
from router.formats.citations import placed, to_responses
from router.formats.failures import nonsense, raised
from router.formats.fold import fold
from router.formats.names import originals
from router.formats.openai_chat.stream import PING
from router.formats.openai_chat.writer import refused
from router.formats.openai_responses.output import (
    Items,
    arguments,
    free_text,
    summary,
    written,
)
from router.formats.openai_responses.resource import Resource, status
from router.formats.openai_responses.tools import places
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
    b'event: %b\ndata: {"type":"%b","item_id":%b,"output_index":%d,%b"delta":%b,'
    b'"sequence_number":%d}\n\n'
)
#: the events that tell a piece of text, and where in its item that piece belongs
_TEXT = (b"response.output_text.delta", b'"content_index":0,"logprobs":[],')
_REFUSAL = (b"response.refusal.delta", b'"content_index":0,')
_SUMMARY = (b"response.reasoning_summary_text.delta", b'"summary_index":0,')
_ARGUMENTS = (b"response.function_call_arguments.delta", b"")


class ResponsesWriter:
    """One answer. `_part` is the block under way, as far as it was told; `output` what is done."""

    def __init__(self, request: Request, now: int, id: str) -> None:
        self.output: list[JSON] = []
        self.whole = b""  # the response, once its last event told it
        self._request = request
        self._now = now
        self._id = id
        self._items = Items(id, originals(request.tools), places(request.body))
        self._resource: Resource | None = None
        self._usage: Usage | None = None
        self._written = 0  # characters
        self._sequence = 0
        self._part: Part | None = None
        self._pieces: list[str] = []
        self._said = 0  # characters of the texts that are over
        self._citing: list[Citation] = []  # of the open one
        self._item = b""  # its id, as JSON
        self._begun = False
        self._ended = False

    def feed(self, event: Event) -> bytes:
        if self._ended:
            return b""
        if type(event) is TextDelta:
            refusal = isinstance(self._part, Text) and refused(self._part)
            return self._delta(*(_REFUSAL if refusal else _TEXT), event.text)
        return self._other(event)

    def _other(self, event: Event) -> bytes:
        match event:
            case ArgumentsDelta(json=text):
                return self._arguments(text)
            case ThinkingDelta(text=text):
                return self._thought(text)
            case SignatureDelta(signature=signature):
                if isinstance(self._part, Thinking):
                    self._part.signature = (self._part.signature or "") + signature
            case BlockStart(part=part):
                return self._begin(part)
            case BlockStop():
                return self._end_block()
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

    def passed(self, event: Event) -> None:
        """The provider's own bytes went to the client: what they held must be known to `fail`."""
        self._sequence += 1
        if type(event) is Start:
            self._begun = True
            self._resource = Resource(self._request, event, self._now, self._id)
        elif type(event) is Finish:
            self._ended = True

    def ping(self) -> bytes:
        return PING if self._begun and not self._ended else b""

    def fail(self, error: RequestError) -> bytes:
        if self._ended:
            return b""
        self._ended = True
        if self._resource is None:
            self._resource = Resource(self._request, Start("", ""), self._now, self._id)
        told = self._resource.failed(error, self.output)
        return self._event("response.failed", b'"response":' + told)

    def close(self) -> bytes:
        return self.fail(raised(nonsense("an answer without an end")))

    # ── events ────────────────────────────────────────────────────────────────────────────────────

    def _event(self, kind: str, body: bytes) -> bytes:
        number = self._sequence
        self._sequence += 1
        return b'event: %b\ndata: {"type":"%b","sequence_number":%d,%b}\n\n' % (
            kind.encode(),
            kind.encode(),
            number,
            body,
        )

    def _told(self, kind: str, body: JSON) -> bytes:
        return self._event(kind, _encode(body)[1:-1])

    def _delta(self, kind: bytes, where: bytes, text: str) -> bytes:
        self._written += len(text)
        self._pieces.append(text)
        number = self._sequence
        self._sequence += 1
        place = len(self.output)
        return _DELTA % (kind, kind, self._item, place, where, _encode(text), number)

    def _start(self, start: Start) -> bytes:
        self._begun = True
        self._usage = start.usage
        self._resource = Resource(self._request, start, self._now, self._id)
        body = b'"response":' + self._resource.encode("in_progress", [])
        return self._event("response.created", body) + self._event("response.in_progress", body)

    def _at(self, **more: object) -> JSON:
        """Where the item under way is."""
        id = msgspec.json.decode(self._item)
        return {"item_id": id, "output_index": len(self.output), **more}

    # ── blocks ────────────────────────────────────────────────────────────────────────────────────

    def _begin(self, part: Part) -> bytes:
        item = self._items.item(part, len(self.output), "in_progress")
        self._part, self._pieces = None, []
        if item is None:
            return b""
        self._part = part
        self._item = _encode(item["id"])
        added = {"output_index": len(self.output), "item": item}
        out = self._told("response.output_item.added", added)
        if isinstance(part, Text):
            empty = written("", refused(part))
            out += self._told("response.content_part.added", self._at(content_index=0, part=empty))
            return out + (self.feed(TextDelta(0, part.text)) if part.text else b"")
        if isinstance(part, Thinking) and part.text:
            return out + self._thought(part.text)
        if isinstance(part, ToolUse) and (part.input or part.arguments):
            return out + self._arguments(arguments(part))
        return out

    def _thought(self, text: str) -> bytes:
        """The first words open the one part of the summary."""
        if self._pieces:
            return self._delta(*_SUMMARY, text)
        at = self._at(summary_index=0, part=summary(""))
        out = self._told("response.reasoning_summary_part.added", at)
        return out + self._delta(*_SUMMARY, text)

    def _arguments(self, text: str) -> bytes:
        """A custom tool's text can be told only when the function's arguments are whole."""
        part = self._part
        if not isinstance(part, ToolUse):
            return b""
        if self._items.place(part).custom:
            self._written += len(text)
            self._pieces.append(text)
            return b""
        return self._delta(*_ARGUMENTS, text)

    def _end_block(self) -> bytes:
        part, text = self._part, "".join(self._pieces)
        match part:
            case None:
                return b""
            case Text():
                sources, out = self._sources(text)
                out += self._end_text(part, text, sources)
                extra = {**(part.extra or {}), "annotations": sources} if sources else part.extra
                part = Text(text, extra=extra)
            case Thinking() if text:
                out = self._end_thought(text)
                part = Thinking(text, part.signature)
            case ToolUse():
                part = ToolUse(part.id, part.name, part.input, text)
                out = self._end_call(part)
            case _:
                out = b""
        return out + self._done(part)

    def _end_thought(self, text: str) -> bytes:
        said = self._at(summary_index=0, text=text)
        part = self._at(summary_index=0, part=summary(text))
        return self._told("response.reasoning_summary_text.done", said) + self._told(
            "response.reasoning_summary_part.done", part
        )

    def _sources(self, text: str) -> tuple[list[JSON], bytes]:
        """Of the text that ends: what its part holds, and the events that tell it."""
        before, self._said = self._said, self._said + len(text)
        if not self._citing:
            return [], b""
        found = to_responses(placed(self._citing, before, self._said), before)
        self._citing.clear()
        where = [
            self._at(content_index=0, annotation_index=number, annotation=one)
            for number, one in enumerate(found)
        ]
        kind = "response.output_text.annotation.added"
        return found, b"".join(self._told(kind, one) for one in where)

    def _end_text(self, part: Text, text: str, sources: list[JSON]) -> bytes:
        refusal = refused(part)
        name = "refusal" if refusal else "output_text"
        told: JSON = {"refusal": text} if refusal else {"text": text, "logprobs": []}
        return self._told(f"response.{name}.done", self._at(content_index=0, **told)) + self._told(
            "response.content_part.done",
            self._at(content_index=0, part=written(text, refusal, sources)),
        )

    def _end_call(self, use: ToolUse) -> bytes:
        place = self._items.place(use)
        if place.custom:
            given = free_text(use)
            kind = "response.custom_tool_call_input"
            out = self._told(f"{kind}.delta", self._at(delta=given))
            return out + self._told(f"{kind}.done", self._at(input=given))
        told = {"name": place.name, "arguments": arguments(use)}
        return self._told("response.function_call_arguments.done", self._at(**told))

    def _done(self, part: Part) -> bytes:
        item = self._items.item(part, len(self.output))
        assert item is not None
        out = self._told(
            "response.output_item.done", {"output_index": len(self.output), "item": item}
        )
        self.output.append(item)
        self._part = None
        return out

    def _finish(self, finish: Finish) -> bytes:
        self._ended = True
        usage = self._usage or guess.usage(self._request, self._written)
        assert self._resource is not None
        self.whole = self._resource.finished(finish, self.output, usage)
        kind = f"response.{status(finish, self.output)}"
        return self._event(kind, b'"response":' + self.whole)


def render_response(events: Iterable[Event], request: Request, now: int, id: str) -> bytes:
    """Raises UpstreamError where the events end in a Failure."""
    whole = fold(events)
    items = Items(id, originals(request.tools), places(request.body))
    output: list[JSON] = []
    said = 0
    for number, part in enumerate(whole.parts):
        if isinstance(part, Text):
            before, said = said, said + len(part.text)
            if told := placed(whole.cited.get(number, ()), before, said):
                part.extra = {**(part.extra or {}), "annotations": to_responses(told, before)}
        item = items.item(part, len(output))
        if item is not None:
            output.append(item)
    usage = whole.usage or guess.usage(request, whole.written)
    return Resource(request, whole.start, now, id).finished(whole.finish, output, usage)
