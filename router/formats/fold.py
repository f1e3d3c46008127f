"""A response's events, folded into one whole: its parts, usage and reason to stop.

Its one rule: whole and streamed answers come from the same events, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable

from msgspec import Struct, field
from msgspec.structs import replace

from router.formats.failures import raised
from router.formats.fields import json_object
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    Citation,
    Cited,
    Event,
    Failure,
    Finish,
    OpaqueEvent,
    Part,
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


class Whole(Struct):
    start: Start
    parts: list[Part] = field(default_factory=list)
    finish: Finish = field(default_factory=lambda: Finish("end_turn"))
    usage: Usage | None = None
    opaque: list[OpaqueEvent] = field(default_factory=list)
    #: the sources of a part, by its place in `parts`
    cited: dict[int, list[Citation]] = field(default_factory=dict)
    #: characters of text, thinking and arguments, as the writers of streams count them
    written: int = 0


def fold(events: Iterable[Event]) -> Whole:
    """Raises UpstreamError where the events hold a Failure."""
    whole = Whole(Start("", ""))
    pieces: list[str] = []
    signature: list[str] = []
    for event in events:
        if isinstance(event, BlockStart):
            _settle(whole, pieces, signature)
            whole.parts.append(replace(event.part))
        elif isinstance(event, (TextDelta, ThinkingDelta)):
            pieces.append(event.text)
        elif isinstance(event, ArgumentsDelta):
            pieces.append(event.json)
        elif isinstance(event, UsageSeen):
            whole.usage = event.usage
        elif isinstance(event, Finish):
            whole.finish = event
        elif isinstance(event, Start):
            whole.start, whole.usage = event, event.usage
        elif isinstance(event, SignatureDelta):
            signature.append(event.signature)
        elif isinstance(event, Cited):
            whole.cited.setdefault(len(whole.parts) - 1, []).append(event.citation)
        elif isinstance(event, Failure):
            raise raised(event)
        elif isinstance(event, OpaqueEvent) and event.kind != "ping":
            whole.opaque.append(event)
    _settle(whole, pieces, signature)
    return whole


def _settle(whole: Whole, pieces: list[str], signature: list[str]) -> None:
    """Puts what was gathered into the block that it belongs to."""
    if not whole.parts:
        return
    part, text = whole.parts[-1], "".join(pieces)
    whole.written += len(text)
    pieces.clear()
    if isinstance(part, Text):
        part.text += text
    elif isinstance(part, Thinking):
        part.text += text
        part.signature = "".join(signature) or part.signature
    elif isinstance(part, ToolUse) and (text or part.arguments is None):
        part.arguments = text
        part.input = json_object(text) if text.strip() else part.input
    signature.clear()
