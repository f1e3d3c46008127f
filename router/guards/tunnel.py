"""A client's connection that a door takes over after a WebSocket's handshake: raw bytes both ways.

One rule: what was not taken over ends with its answer. Bytes that came behind the handshake are
never read as another request.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Protocol

from uvicorn.protocols.http.flow_control import FlowControl

#: bytes that may wait for the other side
HIGH_WATER = 64 * 1024


class _Cycle(Protocol):
    response_started: bool
    response_complete: bool


class Tunnel:
    """Offered to the door as `scope["tunnel"]`; it may `take` it instead of answering."""

    def __init__(self, transport: asyncio.Transport, flow: FlowControl) -> None:
        self._transport = transport
        self.flow = flow
        #: tells whoever took it that the router ends; None: it may be cut
        self.stop: Callable[[], None] | None = None
        self._reader = asyncio.StreamReader(limit=HIGH_WATER)
        self._reader.set_transport(transport)
        self._cycle: _Cycle | None = None

    # ── for the door ──────────────────────────────────────────────────────────────────────────────

    def take(self, stop: Callable[[], None] | None = None) -> None:
        """From here on the connection is the door's, and `close` is its duty: soon after `stop` was
        called, or, without one, the router's end cuts it."""
        assert self._cycle is not None
        self.stop = stop
        self._cycle.response_started = self._cycle.response_complete = True

    async def read(self) -> bytes:
        """What the client sent; b"" when it has left."""
        return await self._reader.read(HIGH_WATER)

    async def write(self, data: bytes) -> None:
        await self.ready()
        self._transport.write(data)

    async def ready(self) -> None:
        """Waits while the client reads more slowly than we write."""
        if self.flow.write_paused:
            await self.flow.drain()

    def put(self, data: bytes) -> None:
        if data and not self._transport.is_closing():
            self._transport.write(data)

    def close(self) -> None:
        self._transport.close()

    # ── for the connection ────────────────────────────────────────────────────────────────────────

    def offered(self, cycle: _Cycle) -> None:
        self._cycle = cycle

    def fed(self, data: bytes) -> None:
        if data:
            self._reader.feed_data(data)

    def ended(self) -> None:
        self._reader.feed_eof()
