"""Whatever arrives, however it is split: legal events or a named error, and nothing else."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import suppress
from itertools import pairwise
from typing import Any

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from router.errors import CallerError, UpstreamError
from router.formats import Format
from router.formats.gemini import Gemini
from router.formats.ollama_chat import OllamaChat
from router.framing import Framer
from router.messages import Event, Request
from router.settings import Provider
from tests.router.formats.dialects import Answer, say_gemini, say_ollama
from tests.router.formats.dialects_of_openai import check_completions, say_responses
from tests.router.formats.grammar import check_anthropic, check_events, check_openai
from tests.router.formats.responses_grammar import check_response, check_responses
from tests.router.formats.test_anthropic_answers import STREAM as ANTHROPIC
from tests.router.formats.wire import (
    DONE,
    FORMATS,
    A,
    O,
    ask_a,
    ask_o,
    chunk,
    dumps,
    piece,
    provider,
    usage_chunk,
)

OPENAI = (
    chunk(reasoning_content="h漢")
    + chunk(content="t🎉")
    + chunk(annotations=[{"type": "url_citation", "url_citation": {"url": "u", "title": "t"}}])
    + chunk(tool_calls=[piece('{"x"', index=0, id="a", name="f")])
    + chunk(tool_calls=[piece("{", index=1, id="b", name="g"), piece(":1}", index=0)])
    + chunk("stop", tool_calls=[piece("}", index=1)])
    + usage_chunk(prompt_tokens=3, completion_tokens=4)
    + DONE
)
_SAID = Answer("t🎉", "h漢", [("f", {"x": 1}), ("g", {})], "tools")
L, G = OllamaChat(), Gemini("m", stream=True)
R, C = FORMATS["openai_responses"], FORMATS["openai_completions"]
COMPLETION = b"".join(
    b"data: %b\n\n" % piece
    for piece in (
        '{"id":"cmpl-1","model":"m","choices":[{"text":"漢","index":0}]}'.encode(),
        '{"choices":[{"text":"x","index":1},{"text":"🎉","finish_reason":"length"}]}'.encode(),
        b'{"choices":[],"usage":{"prompt_tokens":3,"completion_tokens":4}}',
        b"[DONE]",
    )
)
SIDES: list[tuple[Format, Provider, bytes]] = [
    (A, provider("anthropic"), ANTHROPIC),
    (O, provider("compatible"), OPENAI),
    (L, provider("ollama", format=L.name), say_ollama(_SAID, stream=True)),
    (G, provider("gemini", format=G.name), say_gemini(_SAID, stream=True)),
    (R, provider("openai", format=R.name), say_responses(_SAID, stream=True)),
    (C, provider("litellm", format=C.name), COMPLETION),
]
#: of one that asks in each dialect
ASKED: list[tuple[Format, Request]] = [
    (A, ask_a()),
    (O, ask_o()),
    (L, L.parse_request(dumps({"model": "m", "messages": []}))),
    (G, G.parse_request(dumps({"contents": [{}]}))),
    (R, R.parse_request(b'{"input":"hi"}')),
    (C, C.parse_request(b'{"prompt":"hi","stream_options":{"include_usage":true}}')),
]
CHECKS: dict[str, Callable[[bytes], object]] = {
    O.name: check_openai,
    R.name: check_responses,
    C.name: check_completions,
}

both = pytest.mark.parametrize(
    ("format", "upstream", "stream"), SIDES, ids=[format.name for format, _, _ in SIDES]
)


def read_pieces(format: Format, upstream: Provider, pieces: list[bytes]) -> list[Event]:
    framer, reader = Framer(format.framing), format.reader(upstream)
    frames = [frame for piece in pieces for frame in framer.feed(piece)] + framer.close()
    return [event for frame in frames for event in reader.feed(frame)] + reader.close()


@both
def test_T01_T02_byte_by_byte_is_all_at_once(
    format: Format, upstream: Provider, stream: bytes
) -> None:
    whole = read_pieces(format, upstream, [stream])
    check_events(whole)
    singly = [stream[i : i + 1] for i in range(len(stream))]
    assert read_pieces(format, upstream, singly) == whole
    windows = stream.replace(b"\n", b"\r\n")
    assert (
        read_pieces(format, upstream, [windows[i : i + 7] for i in range(0, len(windows), 7)])
        == whole
    )


@both
@given(cuts=st.lists(st.integers(0, 4000), max_size=12))
def test_T01_any_split_gives_the_same_events(
    format: Format, upstream: Provider, stream: bytes, cuts: list[int]
) -> None:
    marks = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(marks)]
    assert read_pieces(format, upstream, pieces) == read_pieces(format, upstream, [stream])


@both
@given(at=st.integers(0, 4000), junk=st.binary(max_size=8), gap=st.integers(0, 40))
def test_T04_a_stream_damaged_anywhere_is_still_legal(
    format: Format, upstream: Provider, stream: bytes, at: int, junk: bytes, gap: int
) -> None:
    at = min(at, len(stream))
    told(format, upstream, stream[:at] + junk + stream[at + gap :])


def told(format: Format, upstream: Provider, stream: bytes) -> None:
    """Reads it, and writes it to the clients of every dialect."""
    events = read_pieces(format, upstream, [stream])
    check_events(events)
    for format, request in ASKED:
        writer = format.writer(request, now=1, id="r")
        out = b"".join(writer.feed(e) + writer.ping() for e in events) + writer.close()
        if format is A:
            if b"event: message_stop" not in out or b"partial_json" not in out:
                check_anthropic(
                    out, strange=True
                )  # damaged arguments are the model's own, shown as they are
        elif check := CHECKS.get(format.name):
            check(out)
        elif format.framing == "sse" and out[:1] == b"{":
            assert json.loads(out)["error"]  # Gemini's, before anything else
        else:
            framer = Framer(format.framing)
            assert [json.loads(f.data) for f in framer.feed(out) + framer.close()]
        try:
            whole = format.render_response(events, request, now=1, id="r")
        except UpstreamError as error:
            format.render_error(error)
        else:
            assert check_response(whole) if format is R else json.loads(whole)


_json: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
    lambda inner: (
        st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=5), inner, max_size=3)
    ),
    max_leaves=6,
)
_keys = st.sampled_from(
    [
        "type",
        "index",
        "delta",
        "content_block",
        "message",
        "usage",
        "error",
        "choices",
        "text",
        "thinking",
        "signature",
        "tool_calls",
        "partial_json",
        "id",
        "name",
        "input",
        "function",
        "arguments",
        "finish_reason",
        "stop_reason",
        "content",
        "model",
        "role",
        "reasoning_details",
        "thinking_blocks",
        "messages",
        "system",
        "tools",
        "tool_choice",
        "source",
        "data",
        "url",
        "output_config",
        "metadata",
        "response_format",
        "reasoning",
        "stop",
        "image_url",
        "file",
        "tool_use_id",
        "candidates",
        "parts",
        "functionCall",
        "functionResponse",
        "args",
        "finishReason",
        "thoughtSignature",
        "usageMetadata",
        "promptFeedback",
        "contents",
        "generationConfig",
        "toolConfig",
        "functionDeclarations",
        "parameters",
        "response",
        "done",
        "done_reason",
        "images",
        "options",
        "think",
        "output",
        "output_index",
        "content_index",
        "item",
        "part",
        "call_id",
        "summary",
        "encrypted_content",
        "instructions",
        "suffix",
        "annotations",
        "url_citation",
        "citations",
        "citation",
        "groundingMetadata",
        "groundingChunks",
        "groundingSupports",
        "groundingChunkIndices",
        "segment",
        "web",
        "uri",
        "citationMetadata",
        "audio",
        "inlineData",
        "mimeType",
        "result",
    ]
)
_words = st.sampled_from(
    [
        "text",
        "thinking",
        "tool_use",
        "tool_result",
        "image",
        "document",
        "message_start",
        "content_block_start",
        "content_block_delta",
        "content_block_stop",
        "message_delta",
        "message_stop",
        "text_delta",
        "error",
        "user",
        "input_json_delta",
        "thinking_delta",
        "signature_delta",
        "citations_delta",
        "ping",
        "assistant",
        "system",
        "tool",
        "function",
        "base64",
        "url",
        "image_url",
        "file",
        "json_schema",
        "enabled",
        "auto",
        "{}",
        "redacted_thinking",
        "input_text",
        "output_text",
        "input_image",
        "input_file",
        "function_call",
        "function_call_output",
        "custom_tool_call",
        "reasoning",
        "response.output_item.added",
        "response.output_item.done",
        "response.output_text.delta",
        "response.completed",
        "response.failed",
        "image_generation_call",
        "image/png",
    ]
)
#: JSON that is made of the words of both formats: it reaches deep into the readers
near: Any = st.recursive(
    _words | st.none() | st.integers(-2, 3) | st.booleans() | st.text(max_size=3),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_keys, inner, max_size=5),
    max_leaves=14,
)


@both
@given(bodies=st.lists(near | _json, max_size=5))
def test_any_json_as_a_stream(
    format: Format, upstream: Provider, stream: bytes, bodies: list[Any]
) -> None:
    frame = b"%b\n" if format.framing == "ndjson" else b"data: %b\n\n"
    told(format, upstream, b"".join(frame % dumps(body) for body in bodies))


_DELTAS: Any = st.fixed_dictionaries(
    {},
    optional={
        "content": st.sampled_from(["", "t", "<think>", "</think>", "\n</think>\n", None]),
        "reasoning": st.sampled_from(["r", ""]),
        "reasoning_details": st.just([{"signature": "s"}]),
        "refusal": st.just("no"),
        "tool_calls": st.lists(
            st.fixed_dictionaries(
                {},
                optional={
                    "index": st.integers(0, 2),
                    "id": st.sampled_from(["", "a", "b", "1"]),
                    "function": st.fixed_dictionaries(
                        {},
                        optional={
                            "name": st.sampled_from(["f", "g", ""]),
                            "arguments": st.sampled_from(["", "{}", "{", "}", '"{}"', '"']),
                        },
                    ),
                },
            ),
            max_size=3,
        ),
    },
)


@given(st.lists(st.tuples(_DELTAS, st.sampled_from([None, None, "stop", "length"])), max_size=8))
@example(
    [({"tool_calls": [{"id": "a", "function": {"name": "f"}}]}, None), ({"content": "t"}, "stop")]
)
def test_S03_any_order_of_deltas_keeps_the_grammar(
    chunks: list[tuple[dict[str, Any], str | None]],
) -> None:
    stream = b"".join(chunk(finish, **delta) for delta, finish in chunks) + DONE
    told(O, provider("compatible"), stream)
    events = read_pieces(O, provider("compatible"), [stream])
    texts = "".join(event.text for event in events if hasattr(event, "text"))
    given = "".join(str(d.get("content") or "") + str(d.get("reasoning") or "") for d, _ in chunks)
    assert texts.count("t") >= given.replace("think", "").count("t"), "S05: no text is lost"


@both
@given(body=near | _json | st.binary(max_size=40))
def test_any_answer_any_error_any_request(
    format: Format, upstream: Provider, stream: bytes, body: Any
) -> None:
    raw = body if isinstance(body, bytes) else dumps(body)
    with suppress(UpstreamError):
        check_events(format.read_response(raw, upstream))
    for status in (400, 401, 429, 500):
        assert format.read_error(status, {}, raw, upstream).message
    turns = (
        raw
        if isinstance(body, bytes)
        else dumps({"messages": [body], "contents": [body], "input": [body], "prompt": body})
    )
    for request in (raw, turns):
        with suppress(CallerError):
            parsed = format.parse_request(request)
            for other, _, _ in SIDES:
                with suppress(UpstreamError):
                    dumps(other.render_request(parsed, provider("openrouter"), "m"))


@both
@given(
    parts=st.lists(
        st.dictionaries(_keys, near, max_size=4).flatmap(
            lambda d: _words.map(lambda word: d | {"type": word})
        ),
        max_size=4,
    ),
    fields=st.dictionaries(_keys, near, max_size=4),
    role=st.sampled_from(["user", "assistant", "system", "tool"]),
)
def test_any_parts_of_a_request(
    format: Format,
    upstream: Provider,
    stream: bytes,
    parts: list[Any],
    fields: dict[str, Any],
    role: str,
) -> None:
    message = {"role": role, "content": parts, "tool_call_id": "a"}
    with suppress(CallerError):
        content = {"role": "model" if role == "assistant" else "user", "parts": parts}
        body = fields | {"messages": [message], "contents": [content], "input": [message, *parts]}
        parsed = format.parse_request(dumps(body))
        for other, side, _ in SIDES:
            with suppress(UpstreamError):
                dumps(other.render_request(parsed, side, "claude-m"))
            with suppress(UpstreamError):
                dumps(other.render_request(parsed, provider("openrouter"), "m"))
        assert format.pass_through(parsed, "m")
