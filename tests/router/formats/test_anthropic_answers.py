"""Answers of Anthropic providers: as events, and as what either client then sees
(V07-V09, S03-S13, M02)."""

from __future__ import annotations

import json
from typing import Any

import pytest

from router.errors import UpstreamError
from router.messages import BlockStart, Event, Failure, Finish, Opaque, Start, Usage, UsageSeen
from tests.router.formats.grammar import (
    ERROR_TYPES,
    check_anthropic,
    check_events,
    check_openai,
    frames,
)
from tests.router.formats.wire import (
    A,
    O,
    ask_a,
    ask_o,
    begun,
    block,
    dumps,
    ended,
    provider,
    read,
    sse,
    text,
    use,
)

ME = provider("anthropic")


def events_of(stream: bytes) -> list[Event]:
    events = read(A.reader(ME), stream)
    check_events(events)
    return events


def said(text: str) -> dict[str, str]:
    return {"type": "text_delta", "text": text}


def thought(text: str) -> dict[str, str]:
    return {"type": "thinking_delta", "thinking": text}


def arguments(text: str) -> dict[str, str]:
    return {"type": "input_json_delta", "partial_json": text}


SIGNED = {"type": "signature_delta", "signature": "sig=="}
THINKING = {"type": "thinking", "thinking": "", "signature": ""}
STREAM = (
    begun(input_tokens=10, cache_read_input_tokens=4, output_tokens=1)
    + sse("ping")
    + block(0, THINKING, thought("h"), thought("m"), SIGNED)
    + block(1, {"type": "redacted_thinking", "data": "d"})
    + block(2, text(""), said("Hel"), said("lo"))
    + block(3, use("a", "f"), arguments('{"x"'), arguments(":1}"))
    + block(4, use("b", "g"))
    + ended("tool_use", output_tokens=9)
)
CONTENT = [
    {"type": "thinking", "thinking": "hm", "signature": "sig=="},
    {"type": "redacted_thinking", "data": "d"},
    text("Hello"),
    use("a", "f", x=1),
    use("b", "g"),
]
WHOLE = {
    "id": "msg_1",
    "type": "message",
    "role": "assistant",
    "model": "claude-y",
    "content": CONTENT,
    "stop_reason": "tool_use",
    "stop_sequence": None,
    "usage": {"input_tokens": 10, "cache_read_input_tokens": 4, "output_tokens": 9},
}


def test_S04_S10_an_anthropic_client_sees_the_same_message() -> None:
    writer = A.writer(ask_a(stream=True), now=1, id="r1")
    out = b"".join(writer.feed(event) for event in events_of(STREAM)) + writer.close()
    message = check_anthropic(out)
    assert message["content"] == CONTENT
    assert message["id"] == "msg_1"
    assert message["usage"]["cache_read_input_tokens"] == 4
    assert message["usage"]["output_tokens"] == 9
    assert out.index(b"sig==") < out.index(b'"content_block_stop","index":0')


def test_whole_and_streamed_answers_give_the_same() -> None:
    events = A.read_response(dumps(WHOLE), ME)
    check_events(events)
    streamed = A.render_response(events_of(STREAM), ask_a(), now=1, id="r1")
    whole = A.render_response(events, ask_a(), now=1, id="r1")
    assert json.loads(whole) == json.loads(streamed)
    assert json.loads(whole)["content"] == CONTENT
    assert A.read_response(STREAM, ME) == events_of(STREAM), "T06: streamed though not asked for"


def test_a_blank_text_of_an_answer_stays_as_it_is() -> None:
    blank = text(" \n")
    events = events_of(begun() + block(0, text(""), said(" \n")) + ended())
    assert json.loads(A.render_response(events, ask_a(), now=1, id="r1"))["content"] == [blank]


