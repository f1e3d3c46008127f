"""One answer: what has arrived, who waits for it, and until when.

The one rule: no task, queue or timer per chunk. A reader that finds nothing waits on one future;
the connection's single timer (wire.py) asks `tick` when the earliest deadline may have passed.
"""

from __future__ import annotations

import asyncio
import zlib
from typing import TYPE_CHECKING

from msgspec import Struct

from router.errors import Kind, UpstreamError
from router.settings import Timeouts

if TYPE_CHECKING:
    from router.transport.wire import Connection

#: bytes that may wait for a reader before the provider is made to wait
HIGH_WATER = 256 * 1024
#: bytes that one piece of a compressed body may grow to
PIECE = 1024 * 1024
#: seconds; uvloop's clock ticks in milliseconds, so a timer may come this early
SLACK = 0.001
NEVER = float("inf")


class Response(Struct, eq=False):
    """An answer whose status line and headers have arrived. Read it to its end or abort it."""

    _connection: Connection | None
    _loop: asyncio.AbstractEventLoop
    _provider: str
    _timeouts: Timeouts
    #: of the loop's clock: when the request was sent, or the last piece of it; when it must end
    _asked_at: float
    _ends_at: float
    status: int = 0
    #: lower-case names; repeated ones joined by ", ", cookies by a line break
    headers: dict[str, str] = {}
    until_close: bool = False
    #: its body is handed out in the coding it has
    as_it_came: bool = False
    #: all of it has arrived
    complete: bool = False
    _quiet_since: float = 0.0  # from the status line on
    _wait_until: float = NEVER
    #: what has arrived and was not read
    parts: list[bytes] = []
    _size: int = 0
    #: why it will never be whole: kind, status, words. Each who reads is raised an error of their
    #: own: one that was raised leads to those who read, and from them to us
    _failed: tuple[Kind, int, str] | None = None
    _waiter: asyncio.Future[bool] | None = None
    _decoder: _Decoder | None = None

    # ── for the one who reads ─────────────────────────────────────────────────────────────────────

    async def read(self, wait: float | None = None) -> bytes | None:
        """What has arrived, in one piece; b"" at the end; None after `wait` seconds of silence.

        Raises UpstreamError: kind "timeout" when the idle or total deadline passed, "upstream" when
        the answer was cut. What arrived before is handed out first.
        """
        while True:
            if (self.parts or self._decoder is not None) and (data := self._take()):
                return data
            if self._failed is not None:
                raise self._failure(*self._failed)
            if self.complete:
                return b""
            waiter = self._wait(wait)
            try:
                if await waiter:
                    return None
            except asyncio.CancelledError:
                self.abort()
                raise

    async def body(self, limit: int) -> bytes:
        """All of it. Raises UpstreamError when it is longer than `limit` bytes, or as `read`."""
        pieces, size = [], 0
        while not self.complete or self._decoder is not None:
            data = await self.read()
            if not data:
                break
            pieces.append(data)
            size += len(data)
            if size > limit:
                break
        else:  # what is still to be read is here, as nearly always all of it is
            pieces += self.parts
            size += self._size
            self.parts, self._size = [], 0
        if size > limit:
            self.abort()
            raise self._failure("upstream", 502, f"sent an answer of more than {limit} bytes")
        return b"".join(pieces)

    def abort(self) -> None:
        """Closes the connection now, unless the whole answer has arrived. May be called again."""
        connection, self._connection = self._connection, None
        if connection is not None:
            if self._failed is None:
                self._failed = ("cancelled", 499, "was left before its answer ended")
            connection.abort()

    # ── for the connection ────────────────────────────────────────────────────────────────────────

    async def started(self) -> None:
        """Until the headers are here. Raises UpstreamError."""
        while not self.status:
            if self._failed is not None:
                raise self._failure(*self._failed)
            waiter = self._wait(None)
            try:
                await waiter
            except asyncio.CancelledError:
                self.abort()
                raise

    def begun(self, status: int, headers: dict[str, str]) -> None:
        """The status line and headers have arrived."""
        coding = None if self.as_it_came else headers.get("content-encoding")
        if coding is not None and (coding := coding.strip().lower()) not in ("", "identity"):
            if coding not in ("gzip", "x-gzip", "deflate"):
                self.fail("upstream", 502, f"sent a body in the coding '{coding[:20]}'")
                return
            self._decoder = _Decoder(deflate=coding == "deflate")
            del headers["content-encoding"]
            headers.pop("content-length", None)
        self.status = status
        self.headers = headers

    def asked(self) -> None:
        """More of the request was sent: the wait for an answer begins anew."""
        self._asked_at = self._loop.time()

    def age(self) -> float:
        """Seconds since it was asked for."""
        return self._loop.time() - self._asked_at

    def fed(self, data: bytes) -> None:
        self.parts.append(data)
        self._size += len(data)

    @property
    def full(self) -> bool:
        return self._size > HIGH_WATER

    def ended(self) -> None:
        """All of it has arrived: the connection is no longer ours."""
        self.complete = True
        self._connection = None

    def fail(self, kind: Kind, status: int, words: str) -> None:
        """It will never be whole. What has arrived stays readable."""
        if self.complete or self._failed is not None:
            return
        self._failed = (kind, status, words)
        connection, self._connection = self._connection, None
        if connection is not None:
            connection.abort()
        self.wake()

    def wake(self) -> None:
        """Something arrived or ended. Called once per packet, after it was parsed."""
        self._quiet_since = self._loop.time()
        self._answer(False)

    def tick(self, now: float) -> float:
        """Fails or wakes what is due. Returns when to be asked again (loop time)."""
        now += SLACK
        if now >= self._ends_at:
            self.fail("timeout", 504, f"took longer than {_seconds(self._timeouts.total)} in all")
            return NEVER
        if self._waiter is None:
            return self._ends_at
        if not self.status:
            if now >= self._asked_at + self._timeouts.first_byte:
                words = f"did not answer within {_seconds(self._timeouts.first_byte)}"
                self.fail("timeout", 504, words)
                return NEVER
        elif now >= self._quiet_since + self._timeouts.idle:
            self.fail("timeout", 504, f"fell silent for {_seconds(self._timeouts.idle)}")
            return NEVER
        elif now >= self._wait_until:
            self._answer(True)
            return self._ends_at
        return self._due()

    # ── inside ────────────────────────────────────────────────────────────────────────────────────

    def _take(self) -> bytes:
        """What has arrived, decoded; b"" if nothing has."""
        decoder = self._decoder
        if decoder is not None:
            while decoder.pending or self.parts:
                try:
                    data = decoder.piece(self._raw())
                except zlib.error:
                    self.abort()
                    words = "sent a body that does not decompress"
                    self._failed = ("upstream", 502, words)
                    return b""
                if data:
                    return data
            if self.complete and not decoder.whole and self._failed is None:
                self._failed = ("upstream", 502, "cut its compressed answer short")
            return b""
        return self._raw()

    def _raw(self) -> bytes:
        parts = self.parts
        data = b"".join(parts)  # of a single one: itself
        parts.clear()
        if self._size > HIGH_WATER and self._connection is not None:
            self._quiet_since = self._loop.time()
            self._connection.resume()
        self._size = 0
        return data

    def _wait(self, wait: float | None) -> asyncio.Future[bool]:
        """Resolves with the next packet, or with True when `wait` seconds passed without one."""
        connection = self._connection
        assert connection is not None
        assert self._waiter is None
        self._wait_until = NEVER if wait is None else self._loop.time() + wait
        self._waiter = self._loop.create_future()
        connection.watch(self._due())
        return self._waiter

    def _answer(self, silent: bool) -> None:
        waiter, self._waiter = self._waiter, None
        if waiter is not None and not waiter.done():
            waiter.set_result(silent)

    def _due(self) -> float:
        if not self.status:
            return min(self._asked_at + self._timeouts.first_byte, self._ends_at)
        return min(self._quiet_since + self._timeouts.idle, self._wait_until, self._ends_at)

    def _failure(self, kind: Kind, status: int, words: str) -> UpstreamError:
        name = self._provider
        return UpstreamError(f"provider {name} {words}", kind=kind, status=status, provider=name)


