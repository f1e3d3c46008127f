"""A byte stream, cut into frames: server-sent events or lines of JSON.

Its one rule: the `raw` of all frames, joined, is the stream, byte for byte. How the stream was
split on the wire never changes the frames.
"""

from __future__ import annotations

import re

from msgspec import Struct

from router.errors import UpstreamError

#: bytes of one frame; an image in one event is a few MB
LARGEST_FRAME = 32 * 1024 * 1024

_BOM = b"\xef\xbb\xbf"
#: two line ends in a row; atomic, so that one \r\n is never taken for two ends
_BLANK = re.compile(rb"(?>\r\n|\n|\r)(?>\r\n|\n|\r)")


class Frame(Struct):
    """One event: its name ("" where none was given) and its data lines joined with \\n.

    `data` is b"" for a comment or an event without data: such a frame has only `raw`.
    """

    event: str
    data: bytes
    raw: bytes


class Framer:
    """Cuts one stream. `framing` is "sse" or "ndjson"."""

    __slots__ = ("_buffer", "_end", "_limit", "_ndjson", "_started")

    def __init__(self, framing: str = "sse", limit: int = LARGEST_FRAME) -> None:
        self._ndjson = framing == "ndjson"
        self._limit = limit
        self._buffer = bytearray()  # of a frame that has begun; it holds no end
        #: what ends a frame; b"" once a \r was seen: then any two line ends do
        self._end = b"\n" if self._ndjson else b"\n\n"
        self._started = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes. Raises UpstreamError where one grows too large."""
        if b"\r" in chunk and not self._ndjson:
            self._end = b""
        buffer = self._buffer
        if buffer:
            searched = max(0, len(buffer) - 3)
            buffer += chunk
            if not self._ends(searched):
                self._check(len(buffer))
                return []
            chunk = bytes(buffer)
            buffer.clear()
        if not self._end:
            return self._by_lines(chunk)
        *texts, rest = chunk.split(self._end)
        if rest:
            self._check(len(rest))
            buffer += rest
        frames: list[Frame] = []
        events = self._started and not self._ndjson
        for text in texts:
            if events and text.startswith(b"data: ") and b"\n" not in text:
                frames.append(Frame("", text[6:], text + self._end))  # nearly every one
            else:
                frames.append(self._frame(text, text + self._end))
        return frames

    def close(self) -> list[Frame]:
        """The last frame, where the stream ended without a blank line."""
        if not self._buffer:
            return []
        raw = bytes(self._buffer)
        self._buffer.clear()
        return [self._frame(raw, raw)]

    def _ends(self, searched: int) -> bool:
        """Whether there is an end in what waits; before `searched` there is none."""
        if self._end:
            return self._buffer.find(self._end, searched) >= 0
        return _BLANK.search(self._buffer, searched) is not None

    def _check(self, size: int) -> None:
        """That of a frame that has not ended."""
        if size > self._limit:
            raise UpstreamError(
                f"the provider sent one stream event of more than {self._limit:,} bytes",
                kind="upstream",
                status=502,
            )

    def _by_lines(self, data: bytes) -> list[Frame]:
        """Of a stream whose lines end in more than one way."""
        frames: list[Frame] = []
        done = 0
        for match in _BLANK.finditer(data):
            end = match.end()
            if end == len(data) and data[-1] == 0x0D:
                break  # it may be half of a \r\n
            frames.append(self._frame(data[done:end], data[done:end]))
            done = end
        self._check(len(data) - done)
        self._buffer += data[done:]
        return frames

    def _frame(self, text: bytes, raw: bytes) -> Frame:
        if not self._started:
            self._started = True
            text = text.removeprefix(_BOM)
        if self._ndjson:
            return Frame("", text.strip(), raw)
        return _event(text, raw)


def _event(text: bytes, raw: bytes) -> Frame:
    """The usual shape first: an event line and a data line."""
    first, _, second = text.partition(b"\n")
    usual = first.startswith(b"event: ") and second.startswith(b"data: ")
    if usual and b"\n" not in second and b"\r" not in text:
        return Frame(first[7:].decode("utf-8", "replace"), second[6:], raw)
    event = ""
    data: list[bytes] = []
    for line in text.splitlines():
        name, _, value = line.partition(b":")
        value = value.removeprefix(b" ")
        if name == b"data":
            data.append(value)
        elif name == b"event":
            event = value.decode("utf-8", "replace")
    return Frame(event, data[0] if len(data) == 1 else b"\n".join(data), raw)