@pytest.mark.parametrize("wanted", [True, False])
def test_V07_V08_an_openai_client_sees_a_completion(wanted: bool) -> None:
    request = ask_o(stream=True, stream_options={"include_usage": wanted})
    writer = O.writer(request, now=17, id="r1")
    out = b"".join(writer.feed(event) for event in events_of(STREAM)) + writer.close()
    told = check_openai(out)
    usage = {
        "prompt_tokens": 14,
        "completion_tokens": 9,
        "total_tokens": 23,
        "prompt_tokens_details": {"cached_tokens": 4},
        "completion_tokens_details": {"reasoning_tokens": 0},
        "cache_creation_input_tokens": 0,
        "cache_read_input_tokens": 4,
    }
    assert told.get("usage") == (usage if wanted else None)
    told.pop("usage", None)
    assert told == {
        "id": "chatcmpl-r1",
        "model": "gpt-x",
        "created": 17,
        "role": "assistant",
        "content": "Hello",
        "reasoning": "hm",
        "thoughts": CONTENT[:2],
        "calls": [["a", "f", '{"x":1}'], ["b", "g", "{}"]],
        "reason": "tool_calls",
    }
    whole = json.loads(O.render_response(events_of(STREAM), request, now=17, id="r1"))
    message = whole["choices"][0]["message"]
    assert whole["object"] == "chat.completion"
    assert whole["usage"] == usage
    assert (message["content"], message["reasoning_content"]) == ("Hello", "hm")
    assert message["thinking_blocks"] == CONTENT[:2]
    assert [call["function"] for call in message["tool_calls"]] == [
        {"name": "f", "arguments": '{"x":1}'},
        {"name": "g", "arguments": "{}"},
    ]


REASONS = {
    "V09-end_turn": ("end_turn", "stop"),
    "V09-stop_sequence": ("stop_sequence", "stop"),
    "V09-max_tokens": ("max_tokens", "length"),
    "V09-context": ("model_context_window_exceeded", "length"),
    "V09-tool_use": ("tool_use", "tool_calls"),
    "V09-refusal": ("refusal", "content_filter"),
    "V09-pause_turn": ("pause_turn", "stop"),
    "R02-future": ("whatever", "stop"),
}


@pytest.mark.parametrize(("given", "expected"), REASONS.values(), ids=REASONS.keys())
def test_stop_reasons(given: str, expected: str) -> None:
    events = events_of(begun() + ended(given, "###"))
    writer = O.writer(ask_o(), now=1, id="r1")
    told = check_openai(b"".join(writer.feed(event) for event in events) + writer.close())
    assert told["reason"] == expected
    back = json.loads(A.render_response(events, ask_a(), now=1, id="r1"))
    assert back["stop_reason"] == ("end_turn" if given == "whatever" else given)
    assert back["stop_sequence"] == "###"


def test_V07_a_call_after_text_only_blocks_counts_from_0() -> None:
    """Opaque blocks of server tools and their arguments are not an OpenAI client's business."""
    search = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    stream = (
        begun()
        + block(0, search, arguments('{"query":"q"}'))
        + block(1, {"type": "web_search_tool_result", "tool_use_id": "s", "content": []})
        + block(2, use("a", "f"), arguments('{"x":1}'))
        + ended("tool_use")
    )
    writer = O.writer(ask_o(), now=1, id="r1")
    told = check_openai(
        b"".join(writer.feed(event) for event in events_of(stream)) + writer.close()
    )
    assert told["calls"] == [["a", "f", '{"x":1}']]
    parts = [event.part for event in events_of(stream) if isinstance(event, BlockStart)]
    assert isinstance(parts[0], Opaque)
    assert parts[0].body == search


def test_S13_what_only_anthropic_knows_goes_through_untouched() -> None:
    """Block by block and delta by delta, where the answer has to be written anew."""
    searched = {"type": "server_tool_use", "id": "s", "name": "web_search", "input": {}}
    found = {"type": "web_search_tool_result", "tool_use_id": "s", "content": [{"url": "u"}]}
    citation = {"type": "web_search_result_location", "url": "u", "cited_text": "x"}
    stream = (
        begun()
        + block(0, {"type": "redacted_thinking", "data": "sealed"})
        + block(1, searched, arguments('{"query":'), arguments('"q"}'))
        + block(2, found)
        + block(3, text(""), said("a"), {"type": "citations_delta", "citation": citation})
        + block(
            4,
            {"type": "compaction", "content": None},
            {"type": "compaction_delta", "content": "short"},
        )
        + ended()
    )
    writer = A.writer(ask_a(), now=1, id="r1")
    out = b"".join(writer.feed(event) for event in events_of(stream))
    told = [json.loads(data) for _, data in frames(out)]
    assert told[1:-2] == [json.loads(data) for _, data in frames(stream)][1:-2]


