"""A client that takes nothing of what waits for it has gone, or means us to wait for ever.

One rule: whoever reads, be it slowly, is waited for. Nothing else would end a connection whose
buffer never empties.
"""

from __future__ import annotations

import asyncio


class Unread:
    """Of one connection. `seconds`: how long nothing need be taken."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, seconds: float
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._seconds = seconds
        self._timer: asyncio.TimerHandle | None = None

    def watch(self) -> None:
        """Aborts the connection once its client has read nothing for too long."""
        self.over()
        if size := self._transport.get_write_buffer_size():
            self._timer = self._loop.call_later(self._seconds, self._check, size)

    def over(self) -> None:
        """There is nothing to be read."""
        if self._timer is not None:
            self._timer.cancel()
            self._timer = None

    def _check(self, before: int) -> None:
        if self._transport.get_write_buffer_size() < before:
            self.watch()
        else:
            self._transport.abort()
