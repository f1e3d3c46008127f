"""One connection to a provider: bytes in, an answer out, again and again.

The one rule: a connection carries one exchange at a time, and one that said anything it was not
asked for, or that may still be writing, is never used again.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import cast

import httptools

from router.headers import read
from router.outbox import Outbox
from router.settings import Timeouts
from router.transport.proxy import Proxy
from router.transport.response import NEVER, SLACK, Response
from router.transport.upload import Upload

#: what two requests must share to use one connection: TLS, host, port, proxy
Key = tuple[bool, str, int, Proxy | None]

#: seconds after a request in which the end of its connection may have crossed it: a round trip
RACE = 2.0
#: bytes of status line and headers, or of trailers; real providers send 2-6 KB
HEAD_LIMIT = 128 * 1024
#: seconds an unused connection is kept: below the 60-75 s after which common servers close theirs
KEEP = 55.0


class Connection(asyncio.Protocol):
    """`freed` is called when it may serve again, `gone` when it never will; `idle` are those that
    wait to serve what this one does."""

    __slots__ = (
        "_due",
        "_ended",
        "_freed",
        "_gone",
        "_head",
        "_head_bytes",
        "_idle_until",
        "_in_head",
        "_interim",
        "_keep",
        "_loop",
        "_outbox",
        "_parser",
        "_paused",
        "_pouring",
        "_response",
        "_timer",
        "_transport",
        "_untouched",
        "_writable",
        "idle",
        "stale",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        outbox: Outbox,
        idle: list[Connection],
        freed: Callable[[Connection], None],
        gone: Callable[[Connection], None],
    ) -> None:
        self.idle = idle
        self._loop = loop
        self._outbox = outbox
        self._freed = freed
        self._gone = gone
        self._transport: asyncio.Transport | None = None
        #: only while the connection stands: it calls us back, which is a ring for the collector
        self._parser: httptools.HttpResponseParser
        self._response: Response | None = None
        self._timer: asyncio.TimerHandle | None = None
        self._due = NEVER
        self._idle_until = 0.0
        self._paused = False
        self._keep = False
        self._interim = False
        self._head: list[tuple[bytes, bytes]] = []
        self._in_head = False
        self._head_bytes = 0
        self._untouched = True
        self._ended = False  # the provider said that it has no more to say
        self._pouring: asyncio.Task[None] | None = None
        self._writable: asyncio.Future[None] | None = None
        #: it was closed under an exchange of which no byte had come back
        self.stale = False

    @property
    def usable(self) -> bool:
        return self._transport is not None and not self._transport.is_closing()

    def exchange(
        self, head: bytes, body: bytes | Upload, provider: str, timeouts: Timeouts
    ) -> Response:
        """Sends one request. Await `started()` of what it returns."""
        transport = self._transport
        assert transport is not None
        now = self._loop.time()
        response = self._response = Response(
            self, self._loop, provider, timeouts, now, now + timeouts.total
        )
        self._head = []
        self._in_head = True
        self._head_bytes = 0
        self._untouched = True
        if isinstance(body, Upload):
            transport.write(head)
            self._pouring = self._loop.create_task(self._pour(body, response))
        elif len(body) > 65536:  # not worth a copy
            transport.writelines((head, body))
        else:
            self._outbox.write(transport, head + body)
        return response

    async def _pour(self, body: Upload, response: Response) -> None:
        """Sends the rest of a request as it comes."""
        try:
            async for piece in body.pieces:
                if self._transport is None or not piece:
                    continue
                self._transport.write(body.framed(piece))
                response.asked()
                if self._writable is not None:
                    await self._writable
            if self._transport is not None:
                self._transport.write(body.last)
                self._pouring = None
        except Exception:  # noqa: BLE001  whatever ends the source ends the exchange
            response.fail("cancelled", 499, "was left before it had the whole request")

    def watch(self, due: float) -> None:
        """Has `tick` asked at `due` (loop time) or before. The timer in place is moved only when it
        would be late: on a busy connection that is almost never."""
        if due < self._due:
            if self._timer is not None:
                self._timer.cancel()
            self._due = due
            self._timer = self._loop.call_at(due, self._tick)

    def resume(self) -> None:
        if self._paused and self._transport is not None:
            self._paused = False
            self._transport.resume_reading()

    def abort(self) -> None:
        """Closes at once; nothing more is sent or read."""
        self._response = None
        if self._transport is not None:
            self._transport.abort()

    def close(self) -> None:
        """Ends it; an exchange under way fails."""
        if self._response is not None:
            self._response.fail("cancelled", 503, "was left: the router is stopping")
        self.abort()

    def _tick(self) -> None:
        self._timer = None
        self._due = NEVER
        now = self._loop.time()
        if self._response is not None:
            self.watch(self._response.tick(now))
        elif now + SLACK >= self._idle_until:
            self.abort()
        else:
            self.watch(self._idle_until)

    # ── asyncio.Protocol ──────────────────────────────────────────────────────────────────────────

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast(asyncio.Transport, transport)  # uvloop's are not instances of it
        self._parser = httptools.HttpResponseParser(self)

    def connection_lost(self, exc: Exception | None) -> None:
        self._transport = None
        self._parser = None  # type: ignore[assignment]
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None
        self.resume_writing()
        if self._pouring is not None:
            self._pouring.cancel()
        response, self._response = self._response, None
        if response is not None:
            whole = exc is None and (self._ended or _shows_its_end(response))
            if response.status and response.until_close and whole:
                response.ended()
                response.wake()
            elif self._untouched:
                # later than that it had the request, and may bill for it
                self.stale = response.age() < RACE
                response.fail("upstream", 502, "closed the connection without an answer")
            else:
                response.fail("upstream", 502, "cut its answer short")
        self._gone(self)

    def eof_received(self) -> None:
        """Under TLS only what the provider itself signed as its end (RFC 9112 9.8): anybody on the
        way can end the connection beneath."""
        self._ended = True

    def pause_writing(self) -> None:
        self._writable = self._loop.create_future()

    def resume_writing(self) -> None:
        writable, self._writable = self._writable, None
        if writable is not None and not writable.done():
            writable.set_result(None)

    def data_received(self, data: bytes) -> None:
        response = self._response
        if response is None:
            # nobody asked: whatever this is, it must not become the next caller's answer
            self.abort()
            return
        self._untouched = False
        try:
            self._parser.feed_data(data)
        except (httptools.HttpParserError, httptools.HttpParserUpgrade):
            self._keep = False
            response.fail("upstream", 502, _not_http(data))
            if not response.complete:
                return
        if response.complete:
            self._release()
        elif response.parts:
            self._head_bytes = 0
            if response.full and not self._paused and self._transport is not None:
                self._paused = True
                self._transport.pause_reading()
        else:  # of a head or a trailer, of which the parser keeps each line until it is whole
            self._head_bytes += len(data)
            if self._head_bytes > HEAD_LIMIT:
                response.fail("upstream", 502, f"sent more than {HEAD_LIMIT} bytes of headers")
        response.wake()

    def _release(self) -> None:
        """The exchange is over: back to the pool, or closed."""
        self._response = None
        transport = self._transport
        if transport is None:
            return
        ready = self._keep and self._pouring is None
        if ready and not transport.is_closing() and not transport.get_write_buffer_size():
            due = self._idle_until = self._loop.time() + KEEP
            if due < self._due:
                self.watch(due)
            self._freed(self)
        else:
            transport.abort()

    # ── httptools ─────────────────────────────────────────────────────────────────────────────────

    def on_message_begin(self) -> None:
        if self._response is None or self._response.complete:
            self._keep = False

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:  # else a trailer, of which there may be any number
            self._head.append((name.lower(), value))

    def on_headers_complete(self) -> None:
        status = self._parser.get_status_code()
        self._interim = status < 200
        if self._interim:
            self._head = []
            return
        response = self._response
        if response is None or response.complete:
            return
        self._in_head = False
        headers = read(self._head)
        response.until_close = (
            "content-length" not in headers
            and headers.get("transfer-encoding", "").rpartition(",")[2].strip().lower() != "chunked"
        )
        self._keep = self._parser.should_keep_alive()
        response.begun(status, headers)

    def on_body(self, data: bytes) -> None:
        response = self._response
        if response is not None and not response.complete:
            response.fed(data)

    def on_message_complete(self) -> None:
        response = self._response
        if response is not None and not self._interim and response.status:
            response.ended()


def _shows_its_end(response: Response) -> bool:
    """Whether who reads it sees for themselves if something is missing. Some servers end TLS
    without a word, and curl takes their answers."""
    kind = response.headers.get("content-type", "")
    return "json" in kind or "event-stream" in kind


def _not_http(data: bytes) -> str:
    if data[:2] == b"\x15\x03":  # an alert of TLS (RFC 8446 5.1 and 6)
        return "speaks TLS: its address should begin with https://"
    return "sent something that is not HTTP"
