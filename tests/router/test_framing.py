"""Frames are the same however the stream was cut, and their raw bytes are the stream."""

from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from router.errors import UpstreamError
from router.framing import Frame, Framer


def framed(pieces: list[bytes], framing: str = "sse") -> list[Frame]:
    framer = Framer(framing)
    return [frame for piece in pieces for frame in framer.feed(piece)] + framer.close()


SHAPES = {
    "T03-data-only": (b"data: a\n\ndata: b\n\n", [("", b"a"), ("", b"b")]),
    "T03-event": (b'event: ping\ndata: {"a":1}\n\n', [("ping", b'{"a":1}')]),
    "T03-crlf": (b"event: x\r\ndata: a\r\n\r\ndata: b\r\n\r\n", [("x", b"a"), ("", b"b")]),
    "T03-cr": (b"data: a\r\rdata: b\r\r", [("", b"a"), ("", b"b")]),
    "T03-mixed": (b"data: a\r\n\ndata: b\n\r\n", [("", b"a"), ("", b"b")]),
    "T03-comment": (b": ping\n\n: OPENROUTER PROCESSING\n\n", [("", b""), ("", b"")]),
    "T03-comment-before": (b": hi\ndata: a\n\n", [("", b"a")]),
    "T03-joined": (b"data: a\ndata:\ndata:  b\n\n", [("", b"a\n\n b")]),
    "T03-no-space": (b"data:a\nid: 7\nretry: 3\n\n", [("", b"a")]),
    "T03-bom": (b"\xef\xbb\xbfdata: a\n\n", [("", b"a")]),
    "T03-no-blank-at-end": (b"data: a\n\ndata: b", [("", b"a"), ("", b"b")]),
    "T03-one-end-at-end": (b"data: b\n", [("", b"b")]),
    "T02-utf8": ("data: 漢字🎉\n\n".encode(), [("", "漢字🎉".encode())]),
    "T03-nothing": (b"", []),
}


@pytest.mark.parametrize(("stream", "expected"), SHAPES.values(), ids=SHAPES.keys())
def test_shapes_whole_and_byte_by_byte(stream: bytes, expected: list[tuple[str, bytes]]) -> None:
    for pieces in ([stream], [stream[i : i + 1] for i in range(len(stream))]):
        frames = framed(pieces)
        assert [(frame.event, frame.data) for frame in frames] == expected
        assert b"".join(frame.raw for frame in frames) == stream


@pytest.mark.parametrize("ending", [b"\n", b"\r\n"])
def test_ndjson_lines(ending: bytes) -> None:
    stream = ending.join((b'{"a":1}', b"", b'data: {"b":2}', b'{"c":3}'))
    for pieces in ([stream], [stream[i : i + 1] for i in range(len(stream))]):
        frames = framed(pieces, "ndjson")
        assert [frame.data for frame in frames] == stream.split(ending)
        assert b"".join(frame.raw for frame in frames) == stream


@given(st.text(alphabet="ad:\r\n \ufeffé", max_size=60), st.lists(st.integers(0, 80), max_size=6))
def test_T01_any_split_gives_the_same_frames(text: str, cuts: list[int]) -> None:
    stream = ("data: " + text).encode()
    marks = [0, *sorted(min(cut, len(stream)) for cut in cuts), len(stream)]
    pieces = [stream[a:b] for a, b in pairwise(marks)]
    assert framed(pieces) == framed([stream])
    assert b"".join(frame.raw for frame in framed(pieces)) == stream


def test_T13_a_frame_without_end_is_refused() -> None:
    framer = Framer(limit=100)
    framer.feed(b"data: " + b"x" * 94)
    with pytest.raises(UpstreamError, match="100 bytes"):
        framer.feed(b"x")


def test_many_frames_under_the_limit_pass_in_one_chunk() -> None:
    assert len(Framer(limit=100).feed(b"data: x\n\n" * 1000)) == 1000
