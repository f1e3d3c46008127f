"""Answers of OpenAI-compatible providers: as events, and as what either client then sees
(R01-R15, S05-S11, T04-T12). Every stream is also read whole, and must say the same."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.errors import UpstreamError
from router.messages import (
    BlockStart,
    Event,
    Failure,
    Finish,
    Start,
    TextDelta,
    ToolUse,
    Usage,
    UsageSeen,
)
from tests.router.formats.grammar import check_anthropic, check_events, check_openai
from tests.router.formats.wire import (
    DONE,
    A,
    O,
    ask_a,
    ask_o,
    chunk,
    dumps,
    piece,
    provider,
    read,
    usage_chunk,
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
STREAMS: dict[str, tuple[bytes, list[tuple[str, Any]]]] = {
    "plain": (chunk(content="Hel") + chunk(content="lo") + chunk("stop"), [("text", "Hello")]),
    "S11-empty": (chunk(role="assistant", content="") + chunk("stop"), []),
    "S11-nothing-but-done": (DONE, []),
    "R03-order": (
        chunk(tool_calls=[CALL], content="t", reasoning_content="r") + chunk("stop"),
        [("thinking", "r"), ("text", "t"), DONE_CALL],
    ),
    "R04-reasoning_content": (
        chunk(reasoning_content="a", content=None)
        + chunk(reasoning_content="b")
        + chunk("stop", content="t"),
        [("thinking", "ab"), ("text", "t")],
    ),
    "R04-reasoning": (
        chunk(reasoning="a", reasoning_details=[{"type": "reasoning.text", "text": "a"}])
        + chunk("stop", content="t"),
        [("thinking", "a"), ("text", "t")],
    ),
    "R04-details": (
        chunk(reasoning_details=[{"type": "reasoning.summary", "summary": "a"}]) + chunk("stop"),
        [("thinking", "a")],
    ),
    "R04-mistral-parts": (
        chunk(content=[{"type": "thinking", "thinking": [{"type": "text", "text": "a"}]}])
        + chunk("stop", content=[{"type": "text", "text": "t"}]),
        [("thinking", "a"), ("text", "t")],
    ),
    "R04-tags": (
        chunk(content="<think>a</think>\n\nt") + chunk("stop"),
        [("thinking", "a"), ("text", "t")],
    ),
    "R04-tags-split": (
        b"".join(chunk(content=c) for c in "\n<think>a<b</think>\n\nt") + chunk("stop"),
        [("thinking", "a<b"), ("text", "t")],
    ),
    "R04-tags-unclosed": (
        chunk(content="<think>a</thi") + chunk("length"),
        [("thinking", "a</thi")],
    ),
    "R04-orphan": (
        chunk(content="a\n</think>\n\nt") + chunk("stop"),
        [("thinking", "a"), ("text", "t")],
    ),
    "R04-not-a-tag": (
        chunk(content="Use `<think>` and `</think>` so.") + chunk("stop"),
        [("text", "Use `<think>` and `</think>` so.")],
    ),
    "R04-almost-a-tag": (
        chunk(content="<th") + chunk(content="e") + chunk("stop"),
        [("text", "<the")],
    ),
    "R05-refusal": (chunk(refusal="No.") + chunk("stop"), [("text", "No.")]),
    "R06-empty-arguments": (
        chunk(tool_calls=[piece("", index=0, id="a", name="f")]) + chunk("tool_calls"),
        [("use", ("a", "f", {}))],
    ),
    "R06-twice-encoded": (
        chunk(tool_calls=[piece('"{\\"x', index=0, id="a", name="f")])
        + chunk("tool_calls", tool_calls=[piece('\\":1}"', index=0)]),
        [DONE_CALL],
    ),
    "R06-object": (
        chunk(
            "stop",
            tool_calls=[{"index": 0, "id": "a", "function": {"name": "f", "arguments": {"x": 1}}}],
        ),
        [DONE_CALL],
    ),
    "R07-name-and-id-once": (
        chunk(tool_calls=[piece('{"x"', index=0, id="a", name="f")])
        + chunk("tool_calls", tool_calls=[piece(":1}", index=0)]),
        [DONE_CALL],
    ),
    "R07-repeated": (
        chunk(tool_calls=[piece('{"x"', index=0, id="a", name="f")])
        + chunk("stop", tool_calls=[piece(":1}", index=0, id="a", name="f")]),
        [DONE_CALL],
    ),
    "R07-id-empty-later": (
        chunk(tool_calls=[piece('{"x"', index=0, id="a", name="f")])
        + chunk("stop", tool_calls=[piece(":1}", index=0, id="")]),
        [DONE_CALL],
    ),
    "R07-all-index-0": (
        chunk(tool_calls=[CALL])
        + chunk("stop", tool_calls=[piece("{}", index=0, id="b", name="g")]),
        [DONE_CALL, ("use", ("b", "g", {}))],
    ),
    "R07-no-index": (
        chunk(tool_calls=[piece('{"x"', id="a", name="f")])
        + chunk(tool_calls=[piece(":1}")])
        + chunk("stop", tool_calls=[piece("{}", id="b", name="g")]),
        [DONE_CALL, ("use", ("b", "g", {}))],
    ),
    "R07-no-ids-at-all": (
        chunk(tool_calls=[piece('{"x":1}', index=0, name="f")])
        + chunk("stop", tool_calls=[piece('{"y":2}', index=0, name="g")]),
        [("use", ("toolu_r1_0", "f", {"x": 1})), ("use", ("toolu_r1_1", "g", {"y": 2}))],
    ),
    "Q06-numeric-ids": (
        chunk(
            "stop",
            tool_calls=[
                piece("{}", index=0, id="0", name="f"),
                piece("{}", index=1, id="1", name="g"),
            ],
        ),
        [("use", ("toolu_r1_0", "f", {})), ("use", ("toolu_r1_1", "g", {}))],
    ),
    "R07-name-after-id": (
        chunk(tool_calls=[piece(None, index=0, id="a")])
        + chunk("stop", tool_calls=[piece('{"x":1}', index=0, name="f")]),
        [DONE_CALL],
    ),
    "R08-two-in-one-chunk": (
        chunk("tool_calls", tool_calls=[CALL, piece("{}", index=1, id="b", name="g")]),
        [DONE_CALL, ("use", ("b", "g", {}))],
    ),
    "R08-with-finish": (chunk("stop", content="all"), [("text", "all")]),
    "S05-switch-loses-nothing": (
        chunk(reasoning="r")
        + chunk(content="t")
        + chunk(reasoning="s")
        + chunk("stop", content="u"),
        [("thinking", "r"), ("text", "t"), ("thinking", "s"), ("text", "u")],
    ),
    "S06-interleaved": (
        chunk(tool_calls=[piece('{"x"', index=0, id="a", name="f")])
        + chunk(tool_calls=[piece('{"y"', index=1, id="b", name="g")])
        + chunk(tool_calls=[piece(":1}", index=0)])
        + chunk("stop", tool_calls=[piece(":2}", index=1)]),
        [DONE_CALL, ("use", ("b", "g", {"y": 2}))],
    ),
    "S06-text-in-between": (
        chunk(tool_calls=[piece('{"x"', index=0, id="a", name="f")])
        + chunk(content="t")
        + chunk("stop", tool_calls=[piece(":1}", index=0)]),
        [DONE_CALL, ("text", "t")],
    ),
    "S06-empty-first": (
        chunk(tool_calls=[piece("", index=0, id="a", name="f")])
        + chunk(tool_calls=[piece("{}", index=1, id="b", name="g")])
        + chunk("stop", tool_calls=[piece('{"x":1}', index=0)]),
        [DONE_CALL, ("use", ("b", "g", {}))],
    ),
    "R09-azure-filter": (
        b"data: "
        + dumps({"choices": [], "model": "", "prompt_filter_results": []})
        + b"\n\n"
        + chunk("stop", content="t"),
        [("text", "t")],
    ),
    "R09-several-answers": (
        chunk(content="t")
        + b'data: {"choices":[{"index":1,"delta":{"content":"other"}}]}\n\n'
        + chunk("stop"),
        [("text", "t")],
    ),
    "R14-empty-content": (chunk("stop", content="", tool_calls=[CALL]), [DONE_CALL]),
    "R14-blank-content": (chunk(content="\n") + chunk("stop", tool_calls=[CALL]), [DONE_CALL]),
    "R15-annotations": (chunk("stop", content="t", annotations=[{"type": "url"}]), [("text", "t")]),
    "T03-keep-alive": (
        b": OPENROUTER PROCESSING\n\n" + chunk("stop", content="t"),
        [("text", "t")],
    ),
    "T11-unknown-fields": (
        chunk("stop", content="t", future={"x": 1}) + b'data: {"future":1}\n\n',
        [("text", "t")],
    ),
    "T12-after-done": (chunk("stop", content="t") + DONE + chunk(content="late"), [("text", "t")]),
    "T02-utf8": (chunk("stop", content="漢字🎉"), [("text", "漢字🎉")]),
}


@pytest.mark.parametrize(("stream", "expected"), STREAMS.values(), ids=STREAMS.keys())
def test_streams(stream: bytes, expected: list[tuple[str, Any]]) -> None:
    assert content(stream) == expected
    assert content(stream + DONE) == expected


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
    other = O.writer(ask_o(), now=1, id="r1")
    told = check_openai(b"".join(other.feed(event) for event in events) + other.close())
    assert told["error"]["message"]
    with pytest.raises(UpstreamError) as raised:
        A.render_response(events, ask_a(), now=1, id="r1")
    assert raised.value.kind == kind


USAGES: dict[str, tuple[str, dict[str, Any], Usage]] = {
    "R10-cached-inside": (
        "openai",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 15,
            "prompt_tokens_details": {"cached_tokens": 4},
            "completion_tokens_details": {"reasoning_tokens": 2},
        },
        Usage(input=6, cache_read=4, output=5, reasoning=2),
    ),
    "R10-deepseek": (
        "deepseek",
        {"prompt_tokens": 10, "completion_tokens": 5, "prompt_cache_hit_tokens": 4},
        Usage(input=6, cache_read=4, output=5),
    ),
    "R10-written-inside": (
        "openrouter",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "prompt_tokens_details": {"cached_tokens": 4, "cache_write_tokens": 3},
        },
        Usage(input=3, cache_read=4, cache_write=3, output=5),
    ),
    "R10-never-negative": (
        "openai",
        {
            "prompt_tokens": 3,
            "completion_tokens": -5,
            "prompt_tokens_details": {"cached_tokens": 9},
        },
        Usage(input=0, cache_read=3),
    ),
    "R10-outside-reasoning": (
        "xai",
        {
            "prompt_tokens": 10,
            "completion_tokens": 5,
            "total_tokens": 22,
            "completion_tokens_details": {"reasoning_tokens": 7},
        },
        Usage(input=10, output=12, reasoning=7),
    ),
    "R10-gemini-total": (
        "gemini",
        {"prompt_tokens": 10, "completion_tokens": 5, "total_tokens": 22},
        Usage(input=10, output=12, reasoning=7),
    ),
    "M02-nonsense": ("openai", {"prompt_tokens": "7", "prompt_tokens_details": 3}, Usage()),
}


@pytest.mark.parametrize(("kind", "body", "expected"), USAGES.values(), ids=USAGES.keys())
def test_usage(kind: str, body: dict[str, Any], expected: Usage) -> None:
    stream = chunk("stop", content="t") + usage_chunk(**body) + DONE
    seen = [event.usage for event in events_of(stream, kind) if isinstance(event, UsageSeen)]
    assert seen == [expected]
    told = shown(stream, kind)["usage"]
    assert told["input_tokens"] == expected.input
    assert told["cache_read_input_tokens"] == expected.cache_read
    assert told["cache_creation_input_tokens"] == expected.cache_write
    assert told["output_tokens"] == expected.output


def test_R12_repeated_usage_is_the_last_not_the_sum() -> None:
    stream = b"".join(
        chunk(
            "stop" if n == 3 else None,
            usage={"prompt_tokens": 5, "completion_tokens": n},
            content="t",
        )
        for n in (1, 2, 3)
    )
    assert shown(stream)["usage"]["output_tokens"] == 3


def test_S09_the_usage_after_the_reason_is_waited_for() -> None:
    reader, writer = O.reader(provider()), A.writer(ask_a(), now=1, id="r1")
    from router.framing import Framer

    framer = Framer()
    out = [
        b"".join(writer.feed(e) for f in framer.feed(c) for e in reader.feed(f))
        for c in (
            chunk("stop", content="t"),
            usage_chunk(prompt_tokens=7, completion_tokens=5),
        )
    ]
    assert b"message_delta" not in out[0]
    assert b'"input_tokens":7' in out[1]
    assert out[1].endswith(b'data: {"type":"message_stop"}\n\n')


def test_R11_S02_missing_usage_is_estimated() -> None:
    message = shown(chunk("stop", content="word " * 20))
    assert message["usage"]["input_tokens"] > 0
    assert message["usage"]["output_tokens"] == 25


def test_C03_an_image_is_not_counted_as_text() -> None:
    from router.formats.guess import prompt_tokens
    from tests.router.formats.wire import user

    picture = {"type": "base64", "media_type": "image/png", "data": "A" * 400_000}
    request = ask_a(messages=[user([{"type": "image", "source": picture}])])
    assert prompt_tokens(request) < 2000


def test_R13_the_client_sees_the_model_it_asked_for() -> None:
    stream = chunk("stop", content="t")
    assert shown(stream)["model"] == "claude-x"
    nameless = A.parse_request(dumps({"messages": [{"role": "user", "content": "hi"}]}))
    assert json.loads(A.render_response(events_of(stream), nameless, now=1, id="r"))["model"] == "m"


def test_Q07_the_client_sees_its_own_tool_names() -> None:
    from router.formats.names import plain

    name = "mcp__a.b__" + "n" * 80
    request = ask_a(tools=[{"name": name, "input_schema": {}}])
    stream = chunk("stop", tool_calls=[piece("{}", index=0, id="a", name=plain(name))])
    whole = json.loads(A.render_response(events_of(stream), request, now=1, id="r"))
    assert whole["content"][0]["name"] == name
    writer = A.writer(request, now=1, id="r")
    streamed = check_anthropic(b"".join(writer.feed(event) for event in events_of(stream)))
    assert streamed["content"][0]["name"] == name


def test_S10_a_signature_comes_last_and_says_whose_it_is() -> None:
    details = [{"type": "reasoning.text", "text": "", "signature": "sig"}]
    stream = chunk(reasoning="hm") + chunk(reasoning_details=details) + chunk("stop", content="t")
    thinking = shown(stream, "openrouter")["content"][0]
    assert thinking == {"type": "thinking", "thinking": "hm", "signature": "openrouter:sig"}


def test_R06_arguments_that_are_not_json_are_shown_not_hidden() -> None:
    stream = chunk("length", tool_calls=[piece('{"x": tru', index=0, id="a", name="f")])
    events = events_of(stream)
    whole = json.loads(A.render_response(events, ask_a(), now=1, id="r"))
    assert whole["content"][0]["input"] == {"_invalid_json": '{"x": tru'}
    other = json.loads(O.render_response(events, ask_o(), now=1, id="r"))
    assert other["choices"][0]["message"]["tool_calls"][0]["function"]["arguments"] == '{"x": tru'


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
