"""tooluse: a call of the tool to leave by reaches the client as text, others as they are."""

from __future__ import annotations

import pytest

from router.formats.changed import changed
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Finish,
    Start,
    StopReason,
    Text,
    TextDelta,
    ToolUse,
)


def _call(index: int, name: str, *pieces: str) -> list[Event]:
    told = [ArgumentsDelta(index, piece) for piece in pieces]
    return [BlockStart(index, ToolUse("t", name)), *told, BlockStop(index)]


def _text(index: int, *pieces: str) -> list[Event]:
    told = [TextDelta(index, piece) for piece in pieces]
    return [BlockStart(index, Text("")), *told, BlockStop(index)]


Case = tuple[list[Event], StopReason, list[Event], StopReason]
READ = _call(0, "Read", '{"p": 1}')
CASES: list[Case] = [
    (_call(0, "ExitTool", '{"resp', 'onse": "é ok"}'), "tool_use", _text(0, "é ok"), "end_turn"),
    (_call(0, "ExitTool", "{'response': 'x'"), "tool_use", _text(0, "x"), "end_turn"),
    (_call(0, "ExitTool", '{"response": [1]}'), "tool_use", _text(0, "[1]"), "end_turn"),
    (_call(0, "ExitTool"), "tool_use", _text(0), "end_turn"),
    (READ, "tool_use", READ, "tool_use"),
    (
        [*READ, *_call(1, "ExitTool", '{"response": "x"}')],
        "tool_use",
        [*READ, *_text(1, "x")],
        "tool_use",
    ),
    (_call(0, "ExitTool", "{"), "max_tokens", _text(0), "max_tokens"),
    (_text(0, "hi"), "end_turn", _text(0, "hi"), "end_turn"),
]


@pytest.mark.parametrize(("blocks", "given", "expected", "ends"), CASES)
def test_the_exit_is_text(
    blocks: list[Event], given: StopReason, expected: list[Event], ends: StopReason
) -> None:
    events: list[Event] = [Start("m", "x"), *blocks, Finish(given)]
    assert changed(events, ["tooluse"]) == [Start("m", "x"), *expected, Finish(ends)]