class _Decoder:
    """gzip or deflate, sent although we ask for identity; at most PIECE bytes at a time."""

    __slots__ = ("_first", "_zlib")

    def __init__(self, *, deflate: bool) -> None:
        self._zlib = zlib.decompressobj(wbits=47)  # gzip or zlib, told apart by the first bytes
        #: a deflate body's first bytes, until there are enough of them; None afterwards
        self._first: bytes | None = b"" if deflate else None

    @property
    def pending(self) -> bytes:
        return self._zlib.unconsumed_tail or self._zlib.unused_data

    @property
    def whole(self) -> bool:
        return self._zlib.eof

    def piece(self, data: bytes) -> bytes:
        """Raises zlib.error."""
        given = self.pending + data
        if self._first is not None:
            given = self._first + given
            if len(given) < 2:
                self._first = given
                return b""
            self._first = None
            if given[0] & 15 != 8 or (given[0] << 8 | given[1]) % 31:
                # no zlib header (RFC 1950 2.2): some servers leave out the wrapper that
                # RFC 9110 8.4.1.2 asks for
                self._zlib = zlib.decompressobj(wbits=-15)
        elif self._zlib.eof and given:  # gzip members may follow each other (RFC 1952 2.2)
            self._zlib = zlib.decompressobj(wbits=47)
        return self._zlib.decompress(given, PIECE)


def _seconds(value: float) -> str:
    return f"{value:g} s"
