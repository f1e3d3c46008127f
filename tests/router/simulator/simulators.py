"""A real simulator process for tests, without waits, and a strict reader of Anthropic streams."""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import msgspec

Event = dict[str, Any]


@contextmanager
def simulator() -> Iterator[str]:
    """Started as the router starts it: with a listening socket, and stdin as its lifeline. Gives
    its base address."""
    listener = socket.create_server(("127.0.0.1", 0))
    process = start(listener)
    try:
        yield f"http://127.0.0.1:{listener.getsockname()[1]}"
    finally:
        listener.close()
        assert process.stdin is not None
        process.stdin.close()
        assert process.wait(10) == 0


def start(listener: socket.socket) -> subprocess.Popen[bytes]:
    fd = listener.fileno()
    return subprocess.Popen(
        [sys.executable, "-m", "router.simulator", "--fd", str(fd)],
        stdin=subprocess.PIPE,
        pass_fds=(fd,),
        env={**os.environ, "POINTSMAN_SIMULATOR_PACE": "0"},
    )


def events(stream: bytes) -> list[Event]:
    """Each event of a Messages stream. Its name must be its data's type."""
    *frames, rest = stream.decode().split("\n\n")
    assert rest == ""
    found = []
    for frame in frames:
        name, data = frame.split("\n")
        event: Event = msgspec.json.decode(data.removeprefix("data: "))
        assert name == f"event: {event['type']}"
        found.append(event)
    return found


_DELTAS = {
    "text": {"text_delta"},
    "tool_use": {"input_json_delta"},
    "thinking": {"thinking_delta", "signature_delta"},
}


def check_grammar(stream: list[Event]) -> list[Event]:
    """The order that Anthropic's clients rely on (wire checklist S01-S12). Gives the blocks, whole;
    the last item is the message_delta."""
    found = [event for event in stream if event["type"] != "ping"]
    first, *middle, delta, last = found
    assert (first["type"], delta["type"], last["type"]) == (
        "message_start",
        "message_delta",
        "message_stop",
    )
    message = first["message"]
    assert message["id"].startswith("msg_")
    assert (message["role"], message["content"], message["stop_reason"]) == ("assistant", [], None)
    assert message["usage"]["input_tokens"] + message["usage"]["cache_read_input_tokens"] > 0
    blocks: list[Event] = []
    open_index: int | None = None
    for event in middle:
        kind, index = event["type"], event["index"]
        if kind == "content_block_start":
            assert (open_index, index) == (None, len(blocks))
            open_index = index
            blocks.append({**event["content_block"], "json": ""})
        elif kind == "content_block_delta":
            assert index == open_index
            _grow(blocks[-1], event["delta"])
        else:
            assert (kind, index) == ("content_block_stop", open_index)
            open_index = None
    assert open_index is None
    assert delta["delta"].keys() == {"stop_reason", "stop_sequence"}
    for block in blocks:
        if block["type"] == "tool_use":
            assert block["input"] == {}
            block["input"] = msgspec.json.decode(block["json"] or "{}")
        if block["type"] == "thinking":
            assert block["signature"]
    return [*blocks, delta]


def _grow(block: Event, delta: Event) -> None:
    assert delta["type"] in _DELTAS[block["type"]]
    match delta["type"]:
        case "text_delta":
            block["text"] += delta["text"]
        case "thinking_delta":
            assert not block["signature"]  # the signature comes last
            block["thinking"] += delta["thinking"]
        case "signature_delta":
            block["signature"] += delta["signature"]
        case _:
            block["json"] += delta["partial_json"]
