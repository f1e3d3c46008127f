"""Answers of Responses providers, and answers to Responses clients: the grammar, both ways."""

from __future__ import annotations

import json
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import CallerError, UpstreamError
from router.formats.openai_responses.whole import glance
from router.messages import (
    BlockStart,
    BlockStop,
    Event,
    Failure,
    Finish,
    RedactedThinking,
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
from router.tally import Tally
from tests.router.formats.grammar import check_anthropic, check_events, check_openai
from tests.router.formats.responses_grammar import check_response, check_responses
from tests.router.formats.test_any_bytes import near, read_pieces
from tests.router.formats.wire import FORMATS, A, O, ask_a, ask_o, dumps, provider, read

R = FORMATS["openai_responses"]
UPSTREAM = provider("openai", format="openai_responses")


def told(kind: str, **body: Any) -> bytes:
    """One event of a provider."""
    return b"event: response.%b\ndata: %b\n\n" % (
        kind.encode(),
        dumps({"type": f"response.{kind}", **body}),
    )


USAGE = {
    "input_tokens": 30,
    "input_tokens_details": {"cached_tokens": 20, "cache_write_tokens": 4},
    "output_tokens": 9,
    "output_tokens_details": {"reasoning_tokens": 5},
}
CALL = {"id": "fc_1", "type": "function_call", "call_id": "c1", "name": "f"}
MESSAGE = {"id": "m1", "type": "message", "role": "assistant"}
THOUGHT = {"id": "rs_1", "type": "reasoning", "summary": []}
SAID = {"type": "output_text", "text": "t🎉", "annotations": []}
SUMMARY = [{"type": "summary_text", "text": "h漢"}, {"type": "summary_text", "text": "more"}]
OUTPUT = [
    {**THOUGHT, "summary": SUMMARY, "encrypted_content": "abc"},
    {**MESSAGE, "content": [SAID]},
    {**CALL, "arguments": '{"x":1}'},
    {**CALL, "call_id": "c2", "name": "g", "arguments": "{}"},
]
BEGUN = told("created", response={"id": "resp_1", "model": "m", "output": []})
ENDED = told(
    "completed",
    response={"id": "resp_1", "status": "completed", "output": OUTPUT, "usage": USAGE},
)
#: two calls whose pieces come mixed
STREAM = b"".join(
    (
        BEGUN,
        told("in_progress", response={}),
        told("output_item.added", output_index=0, item=THOUGHT),
        told("reasoning_summary_part.added", output_index=0, summary_index=0, part={}),
        told("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="h"),
        told("reasoning_summary_text.delta", output_index=0, summary_index=0, delta="漢"),
        told("reasoning_summary_text.delta", output_index=0, summary_index=1, delta="more"),
        told("output_item.done", output_index=0, item=OUTPUT[0]),
        told("output_item.added", output_index=1, item=MESSAGE),
        told("content_part.added", output_index=1, content_index=0, part={**SAID, "text": ""}),
        told("output_text.delta", output_index=1, content_index=0, delta="t"),
        told("output_text.delta", output_index=1, content_index=0, delta="🎉"),
        told("output_item.done", output_index=1, item=OUTPUT[1]),
        told("output_item.added", output_index=2, item=CALL),
        told("output_item.added", output_index=3, item={**CALL, "call_id": "c2", "name": "g"}),
        told("function_call_arguments.delta", output_index=3, delta="{}"),
        told("function_call_arguments.delta", output_index=2, delta='{"x"'),
        told("function_call_arguments.delta", output_index=2, delta=":1}"),
        told("output_item.done", output_index=3, item=OUTPUT[3]),
        told("output_item.done", output_index=2, item=OUTPUT[2]),
        ENDED,
    )
)


def summed_up(events: list[Event]) -> list[Any]:
    """The answer without how it was cut into pieces."""
    answer = json.loads(A.render_response(events, ask_a(), now=1, id="r"))
    return [answer["content"], answer["stop_reason"], answer["usage"]]


def test_a_stream_its_bare_end_and_a_whole_answer_say_the_same() -> None:
    """What a server does not stream is taken from the end of the item, or of the response."""
    events = read(R.reader(UPSTREAM), STREAM)
    check_events(events)
    content, reason, usage = summed_up(events)
    assert [block["type"] for block in content] == ["thinking", "text", "tool_use", "tool_use"]
    assert content[0]["thinking"] == "h漢\n\nmore"
    assert content[0]["signature"] == "responses:abc"
    assert content[2] == {"type": "tool_use", "id": "c1", "name": "f", "input": {"x": 1}}
    assert reason == "tool_use"
    assert (usage["input_tokens"], usage["cache_read_input_tokens"]) == (6, 20)
    assert (usage["cache_creation_input_tokens"], usage["output_tokens"]) == (4, 9)
    whole = dumps({"id": "resp_1", "status": "completed", "output": OUTPUT, "usage": USAGE})
    items = b"".join(
        told("output_item.done", output_index=i, item=item) for i, item in enumerate(OUTPUT)
    )
    for other in (read(R.reader(UPSTREAM), BEGUN + ENDED), R.read_response(whole, UPSTREAM)):
        check_events(other)
        assert summed_up(other) == summed_up(events)
    assert summed_up(read(R.reader(UPSTREAM), BEGUN + items + ENDED)) == summed_up(events)
    seen = glance(whole)
    thought = Thinking("", "responses:abc")
    assert seen == [BlockStart(0, thought), BlockStop(0), events[-2], Finish("tool_use")]


@given(cuts=st.lists(st.integers(0, 4000), max_size=12))
def test_T01_T02_however_it_is_split(cuts: list[int]) -> None:
    whole = read_pieces(R, UPSTREAM, [STREAM])
    assert read_pieces(R, UPSTREAM, [STREAM[i : i + 1] for i in range(len(STREAM))]) == whole
    marks = [0, *sorted(min(cut, len(STREAM)) for cut in cuts), len(STREAM)]
    assert read_pieces(R, UPSTREAM, [STREAM[a:b] for a, b in pairwise(marks)]) == whole


def everyone(events: list[Event]) -> None:
    """Every client can be told it."""
    check_events(events)
    request = R.parse_request(b'{"input":"hi"}')
    a, o = A.writer(ask_a(), now=1, id="r"), O.writer(ask_o(), now=1, id="r")
    r = R.writer(request, now=1, id="r")
    out = b"".join(a.feed(event) for event in events) + a.close()
    if b"event: message_stop" not in out or b"partial_json" not in out:
        check_anthropic(out)
    check_openai(b"".join(o.feed(event) for event in events) + o.close())
    check_responses(b"".join(r.feed(event) for event in events) + r.close())
    with suppress(UpstreamError):
        check_response(R.render_response(events, request, now=1, id="r"))


@given(at=st.integers(0, 4000), junk=st.binary(max_size=8), gap=st.integers(0, 200))
def test_T04_damaged_anywhere(at: int, junk: bytes, gap: int) -> None:
    at = min(at, len(STREAM))
    everyone(read_pieces(R, UPSTREAM, [STREAM[:at] + junk + STREAM[at + gap :]]))


_item: Any = st.fixed_dictionaries(
    {"type": st.sampled_from(["message", "function_call", "reasoning", "custom_tool_call", "x"])},
    optional={
        "call_id": near,
        "name": near,
        "arguments": near,
        "input": near,
        "summary": near,
        "encrypted_content": near,
        "content": st.lists(near | st.just(SAID) | st.just({"type": "refusal", "refusal": "no"})),
    },
)
_event: Any = st.fixed_dictionaries(
    {
        "type": st.sampled_from(
            [
                "response.created",
                "response.output_item.added",
                "response.content_part.added",
                "response.output_text.delta",
                "response.refusal.delta",
                "response.reasoning_text.delta",
                "response.function_call_arguments.delta",
                "response.output_item.done",
                "response.completed",
                "response.incomplete",
                "response.failed",
                "error",
            ]
        )
    },
    optional={
        "output_index": st.integers(0, 2) | near,
        "content_index": st.integers(0, 1) | near,
        "delta": st.just("d") | near,
        "item": _item | near,
        "part": st.just(SAID) | near,
        "response": near | st.fixed_dictionaries({"output": st.lists(_item, max_size=3)}),
        "error": near,
    },
)


@given(events=st.lists(_event | near, max_size=8))
def test_any_events(events: list[Any]) -> None:
    everyone(read(R.reader(UPSTREAM), b"".join(b"data: %b\n\n" % dumps(e) for e in events)))


@given(body=near | st.fixed_dictionaries({"output": st.lists(_item, max_size=4)}) | st.binary())
def test_any_answer_any_error_any_request(body: Any) -> None:
    raw = body if isinstance(body, bytes) else dumps(body)
    with suppress(UpstreamError):
        everyone(R.read_response(raw, UPSTREAM))
    R.glance(raw, UPSTREAM)
    assert R.read_error(400, {}, raw, UPSTREAM).message
    for request in (raw, dumps({"input": [body]}) if not isinstance(body, bytes) else raw):
        with suppress(CallerError):
            parsed = R.parse_request(request)
            for other in (A, O, R):
                dumps(other.render_request(parsed, provider("openrouter"), "m"))
            json.loads(R.render_response(blocks((ToolUse("a", "f"),)), parsed, now=1, id="r"))


_tool: Any = st.fixed_dictionaries(
    {"type": st.sampled_from(["function", "custom", "namespace", "file_search"])},
    optional={"name": st.just("t") | near, "tools": near, "parameters": near, "format": near},
)
_asked: Any = st.fixed_dictionaries(
    {"input": st.lists(_item | near, max_size=4)},
    optional={
        "tools": st.lists(_tool | near, max_size=3),
        "tool_choice": _tool | near,
        "reasoning": near,
        "text": near,
        "instructions": near,
        "user": near,
    },
)


@given(body=_asked)
def test_any_request(body: Any) -> None:
    with suppress(CallerError):
        parsed = R.parse_request(dumps(body))
        for other in (A, O, R):
            dumps(other.render_request(parsed, provider("openrouter"), "m"))
        check_events(events := blocks((ToolUse("a", "t"),)))
        json.loads(R.render_response(events, parsed, now=1, id="r"))


@pytest.mark.parametrize(
    ("stream", "kind"),
    [
        (told("failed", response={"error": {"code": "rate_limit_exceeded"}}), "quota"),
        (
            told(
                "completed",
                response={"status": "failed", "error": {"code": "rate_limit_exceeded"}},
            ),
            "quota",
        ),
        (b'event: error\ndata: {"type":"error","code":"server_error","message":"x"}\n\n', None),
        (b'data: {"error":{"type":"overloaded_error","message":"busy"}}\n\n', "overload"),
        (b'data: {"type":"error","message":"the context window is exceeded"}\n\n', None),
        (b"data: {\n\n", "upstream"),
        (BEGUN, "upstream"),
    ],
)
def test_T07_S12_a_failure_in_the_stream(stream: bytes, kind: str | None) -> None:
    (*_, last) = read(R.reader(UPSTREAM), stream)
    assert isinstance(last, Failure)
    assert kind is None or last.kind == kind


@pytest.mark.parametrize(
    ("response", "reason"),
    [
        ({"status": "incomplete", "incomplete_details": {"reason": "max_output_tokens"}}, 0),
        ({"status": "incomplete", "incomplete_details": {"reason": "content_filter"}}, 1),
        ({"output": [{**MESSAGE, "content": [{"type": "refusal", "refusal": "no"}]}]}, 1),
        ({"output": [{"type": "custom_tool_call", "call_id": "a", "name": "p"}]}, 2),
        ({"output": []}, 3),
    ],
)
def test_R01_why_it_ended(response: dict[str, Any], reason: int) -> None:
    events = read(R.reader(UPSTREAM), BEGUN + told("completed", response=response))
    check_events(events)
    last = events[-1]
    assert isinstance(last, Finish)
    assert last.reason == ("max_tokens", "refusal", "tool_use", "end_turn")[reason]


# ── to a client ───────────────────────────────────────────────────────────────────────────────────

REQUEST = {
    "model": "asked",
    "input": "hi",
    "instructions": "be terse",
    "tools": [
        {"type": "function", "name": "f", "parameters": {}},
        {"type": "custom", "name": "patch", "format": {"type": "text"}},
        {
            "type": "namespace",
            "name": "ns",
            "description": "",
            "tools": [{"type": "function", "name": "go"}],
        },
    ],
}


def shown(events: list[Event], **more: Any) -> dict[str, Any]:
    """What a client is told in a stream; whole, it is told the same."""
    request = R.parse_request(dumps(REQUEST | more))
    writer = R.writer(request, now=7, id="r1")
    streamed = check_responses(b"".join(writer.feed(event) for event in events) + writer.close())
    assert check_response(R.render_response(events, request, now=7, id="r1")) == streamed
    return streamed


def blocks(*parts: Any, reason: Any = "end_turn") -> list[Event]:
    events: list[Event] = [Start("msg_x", "real")]
    for index, (part, *deltas) in enumerate(parts):
        events += [BlockStart(index, part), *(make(index, text) for make, text in deltas)]
        events.append(BlockStop(index))
    return [*events, UsageSeen(Usage(input=3, cache_read=2, output=4, reasoning=1)), Finish(reason)]


def test_every_kind_of_block_as_an_item() -> None:
    from router.messages import ArgumentsDelta as Json

    answer = shown(
        blocks(
            (Thinking(""), (ThinkingDelta, "hm"), (ThinkingDelta, "m"), (SignatureDelta, "sig")),
            (RedactedThinking("secret"),),
            (Text(""), (TextDelta, "he"), (TextDelta, "llo")),
            (ToolUse("c1", "f"), (Json, '{"x"'), (Json, ":1}")),
            (ToolUse("c2", "patch"), (Json, '{"inp'), (Json, 'ut":"*** Begin"}')),
            (ToolUse("c3", "ns__go"),),
            reason="tool_use",
        )
    )
    thought, redacted, message, call, custom, inner = answer["output"]
    assert thought["summary"] == [{"type": "summary_text", "text": "hmm"}]
    assert thought["encrypted_content"] == "anthropic:sig"
    assert redacted["encrypted_content"] == "anthropic-redacted:secret"
    assert message["content"][0]["text"] == "hello"
    assert (call["call_id"], call["arguments"]) == ("c1", '{"x":1}')
    assert (custom["type"], custom["name"], custom["input"]) == (
        "custom_tool_call",
        "patch",
        "*** Begin",
    )
    assert (inner["name"], inner["namespace"], inner["arguments"]) == ("go", "ns", "{}")
    assert (answer["id"], answer["model"], answer["created_at"]) == ("resp_r1", "asked", 7)
    assert answer["usage"]["input_tokens"] == 5
    assert answer["usage"]["input_tokens_details"]["cached_tokens"] == 2
    assert answer["instructions"] == "be terse"
    # all of it is history for the next request, thoughts go back to whoever signed them
    back = R.parse_request(dumps(REQUEST | {"input": answer["output"]}))
    (turn,) = back.messages
    assert [type(part).__name__ for part in turn.parts] == [
        *("Thinking", "RedactedThinking", "Text", "ToolUse", "ToolUse", "ToolUse")
    ]
    body = A.render_request(back, provider("anthropic"), "claude-x")
    assert body["messages"][1]["content"][0] == {
        "type": "thinking",
        "thinking": "hmm",
        "signature": "sig",
    }
    again = R.render_request(back, UPSTREAM, "m")["input"]
    assert [item.get("type", "message") for item in again] == [
        *("message", "function_call", "custom_tool_call", "function_call"),
        *("function_call_output", "custom_tool_call_output", "function_call_output"),
    ]
    assert again[3]["namespace"] == "ns"


@pytest.mark.parametrize(
    ("reason", "part", "status", "why"),
    [
        ("max_tokens", Text("cut"), "incomplete", "max_output_tokens"),
        ("context_full", Text("cut"), "incomplete", "max_output_tokens"),
        ("refusal", Text("no"), "incomplete", "content_filter"),
        ("refusal", Text("no", extra={"refusal": True}), "completed", None),
        ("stop_sequence", Text("done"), "completed", None),
    ],
)
def test_V09_how_it_ended(reason: str, part: Text, status: str, why: str | None) -> None:
    answer = shown(blocks((part,), reason=reason))
    assert answer["status"] == status
    assert (answer["incomplete_details"] or {}).get("reason") == why


def test_S12_a_failure_ends_the_stream_and_names_its_code() -> None:
    request = R.parse_request(dumps(REQUEST))
    writer = R.writer(request, now=1, id="r")
    out = writer.ping()
    for event in blocks((Text("a"),))[:-2]:
        out += writer.feed(event)
    assert writer.ping() == b": ping\n\n"
    out += writer.feed(Failure("overload", "busy"))
    answer = check_responses(out)
    assert (answer["status"], answer["error"]["code"]) == ("failed", "server_is_overloaded")
    assert writer.close() == writer.ping() == b""


def test_a_tally_reads_along() -> None:
    tally = Tally(100)
    for event in read(R.reader(UPSTREAM), STREAM):
        tally.feed(event)
    assert tally.usage == Usage(input=6, cache_read=20, cache_write=4, output=9, reasoning=5)
    assert tally.finish == "tool_use"
