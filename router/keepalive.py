"""TCP's own questions on a silent connection: an answer may be thought over for ten minutes, and
what stands between forgets a connection that says nothing in three to six.

One rule: they cost nothing but packets. Who does not answer them has gone, and is found out.
"""

from __future__ import annotations

import socket
from contextlib import suppress

#: seconds of silence before the first, and between them; how many stay unanswered before the other
#: side has gone. macOS calls TCP_KEEPIDLE otherwise
_OPTIONS = {"TCP_KEEPIDLE": 60, "TCP_KEEPALIVE": 60, "TCP_KEEPINTVL": 20, "TCP_KEEPCNT": 6}


def keep_alive(sock: socket.socket) -> None:
    """Of a listening socket, those that it accepts have it too."""
    with suppress(OSError):  # a system that cannot is no reason not to talk
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
        for name, value in _OPTIONS.items():
            if hasattr(socket, name):
                sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)
