"""Whether a client that has ended its own side still reads: `nc -N` does, one that left does not.

The end of a stream looks the same for both, and a system answers for a program that has gone only
when it is sent something. So it is sent what HTTP lets a server say before any answer and a client
has to pass over, "100 Continue" (RFC 9110 15.2.1): a system refuses that with a reset where nobody
reads. One rule: who waits for money to be spent is asked at once, again and again.

On loopback the reset is there within a millisecond. A forwarder in between (docker-proxy,
`ssh -L`) tells of it only when asked twice or more.
"""

from __future__ import annotations

import asyncio
import socket

from router.cycle import Cycle

_QUESTION = b"HTTP/1.1 100 Continue\r\n\r\n"
#: seconds between questions; the last goes on for as long as the answer takes
_PAUSES = (0.05, 0.25, 1.0, 5.0)
#: methods whose answers cost nothing and come at once: a health check that reads but one line
#: shall read its answer there
_CHEAP = ("GET", "HEAD", "OPTIONS")


class Presence:
    """Of one client that has ended its side while it waits for an answer. Where it has gone, its
    connection is aborted, which the request notices as ever."""

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, cycle: Cycle
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._cycle = cycle
        self._asked = 0
        self._timer: asyncio.Handle | None = None
        cheap = cycle.scope["method"] in _CHEAP
        if cycle.scope["http_version"] == "1.0":  # which cannot be asked (RFC 9110 15.2)
            if not cheap:
                transport.abort()
        elif cheap:
            self._timer = loop.call_later(_PAUSES[2], self._ask)
        else:
            self._timer = loop.call_soon(self._ask)

    def over(self) -> None:
        """Nobody need know any more."""
        if self._timer is not None:
            self._timer.cancel()

    def _ask(self) -> None:
        if self._here():
            self._transport.write(_QUESTION)
            # on the machine itself, the write has brought its reset back before it returns
            self._timer = self._loop.call_soon(self._look)

    def _look(self) -> None:
        if self._here():
            pause = _PAUSES[min(self._asked, len(_PAUSES) - 1)]
            self._asked += 1
            self._timer = self._loop.call_later(pause, self._ask)

    def _here(self) -> bool:
        """Whether to go on: an answer that has begun asks by itself, with each of its pieces."""
        if self._cycle.response_started or self._transport.is_closing():
            return False
        sock: socket.socket = self._transport.get_extra_info("socket")
        if sock.getsockopt(socket.SOL_SOCKET, socket.SO_ERROR):
            self._transport.abort()
            return False
        return True
