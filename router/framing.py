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

    __slots__ = ("_buffer", "_limit", "_ndjson", "_plain", "_searched", "_started")

    def __init__(self, framing: str = "sse", limit: int = LARGEST_FRAME) -> None:
        self._ndjson = framing == "ndjson"
        self._limit = limit
        self._buffer = bytearray()  # of a frame that has begun
        self._searched = 0  # bytes of it that hold no end
        self._plain = True  # no \r was seen: a blank line is \n\n
        self._started = False

    def feed(self, chunk: bytes) -> list[Frame]:
        """The frames that `chunk` completes. Raises UpstreamError where one grows too large."""
        buffer: bytes | bytearray = chunk
        start = 0
        if self._buffer:
            self._buffer += chunk
            buffer = self._buffer
            start = max(0, self._searched - 3)
        if self._plain and not self._ndjson and b"\r" in chunk:
            self._plain = False
        frames: list[Frame] = []
        done = 0
        while (end := self._end(buffer, start)) >= 0:
            frames.append(self._frame(bytes(buffer[done:end])))
            done = start = end
        left = len(buffer) - done
        if left > self._limit:
            raise UpstreamError(
                f"the provider sent one stream event of more than {self._limit:,} bytes",
                kind="upstream",
                status=502,
            )
        if buffer is self._buffer:
            del self._buffer[:done]
        elif left:
            self._buffer += buffer[done:]
        self._searched = left
        return frames

    def close(self) -> list[Frame]:
        """The last frame, where the stream ended without a blank line."""
        if not self._buffer:
            return []
        raw = bytes(self._buffer)
        self._buffer.clear()
        return [self._frame(raw)]

    def _end(self, buffer: bytes | bytearray, start: int) -> int:
        """Where the first frame from `start` ends; -1 while that is not known."""
        if self._ndjson:
            return buffer.find(b"\n", start) + 1 or -1
        if self._plain:
            found = buffer.find(b"\n\n", start)
            return found + 2 if found >= 0 else -1
        match = _BLANK.search(buffer, start)
        if match is None:
            return -1
        end = match.end()
        # A last \r may be half of a \r\n.
        return -1 if end == len(buffer) and buffer[-1] == 0x0D else end

    def _frame(self, raw: bytes) -> Frame:
        text = raw
        if not self._started:
            self._started = True
            text = raw.removeprefix(_BOM)
        if self._ndjson:
            return Frame("", text.strip(), raw)
        return _event(text, raw)


def _event(text: bytes, raw: bytes) -> Frame:
    """The usual shapes first: one data line, or an event line and a data line."""
    if text.startswith(b"data: ") and text.find(b"\n") == len(text) - 2 and b"\r" not in text:
        return Frame("", text[6:-2], raw)
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
