"""Streams of OpenAI-compatible providers, oddity by oddity (R03-R15, S05-S11). Each is also read
whole, and must say the same.
"""

from __future__ import annotations

from typing import Any

import pytest

from router.framing import Framer
from router.messages import Event
from tests.router.formats.seen_by_clients import CALL, DONE_CALL, content
from tests.router.formats.wire import (
    DONE,
    O,
    chunk,
    dumps,
    piece,
    provider,
)

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
    "R05-refusal-beside": (
        chunk(content="a", refusal="No.") + chunk("stop"),
        [("text", "a"), ("text", "No.")],
    ),
    "R06-empty-arguments": (
        chunk(tool_calls=[piece("", index=0, id="a", name="f")]) + chunk("tool_calls"),
        [("use", ("a", "f", {}))],
    ),
    "R06-twice-encoded": (
        chunk(tool_calls=[piece('"{\\"x', index=0, id="a", name="f")])
        + chunk("tool_calls", tool_calls=[piece('\\":1}"', index=0)]),
        [DONE_CALL],
    ),
    "R06-null-is-none": (
        chunk(tool_calls=[piece("nu", index=0, id="a", name="f")])
        + chunk("tool_calls", tool_calls=[piece("ll", index=0)]),
        [("use", ("a", "f", {}))],
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
    "R07-one-id-for-all": (
        chunk(tool_calls=[CALL])
        + chunk(tool_calls=[piece('{"y"', index=1, id="a", name="g")])
        + chunk("stop", tool_calls=[piece(":2}", index=1, id="a")]),
        [DONE_CALL, ("use", ("toolu_r1_1", "g", {"y": 2}))],
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
    "T02-half-a-character": (
        b'data: {"choices":[{"index":0,"delta":{"content":"\\ud83d"},"logprobs":NaN}]}\n\n'
        + b'data: {"choices":[{"index":0,"delta":{"content":"x\\ud83d\\ude00"}}]}\n\n'
        + chunk("stop"),
        [("text", "\ufffdx😀")],
    ),
    "T02-utf8": (chunk("stop", content="漢字🎉"), [("text", "漢字🎉")]),
}


@pytest.mark.parametrize(("stream", "expected"), STREAMS.values(), ids=STREAMS.keys())
def test_streams(stream: bytes, expected: list[tuple[str, Any]]) -> None:
    assert content(stream) == expected
    assert content(stream + DONE) == expected


@pytest.mark.parametrize("stream", [stream for stream, _ in STREAMS.values()], ids=STREAMS.keys())
def test_a_chunk_of_text_alone_is_read_as_any_other(stream: bytes) -> None:
    """What names its kind may be read in short, what does not never is."""
    for before in ("so ", "", "<think>so"):
        named = chunk(content=before) + chunk(content="much") + stream
        unnamed = named.replace(b'"object": "chat.completion.chunk", ', b"")
        assert unnamed != named
        assert events(named) == events(unnamed)


def events(stream: bytes) -> list[Event]:
    reader = O.reader(provider())
    told = [event for frame in Framer().feed(stream) for event in reader.feed(frame)]
    return told + reader.close()
