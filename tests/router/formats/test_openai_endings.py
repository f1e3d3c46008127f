"""How OpenAI-compatible answers end: reasons, errors, cuts; whole answers (R01-R06, T04-07)."""

from __future__ import annotations

from typing import Any

import pytest

from router.errors import UpstreamError
from router.messages import (
    BlockStart,
    Failure,
    Finish,
    Start,
    TextDelta,
    ToolUse,
    Usage,
    UsageSeen,
)
from tests.router.formats.grammar import ERROR_TYPES, check_anthropic, check_events, check_openai
from tests.router.formats.seen_by_clients import CALL, events_of, shown
from tests.router.formats.wire import (
    DONE,
    A,
    O,
    ask_a,
    ask_o,
    chunk,
    dumps,
    provider,
)

CALLS = {"tool_calls": [CALL]}
REASONS: dict[str, tuple[Any, dict[str, Any], str]] = {
    "R01-stop": ("stop", {}, "end_turn"),
    "R01-length": ("length", {}, "max_tokens"),
    "R01-length-in-a-call": ("length", CALLS, "max_tokens"),
    "R01-tool_calls": ("tool_calls", CALLS, "tool_use"),
    "R01-function_call": ("function_call", {"function_call": {"name": "f"}}, "tool_use"),
    "R01-content_filter": ("content_filter", {}, "refusal"),
    "R01-stop-after-call": ("stop", CALLS, "tool_use"),
    "R01-call-that-never-came": ("tool_calls", {}, "end_turn"),
    "R02-eos": ("eos", {}, "end_turn"),
    "R02-model_length": ("model_length", {}, "max_tokens"),
    "R02-sensitive": ("sensitive", {}, "refusal"),
    "R02-empty": ("", CALLS, "tool_use"),
    "R02-upper": ("STOP", {}, "end_turn"),
    "R02-future": ("whatever", {}, "end_turn"),
    "R02-not-a-string": (7, {}, "end_turn"),
    "R05-refusal": ("stop", {"refusal": "No."}, "refusal"),
}


@pytest.mark.parametrize(("reason", "delta", "expected"), REASONS.values(), ids=REASONS.keys())
def test_stop_reasons(reason: Any, delta: dict[str, Any], expected: str) -> None:
    assert shown(chunk(**delta) + chunk(reason))["stop_reason"] == expected


def test_R01_no_reason_at_all() -> None:
    assert shown(chunk(content="t") + DONE)["stop_reason"] == "end_turn"
    assert shown(chunk(tool_calls=[CALL]) + DONE)["stop_reason"] == "tool_use"


def test_R01_the_stop_sequence_where_a_server_names_it() -> None:
    body = {"choices": [{"delta": {"content": "t"}, "finish_reason": "stop", "stop_reason": "###"}]}
    message = shown(b"data: " + dumps(body) + b"\n\n")
    assert (message["stop_reason"], message["stop_sequence"]) == ("stop_sequence", "###")


BROKEN: dict[str, tuple[bytes, str]] = {
    "T04-cut": (chunk(content="t"), "upstream"),
    "T04-cut-in-a-chunk": (chunk(content="t") + b'data: {"choi', "upstream"),
    "T04-cut-at-once": (b"", "upstream"),
    "T07-error-first": (
        b'data: {"error":{"message":"Overloaded","type":"overloaded_error"}}\n\n',
        "overload",
    ),
    "S12-error-later": (
        chunk(content="t") + b'data: {"error":{"message":"x","code":429}}\n\n',
        "quota",
    ),
    "S12-error-text": (b'data: {"error":"bad"}\n\n', "upstream"),
    "S12-vllm-error": (b'data: {"object":"error","message":"prompt is too long"}\n\n', "too_long"),
    "R02-error": (chunk("error"), "upstream"),
    "R02-network_error": (chunk("network_error"), "upstream"),
    "R02-no-resource": (chunk("insufficient_system_resource"), "overload"),
    "E07-not-json": (b"data: <html>\n\n", "upstream"),
    "E07-wrong-type": (b'data: {"choices":7}\n\n', "upstream"),
}


@pytest.mark.parametrize(("stream", "kind"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_streams_end_in_a_legal_error(stream: bytes, kind: str) -> None:
    events = events_of(stream)
    assert isinstance(events[-1], Failure)
    assert events[-1].kind == kind
    writer = A.writer(ask_a(), now=1, id="r1")
    told = check_anthropic(b"".join(writer.feed(event) for event in events) + writer.close())
    assert told["error"]["message"]
    assert told["error"]["type"] == ERROR_TYPES[kind], "S12"
    other = O.writer(ask_o(), now=1, id="r1")
    told = check_openai(b"".join(other.feed(event) for event in events) + other.close())
    assert told["error"]["message"]
    with pytest.raises(UpstreamError) as raised:
        A.render_response(events, ask_a(), now=1, id="r1")
    assert raised.value.kind == kind


def answer(message: Any, reason: Any = "stop", **more: Any) -> bytes:
    choice = {"index": 0, "message": message, "finish_reason": reason}
    return dumps({"id": "chatcmpl-1", "model": "m", "choices": [choice], **more})


def test_T06_whole_answers_are_read_as_streams_are() -> None:
    message = {
        "role": "assistant",
        "content": "<think>r</think>\nt",
        "tool_calls": [
            {"id": "a", "type": "function", "function": {"name": "f", "arguments": '{"x":1}'}}
        ],
    }
    usage = {"prompt_tokens": 3, "completion_tokens": 2}
    events = O.read_response(answer(message, None, usage=usage), provider())
    check_events(events)
    starts = [type(event.part).__name__ for event in events if isinstance(event, BlockStart)]
    assert starts == ["Thinking", "Text", "ToolUse"]
    assert events[-1] == Finish("tool_use")
    assert UsageSeen(Usage(input=3, output=2)) in events
    assert events[0] == Start("chatcmpl-1", "m")


def test_T06_a_stream_where_a_whole_answer_was_asked_for() -> None:
    events = O.read_response(chunk("stop", content="t") + DONE, provider())
    check_events(events)
    assert TextDelta(0, "t") in events


REFUSED: dict[str, tuple[bytes, str]] = {
    "E07-empty": (b"", "upstream"),
    "E07-page": (b"<html>502</html>", "upstream"),
    "E07-list": (b"[]", "upstream"),
    "E07-no-choices": (b'{"id":"x"}', "upstream"),
    "E07-empty-choices": (b'{"choices":[]}', "upstream"),
    "T07-error": (b'{"error":{"message":"Rate limit","code":429}}', "quota"),
    "T04-stream-cut": (chunk(content="t"), "upstream"),
}


@pytest.mark.parametrize(("body", "kind"), REFUSED.values(), ids=REFUSED.keys())
def test_a_200_that_is_no_answer(body: bytes, kind: str) -> None:
    with pytest.raises(UpstreamError) as raised:
        O.read_response(body, provider())
    assert raised.value.kind == kind
    assert "<" not in raised.value.message


def test_rendering_does_not_change_the_events() -> None:
    events = events_of(chunk(content="t") + chunk("stop", tool_calls=[CALL]))
    first = A.render_response(events, ask_a(), now=1, id="r")
    assert A.render_response(events, ask_a(), now=1, id="r") == first
    uses = [e.part for e in events if isinstance(e, BlockStart) and isinstance(e.part, ToolUse)]
    assert [use.arguments for use in uses] == [None]
