"""Tells systemd how we are (`Type=notify`): that we listen, that we end, that we are alive.

One rule: without NOTIFY_SOCKET, which only a service manager sets, nothing happens at all; and no
child of ours inherits it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket


class Manager:
    """The service manager that started us, if one did."""

    def __init__(self) -> None:
        self._address = os.environ.pop("NOTIFY_SOCKET", "")
        watched = os.environ.pop("WATCHDOG_PID", "") in ("", str(os.getpid()))
        usec = os.environ.pop("WATCHDOG_USEC", "")
        #: seconds between two signs of life; 0: none is wanted
        self.every = int(usec) / 2e6 if watched and usec.isdecimal() else 0.0

    def tell(self, *lines: str) -> None:
        """ "READY=1", "STOPPING=1", "STATUS=…"."""
        if not self._address:
            return
        # an address that begins with @ is in Linux's abstract namespace
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.sendto("\n".join(lines).encode(), address)

    async def watch(self) -> None:
        """Signs of life from the loop itself: one that hangs is started again."""
        while self._address and self.every:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.every)
