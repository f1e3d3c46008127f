"""Writes of one turn of the event loop, made together at its end.

A write wakes the program at the other end, and waking a core that sleeps costs more than the write
itself; those that follow at once find it awake. Measured with 64 busy connections: a quarter of the
router's time in the kernel.
"""

from __future__ import annotations

import asyncio


class Outbox:
    """Of one event loop. What is written past it to the same transport needs a `flush` first."""

    __slots__ = ("_loop", "_waiting")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._waiting: list[tuple[asyncio.Transport, bytes]] = []

    def write(self, transport: asyncio.Transport, data: bytes) -> None:
        if not self._waiting:
            self._loop.call_soon(self.flush)
        self._waiting.append((transport, data))

    def flush(self) -> None:
        waiting, self._waiting = self._waiting, []
        for transport, data in waiting:
            if not transport.is_closing():
                transport.write(data)
