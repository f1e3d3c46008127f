"""A response's events, folded into one whole: its parts, usage and reason to stop.

Its one rule: whole and streamed answers come from the same events, so they cannot differ.
"""

from __future__ import annotations

from collections.abc import Iterable
from copy import copy

from msgspec import Struct, field

from router.formats.failures import raised
from router.formats.fields import json_object
from router.messages import (
    ArgumentsDelta,
    BlockStart,
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
    #: characters of text, thinking and arguments, as the writers of streams count them
    written: int = 0


def fold(events: Iterable[Event]) -> Whole:
    """Raises UpstreamError where the events hold a Failure."""
    whole = Whole(Start("", ""))
    pieces: list[str] = []
    signature: list[str] = []
    for event in events:
        match event:
            case Start():
                whole.start = event
                whole.usage = event.usage
            case BlockStart(part=part):
                _settle(whole.parts, pieces, signature)
                whole.parts.append(copy(part))
            case TextDelta(text=piece) | ThinkingDelta(text=piece) | ArgumentsDelta(json=piece):
                pieces.append(piece)
                whole.written += len(piece)
            case SignatureDelta(signature=piece):
                signature.append(piece)
            case UsageSeen(usage=usage):
                whole.usage = usage
            case Finish():
                whole.finish = event
            case Failure():
                raise raised(event)
            case OpaqueEvent(kind=kind) if kind != "ping":
                whole.opaque.append(event)
    _settle(whole.parts, pieces, signature)
    return whole


def _settle(parts: list[Part], pieces: list[str], signature: list[str]) -> None:
    """Puts what was gathered into the block that it belongs to."""
    if not parts:
        return
    part, text = parts[-1], "".join(pieces)
    pieces.clear()
    if isinstance(part, Text | Thinking):
        part.text += text
    elif isinstance(part, ToolUse) and (text or part.arguments is None):
        part.arguments = text
        part.input = json_object(text) if text.strip() else part.input
    if isinstance(part, Thinking) and signature:
        part.signature = "".join(signature)
    signature.clear()
