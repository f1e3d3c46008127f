"""TCP's own questions on a silent connection: an answer may be thought over for ten minutes, and
what stands between forgets a connection that says nothing in three to six.

One rule: they cost nothing but packets. Who does not answer them has gone, and is found out.
"""

from __future__ import annotations

import socket
from contextlib import suppress

#: seconds of silence before the first, and between them; macOS calls the first TCP_KEEPALIVE
_SECONDS = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 20}
#: unanswered ones after which the other side has gone
_MOST = 6


def keep_alive(sock: socket.socket) -> None:
    """Of a listening socket, those that it accepts have it too."""
    with suppress(OSError):  # a system that cannot is no reason not to talk
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, seconds in _SECONDS.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), seconds)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPCNT, _MOST)
