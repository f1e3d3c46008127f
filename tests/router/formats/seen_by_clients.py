"""What either client sees of an OpenAI-compatible provider's stream, for the tests of it."""

from __future__ import annotations

import json
from typing import Any

from router.messages import (
    Event,
)
from tests.router.formats.grammar import check_anthropic, check_events
from tests.router.formats.wire import (
    A,
    O,
    ask_a,
    piece,
    provider,
    read,
)


def events_of(stream: bytes, kind: str = "compatible") -> list[Event]:
    events = read(O.reader(provider(kind)), stream)
    check_events(events)
    return events


def shown(stream: bytes, kind: str = "compatible") -> dict[str, Any]:
    """What an Anthropic client sees, streamed; the whole answer must be the same."""
    events = events_of(stream, kind)
    request = ask_a(stream=True)
    writer = A.writer(request, now=1, id="r1")
    streamed = check_anthropic(b"".join(writer.feed(event) for event in events) + writer.close())
    whole = json.loads(A.render_response(events, request, now=1, id="r1"))
    assert whole["content"] == streamed["content"]
    assert whole["stop_reason"] == streamed["stop_reason"]
    assert whole["stop_sequence"] == streamed["stop_sequence"]
    return streamed


def content(stream: bytes, kind: str = "compatible") -> list[tuple[str, Any]]:
    blocks = shown(stream, kind)["content"]
    return [
        ("use", (b["id"], b["name"], b["input"]))
        if b["type"] == "tool_use"
        else (b["type"], b[b["type"]])
        for b in blocks
    ]


CALL = piece('{"x":1}', index=0, id="a", name="f")
DONE_CALL = ("use", ("a", "f", {"x": 1}))