def test_S13_T11_citations_and_unknown_events_ride_along() -> None:
    citation = {"type": "char_location", "cited_text": "x"}
    cited = {"type": "citations_delta", "citation": citation}
    stream = begun() + block(0, text(""), said("a"), cited) + ended()
    writer = A.writer(ask_a(), now=1, id="r1")
    message = check_anthropic(b"".join(writer.feed(event) for event in events_of(stream)))
    assert message["content"] == [text("a", citations=[citation])]
    forged = b'event: x\ndata: {"type": "x\\nevent: message_stop"}\n\n'  # two lines of a frame
    odd = begun() + sse("future_event", x=1) + forged + ended()
    writer = A.writer(ask_a(), now=1, id="r1")
    out = b"".join(writer.feed(event) for event in events_of(odd))
    assert b'event: future_event\ndata: {"type":"future_event","x":1}\n\n' in out
    assert out.count(b"event: message_stop") == 1


IMITATIONS = {
    "S03-no-stop": begun()
    + sse("content_block_start", index=0, content_block=text(""))
    + sse("content_block_delta", index=0, delta=said("a"))
    + ended(),
    "S03-no-start": begun() + sse("content_block_delta", index=0, delta=said("a")) + ended(),
    "S03-indices": begun() + block(7, text(""), said("a")) + ended(),
    "S01-no-message_start": block(0, text(""), said("a")) + ended(),
    "S04-text-at-the-start": begun() + block(0, text("a")) + ended(),
    "S08-no-message_stop": begun()
    + block(0, text(""), said("a"))
    + sse("message_delta", delta={"stop_reason": "end_turn"}, usage={}),
    "T12-more-after-the-end": begun() + block(0, text(""), said("a")) + ended() + begun() + ended(),
    "S04-stray-signature": begun()
    + block(0, text(""), said("a"))
    + sse("content_block_delta", index=0, delta=SIGNED)
    + ended(),
}


@pytest.mark.parametrize("stream", IMITATIONS.values(), ids=IMITATIONS.keys())
def test_servers_that_only_imitate_anthropic_are_mended(stream: bytes) -> None:
    events = events_of(stream)
    assert isinstance(events[-1], Finish)
    writer = A.writer(ask_a(), now=1, id="r1")
    message = check_anthropic(b"".join(writer.feed(event) for event in events) + writer.close())
    assert message["content"] == [text("a")]


def test_S05_a_block_of_another_kind_opens_with_its_first_delta() -> None:
    wrong = begun() + block(0, text(""), thought("h"), said("a")) + ended()
    writer = A.writer(ask_a(), now=1, id="r1")
    message = check_anthropic(b"".join(writer.feed(event) for event in events_of(wrong)))
    kinds = [b["type"] for b in message["content"]]
    assert kinds == ["text", "thinking", "text"]
    assert message["content"][2] == text("a")


def test_S07_input_that_a_server_puts_into_the_start_is_not_lost() -> None:
    stream = begun() + block(0, use("a", "f", x=1)) + ended("tool_use")
    writer = A.writer(ask_a(), now=1, id="r1")
    message = check_anthropic(b"".join(writer.feed(event) for event in events_of(stream)))
    assert message["content"] == [use("a", "f", x=1)]


BROKEN: dict[str, tuple[bytes, str]] = {
    "T04-cut": (begun() + block(0, text(""), said("a")), "upstream"),
    "T04-cut-in-a-block": (begun() + block(0, text(""), said("a"))[:-60], "upstream"),
    "T04-empty": (b"", "upstream"),
    "S12-overloaded": (
        begun() + sse("error", error={"type": "overloaded_error", "message": "Overloaded"}),
        "overload",
    ),
    "T07-error-first": (sse("error", error={"type": "rate_limit_error", "message": "x"}), "quota"),
    "S12-api_error": (
        begun() + sse("error", error={"type": "api_error", "message": "x"}),
        "upstream",
    ),
    "E07-not-json": (begun() + b"data: oops\n\n", "upstream"),
    "E07-not-ours": (b'data: {"error":{"message":"x"}}\n\n', "upstream"),
    "S03-arguments-for-nothing": (
        begun() + sse("content_block_delta", index=0, delta=arguments("{")),
        "upstream",
    ),
    "S03-block-without-type": (
        begun() + sse("content_block_start", index=0, content_block={}),
        "upstream",
    ),
}


