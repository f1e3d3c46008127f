"""A client's connection that a door takes over after a WebSocket's handshake: raw bytes both ways.

One rule: what was not taken over ends with its answer. Bytes that came behind the handshake are
never read as another request.
"""

from __future__ import annotations

import asyncio
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
        self._flow = flow
        self._reader = asyncio.StreamReader(limit=HIGH_WATER)
        self._reader.set_transport(transport)
        self._cycle: _Cycle | None = None

    # ── for the door ──────────────────────────────────────────────────────────────────────────────

    def take(self) -> None:
        """From here on the connection is the door's, and `close` is its duty."""
        assert self._cycle is not None
        self._cycle.response_started = self._cycle.response_complete = True

    async def read(self) -> bytes:
        """What the client sent; b"" when it has left."""
        return await self._reader.read(HIGH_WATER)

    async def write(self, data: bytes) -> None:
        if self._flow.write_paused:
            await self._flow.drain()
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
