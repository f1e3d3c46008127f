"""Blocks of an answer told one after the other, for providers that send whole pieces.

Its one rule: the events keep the grammar of router.messages whatever order the pieces come in; a
call of a tool arrives whole, so nothing ever has to wait.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Literal

import msgspec

from router.formats.fields import json_object
from router.messages import (
    JSON,
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Citation,
    Cited,
    Event,
    Part,
    SignatureDelta,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
)

_encode = msgspec.json.Encoder().encode


class Blocks:
    """`count` is how many blocks have begun; `calls` how many of them call a tool."""

    __slots__ = ("_ids", "_open", "calls", "count")

    def __init__(self) -> None:
        self._open: str | None = None
        self._ids: set[str] = set()
        self.count = 0
        self.calls = 0

    def say(self, kind: Literal["text", "thinking"], text: str, events: list[Event]) -> None:
        if not text:
            return
        if self._open != kind:
            self._begin(kind, Text("") if kind == "text" else Thinking(""), events)
        delta = TextDelta if kind == "text" else ThinkingDelta
        events.append(delta(self.count - 1, text))

    def sign(self, signature: str, events: list[Event], *, begin: bool) -> None:
        """Signs the open thinking; where there is none, one without words if `begin`."""
        if self._open != "thinking":
            if not begin:
                return
            self._begin("thinking", Thinking(""), events)
        events.append(SignatureDelta(self.count - 1, signature))
        self.close(events)

    def call(
        self, id: str, name: str, input: Any, events: list[Event], extra: JSON | None = None
    ) -> None:
        """A whole call: begun, told and ended. Some write its input as JSON in a string, and give
        several calls one id: a later one goes without, and the client's writer makes one."""
        if isinstance(input, str):
            input = json_object(input) or input
        if id in self._ids:
            id = ""
        self._ids.add(id)
        self._begin("call", ToolUse(id, name or "unknown", extra=extra), events)
        self.calls += 1
        if input:
            events.append(ArgumentsDelta(self.count - 1, _encode(input).decode()))
        self.close(events)

    def cite(self, sources: Iterable[Citation], events: list[Event]) -> None:
        """Behind the open text; where it is over, behind one without words."""
        if self._open != "text":
            self._begin("text", Text(""), events)
        events += [Cited(self.count - 1, one) for one in sources]

    def whole(self, part: Part, events: list[Event]) -> None:
        """A part that has no deltas."""
        self._begin("whole", part, events)
        self.close(events)

    def close(self, events: list[Event]) -> None:
        if self._open is not None:
            events.append(BlockStop(self.count - 1))
            self._open = None

    @property
    def open(self) -> str | None:
        return self._open

    def _begin(self, kind: str, part: Part, events: list[Event]) -> None:
        self.close(events)
        self._open = kind
        events.append(BlockStart(self.count, part))
        self.count += 1