@pytest.mark.parametrize(("stream", "kind"), BROKEN.values(), ids=BROKEN.keys())
def test_broken_streams_end_in_a_legal_error(stream: bytes, kind: str) -> None:
    events = events_of(stream)
    assert isinstance(events[-1], Failure)
    assert events[-1].kind == kind
    for format, request, check in ((A, ask_a(), check_anthropic), (O, ask_o(), check_openai)):
        writer = format.writer(request, now=1, id="r1")
        out = b"".join(writer.feed(event) for event in events) + writer.close()
        error = check(out)["error"]
        assert error["message"]
        assert format is O or error["type"] == ERROR_TYPES[kind], "S12"
        assert writer.close() == writer.feed(Start("x", "y")) == writer.ping() == b"", "T12"
    with pytest.raises(UpstreamError):
        O.render_response(events, ask_o(), now=1, id="r1")


REFUSED = {
    "E07-empty": b"",
    "E07-page": b"<html>",
    "E07-list": b"[1]",
    "E07-no-content": b'{"type":"message"}',
    "E07-strange-block": b'{"content":[7]}',
    "T07-error": b'{"type":"error","error":{"type":"api_error","message":"x"}}',
}


@pytest.mark.parametrize("body", REFUSED.values(), ids=REFUSED.keys())
def test_a_200_that_is_no_message(body: bytes) -> None:
    with pytest.raises(UpstreamError):
        A.read_response(body, ME)


USAGES: dict[str, tuple[dict[str, Any], dict[str, Any], Usage]] = {
    "V08-input-from-the-start": (
        {"input_tokens": 10, "cache_read_input_tokens": 3, "output_tokens": 1},
        {"output_tokens": 9},
        Usage(input=10, cache_read=3, output=9),
    ),
    "V08-input-from-the-end": (
        {"input_tokens": 0, "output_tokens": 0},
        {"input_tokens": 7, "cache_read_input_tokens": 2, "output_tokens": 9},
        Usage(input=7, cache_read=2, output=9),
    ),
    "V08-zero-does-not-hide": (
        {"input_tokens": 10, "output_tokens": 1},
        {"input_tokens": 0, "output_tokens": 9},
        Usage(input=10, output=9),
    ),
    "M02-both-cache-ages": (
        {
            "input_tokens": 1,
            "cache_creation_input_tokens": 30,
            "cache_creation": {"ephemeral_5m_input_tokens": 10, "ephemeral_1h_input_tokens": 20},
        },
        {"output_tokens": 9, "cache_creation_input_tokens": 30},
        Usage(input=1, cache_write=10, cache_write_1h=20, output=9),
    ),
    "M02-thinking-inside-output": (
        {"input_tokens": 1},
        {"output_tokens": 9, "output_tokens_details": {"thinking_tokens": 4}},
        Usage(input=1, output=9, reasoning=4),
    ),
    "M02-nonsense": ({"input_tokens": "x"}, {"output_tokens": -1}, Usage()),
}


@pytest.mark.parametrize(("start", "end", "expected"), USAGES.values(), ids=USAGES.keys())
def test_usage(start: dict[str, Any], end: dict[str, Any], expected: Usage) -> None:
    events = events_of(begun(**start) + ended(**end))
    assert [event.usage for event in events if isinstance(event, UsageSeen)] == [expected]
    writer = A.writer(ask_a(), now=1, id="r1")
    told = check_anthropic(b"".join(writer.feed(event) for event in events))["usage"]
    again = events_of(begun(**told) + ended(output_tokens=told["output_tokens"]))
    back = next(event.usage for event in again if isinstance(event, UsageSeen))
    assert (back.prompt, back.output, back.cache_write_1h) == (
        expected.prompt,
        expected.output,
        expected.cache_write_1h,
    )


def test_T10_pings_only_while_a_stream_runs() -> None:
    for format, request in ((A, ask_a()), (O, ask_o())):
        writer = format.writer(request, now=1, id="r1")
        assert writer.ping() == b""
        writer.feed(Start("x", "y"))
        assert b"ping" in writer.ping()
        writer.feed(Finish("end_turn"))
        writer.close()
        assert writer.ping() == b""


def test_T04_closing_an_answer_that_did_not_end_is_an_error() -> None:
    for format, request, check in ((A, ask_a(), check_anthropic), (O, ask_o(), check_openai)):
        writer = format.writer(request, now=1, id="r1")
        assert "error" in check(writer.feed(Start("x", "y")) + writer.close())
