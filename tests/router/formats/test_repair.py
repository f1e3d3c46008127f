"""enhancetool: broken arguments of tool calls are mended, sound ones are not touched."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.formats.changed import changed
from router.formats.repair import sound
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Finish,
    Start,
    Text,
    TextDelta,
    ToolUse,
)

BROKEN = [
    ('{"a": 1', {"a": 1}),
    ('{"a": "x', {"a": "x"}),
    ("{'a': 'it'}", {"a": "it"}),
    ('{"a": 1,}', {"a": 1}),
    ("{a: 1}", {"a": 1}),
    ('```json\n{"a": [1, 2]}\n```', {"a": [1, 2]}),
    ('{"a": "line\nbreak"}', {"a": "line\nbreak"}),
    ('{"a": True}', {"a": True}),
    ("[1, 2]", {}),
    ("not at all", {}),
]


@pytest.mark.parametrize(("text", "meant"), BROKEN)
def test_broken(text: str, meant: object) -> None:
    assert json.loads(sound(text)) == meant


@pytest.mark.parametrize("text", ["", "  ", "{}", '{ "a" : 1.0e5, "é": "\\u00e9" }'])
def test_sound_stays_to_the_letter(text: str) -> None:
    assert sound(text) == text


@given(st.text(max_size=60))
def test_whatever_it_is_an_object_comes_out(text: str) -> None:
    made = sound(text)
    assert not made.strip() or isinstance(json.loads(made), dict)


def test_only_calls_wait_for_their_end() -> None:
    events: list[Event] = [
        Start("m", "x"),
        BlockStart(0, Text("")),
        TextDelta(0, "hi"),
        BlockStop(0),
        BlockStart(1, ToolUse("t", "get")),
        ArgumentsDelta(1, '{"a": '),
        ArgumentsDelta(1, "1"),
        BlockStop(1),
        Finish("tool_use"),
    ]
    assert changed(events, ["enhancetool"]) == [
        *events[:5],
        ArgumentsDelta(1, '{"a": 1}'),
        *events[7:],
    ]
