"""An OpenAI-compatible provider's stream, as events.

Its one rule: whatever order a provider sends things in, blocks come one after the other: pieces
for a block that cannot be told yet wait until the one before it is whole.
"""

from __future__ import annotations

from typing import Any

from router.errors import Kind
from router.formats import Frame
from router.formats.citations import from_openai, pages
from router.formats.failures import in_stream, nonsense
from router.formats.loose import loosely
from router.formats.openai_chat.calls import Call, CallPiece, Calls
from router.formats.openai_chat.chunk import BROKEN, Choice, Chunk, Delta, decode, plain
from router.formats.openai_chat.pictures import images
from router.formats.openai_chat.think_tags import CLOSER, ThinkTags
from router.formats.openai_chat.usage import read_usage
from router.messages import (
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
    Part,
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
from router.providers import quirks
from router.settings import Provider

_REASONS: dict[str, StopReason] = {
    "length": "max_tokens",
    "max_tokens": "max_tokens",
    "model_length": "max_tokens",
    "tool_calls": "tool_use",
    "function_call": "tool_use",
    "tool_use": "tool_use",
    "content_filter": "refusal",
    "sensitive": "refusal",
    "safety": "refusal",
    "refusal": "refusal",
    "recitation": "refusal",
    "prohibited_content": "refusal",
    "stop_sequence": "stop_sequence",
    "model_context_window_exceeded": "context_full",
}
#: reasons that say the answer broke: OpenRouter, Zhipu, DeepSeek
_BREAKS = frozenset({"error", "network_error", "insufficient_system_resource"})


class OpenAIReader:
    """One answer. `_open` is the kind of block being told, `_call` the call where it is one."""

    def __init__(self, provider: Provider) -> None:
        self._kind = provider.kind
        self._quirks = quirks(provider.kind)
        self._tags = ThinkTags()
        self._calls = Calls()
        self._next = 0
        self._open: str | None = None
        self._call: Call | None = None
        self._waiting: list[Call | tuple[str, str]] = []
        self._citations: list[Citation] = []  # until the text that they are for ends
        self._pages: list[Citation] = []  # of the whole answer
        self._images: list[Image] = []  # until the end
        self._reason: Any = None
        self._sequence: str | None = None
        self._refused = False
        self._started = False
        self._ended = False
        self._terse = True  # its chunks have been plain so far

    def feed(self, frame: Frame) -> list[Event]:
        data = frame.data
        if self._ended or not data:
            return []
        if self._open == "text" and self._terse and (text := self._words(data)):
            return [TextDelta(self._next, text)]
        if data[:1] == b"[" and data.strip() == b"[DONE]":
            return self.end()
        try:
            chunk: Chunk | None = decode(data)
        except BROKEN:
            chunk = loosely(data, Chunk)
        try:
            if chunk is not None:
                return self.take(chunk)
        except BROKEN:  # what a call of a tool holds is nested without end
            pass
        return self._fail(nonsense("a chunk that is not a chat completion's"))

    def _words(self, data: bytes) -> str:
        """What a plain chunk adds to the open text; "" where `take` must tell. A provider that says
        more in its chunks is not asked again."""
        try:
            text = plain(data).choices[0].delta.content
        except BROKEN:
            self._terse = False
            return ""
        return text if self._tags.off or not (CLOSER in text or self._tags.held) else ""

    def take(self, chunk: Chunk) -> list[Event]:
        """The events of one decoded chunk, or of a whole answer."""
        if chunk.error or chunk.object == "error":
            told = {"error": chunk.error} if chunk.error else {"message": chunk.message}
            return self._fail(in_stream(told))
        events: list[Event] = []
        if chunk.choices:
            if not self._started:
                self._start(chunk, events)
            for choice in chunk.choices:
                if not choice.index:  # of several answers only the first
                    self._choice(choice, events)
                else:
                    events.append(OpaqueEvent("choices", {}))
        if chunk.citations:
            self._pages = pages(chunk.citations)
        usage = None
        if chunk.usage is not None:
            usage = read_usage(chunk.usage, self._quirks, chunk.service_tier)
        if usage is not None:
            if not self._started:
                self._start(chunk, events)
            events.append(UsageSeen(usage))
            if self._reason is not None and not chunk.choices:
                return events + self.end()  # OpenAI's last chunk
        return events

    def close(self) -> list[Event]:
        if self._ended:
            return []
        if self._reason is not None:
            return self.end()
        return self._fail(nonsense("a stream that ended before its answer was complete"))

    def _start(self, chunk: Chunk, events: list[Event]) -> None:
        self._started = True
        id, model = chunk.id, chunk.model
        events.append(
            Start(id if isinstance(id, str) else "", model if isinstance(model, str) else "")
        )

    def _choice(self, choice: Choice, events: list[Event]) -> None:
        delta = choice.delta or choice.message
        if delta is not None:
            self._delta(delta, events)
        if choice.finish_reason is not None:
            self._reason = choice.finish_reason
            for sequence in (choice.stop_reason, choice.matched_stop):
                if isinstance(sequence, str):
                    self._sequence = sequence

    def _delta(self, delta: Delta, events: list[Event]) -> None:
        """One chunk may hold everything at once: thinking comes first, then text, then calls."""
        if delta.reasoning_content or delta.reasoning or delta.reasoning_details:
            self._reasoning(delta, events)
        if delta.thinking_blocks:
            self._signatures(delta.thinking_blocks, events)
        content = delta.content
        if content:
            if isinstance(content, str):
                self._content(content, events)
            elif isinstance(content, list):
                self._content_list(content, events)
        if delta.refusal and isinstance(delta.refusal, str):
            self._refused = True
            self._say("refusal", delta.refusal, events)
        if delta.annotations or delta.images or delta.audio:
            self._rare(delta, events)
        for piece in delta.tool_calls or ():
            self._call_piece(piece, events)
        if delta.function_call is not None:
            self._call_piece(CallPiece(index=0, function=delta.function_call), events)

    def _rare(self, delta: Delta, events: list[Event]) -> None:
        self._citations += from_openai(delta.annotations)
        self._images += images(delta.images)
        if delta.audio:
            events.append(OpaqueEvent("audio", {}))

    # ── text and thinking ─────────────────────────────────────────────────────────────────────────

    def _content(self, text: str, events: list[Event]) -> None:
        tags = self._tags
        if tags.off or (self._open == "text" and CLOSER not in text and not tags.held):
            self._say("text", text, events)
            return
        for thinking, piece in tags.feed(text):
            self._say("thinking" if thinking else "text", piece, events)

    def _content_list(self, content: list[Any], events: list[Event]) -> None:
        """Mistral's reasoning models answer with parts: thinking, then text."""
        for part in content:
            if not isinstance(part, dict):
                continue
            inner = part.get("thinking")
            if isinstance(inner, list):
                inner = "".join(str(p.get("text", "")) for p in inner if isinstance(p, dict))
            if isinstance(inner, str):
                self._say("thinking", inner, events)
            elif isinstance(part.get("text"), str):
                self._say("text", part["text"], events)

    def _reasoning(self, delta: Delta, events: list[Event]) -> None:
        self._tags.off = True
        text = delta.reasoning_content or delta.reasoning
        details = delta.reasoning_details if isinstance(delta.reasoning_details, list) else []
        if not isinstance(text, str):
            said = (d.get("text") or d.get("summary") for d in details if isinstance(d, dict))
            text = "".join(piece for piece in said if isinstance(piece, str))
        self._say("thinking", text, events)
        self._signatures(details, events)

    def _signatures(self, blocks: Any, events: list[Event]) -> None:
        """Tagged with the kind of provider that signed: it means nothing to another one."""
        for block in blocks if isinstance(blocks, list) else ():
            signature = block.get("signature") if isinstance(block, dict) else None
            if isinstance(signature, str) and signature:
                if self._open is None and self._call is None:
                    self._begin("thinking", Thinking(""), events)
                if self._open == "thinking":
                    events.append(SignatureDelta(self._next, f"{self._kind}:{signature}"))

    def _say(self, kind: str, text: str, events: list[Event]) -> None:
        if not text:
            return
        if self._call is not None and not self._settle(events):
            self._waiting.append((kind, text))
            return
        if self._open != kind:
            self._close_block(events)
            extra = {"refusal": True} if kind == "refusal" else None
            part = Thinking("") if kind == "thinking" else Text("", extra=extra)
            self._begin(kind, part, events)
        delta = ThinkingDelta if kind == "thinking" else TextDelta
        events.append(delta(self._next, text))

    # ── calls of tools ────────────────────────────────────────────────────────────────────────────

    def _call_piece(self, piece: CallPiece, events: list[Event]) -> None:
        call, new = self._calls.put(piece)
        if new:
            if self._call is not None and not self._settle(events):
                self._waiting.append(call)
                return
            self._close_block(events)
            self._call = call
        if call is self._call:
            self._tell(call, events)

    def _tell(self, call: Call, events: list[Event], last: bool = False) -> None:
        if not call.opened:
            if not call.name and not last:
                return
            call.opened = True
            extra = {"extra_content": call.extra} if call.extra else None
            self._begin("call", ToolUse(call.id, call.name or "unknown", extra=extra), events)
        text = call.take(last)
        if text:
            events.append(ArgumentsDelta(self._next, text))

    def _settle(self, events: list[Event], last: bool = False) -> bool:
        """Ends the open call if its arguments are whole, then tells what waited behind it. False
        while a call is still open."""
        while self._call is not None:
            if not (last or self._call.complete()):
                return False
            self._tell(self._call, events, last=True)
            self._call = None
            self._close_block(events)
            while self._waiting and self._call is None:
                item = self._waiting.pop(0)
                if isinstance(item, Call):
                    self._close_block(events)
                    self._call = item
                    self._tell(item, events)
                else:
                    self._say(*item, events)
        return True

    # ── blocks and the end ────────────────────────────────────────────────────────────────────────

    def _begin(self, kind: str, part: Part, events: list[Event]) -> None:
        self._open = kind
        events.append(BlockStart(self._next, part))

    def _close_block(self, events: list[Event]) -> None:
        if self._open is not None:
            if self._citations and self._open == "text":
                events += [Cited(self._next, one) for one in self._citations]
                self._citations.clear()
            events.append(BlockStop(self._next))
            self._next += 1
            self._open = None

    def end(self) -> list[Event]:
        """The proper end: what was held back, and the reason to stop. [] if it was told."""
        if self._ended:
            return []
        events: list[Event] = []
        if not self._started:
            self._start(Chunk(), events)
        for thinking, piece in self._tags.close():
            if piece.strip() or not (self._next or self._open):
                self._say("thinking" if thinking else "text", piece, events)
        self._settle(events, last=True)
        self._citations += self._pages
        self._close_block(events)
        if self._citations:  # they came behind a call
            self._begin("text", Text(""), events)
            self._close_block(events)
        for image in self._images:
            self._begin("image", image, events)
            self._close_block(events)
        self._ended = True
        reason = self._reason.lower() if isinstance(self._reason, str) else ""
        if reason in _BREAKS:
            kind: Kind = "overload" if reason.startswith("insufficient") else "upstream"
            events.append(Failure(kind, f"the provider ended its answer with {reason!r}", reason))
        else:
            events.append(Finish(self._stop_reason(reason), self._sequence))
        return events

    def _stop_reason(self, reason: str) -> StopReason:
        """Some say "stop" after a call, or promise a call that never came."""
        known = _REASONS.get(reason, "end_turn")
        if known in ("end_turn", "tool_use"):
            if self._calls:
                return "tool_use"
            if self._refused:
                return "refusal"
            return "stop_sequence" if self._sequence is not None else "end_turn"
        return known

    def _fail(self, failure: Failure) -> list[Event]:
        self._ended = True
        return [failure]
