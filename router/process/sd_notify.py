"""Tells systemd how we are (`Type=notify`): that we listen, that we end, that we are alive; and
knows whether somebody takes the end of our process for the end of the router.

One rule: without NOTIFY_SOCKET, which only a service manager sets, nothing happens at all; and no
child of ours inherits it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import socket

#: seconds for a manager that does not read: it must not hold up the loop
PATIENCE = 0.1
_NAMES = ("NOTIFY_SOCKET", "WATCHDOG_PID", "WATCHDOG_USEC")


class Manager:
    """The service manager that started us, if one did."""

    def __init__(self) -> None:
        #: what it told us, for a router that begins anew in this very process
        self.given = {name: os.environ.pop(name) for name in _NAMES if name in os.environ}
        self._address = self.given.get("NOTIFY_SOCKET", "")
        # now: a router in the background is the first process's child only later
        self._first = 1 in (os.getpid(), os.getppid())
        watched = self.given.get("WATCHDOG_PID", "") in ("", str(os.getpid()))
        usec = self.given.get("WATCHDOG_USEC", "")
        #: seconds between two signs of life; 0: none is wanted
        self.every = int(usec) / 2e6 if watched and usec.isdecimal() else 0.0

    @property
    def holds_us(self) -> bool:
        """Whether a restart has to keep this process: a service manager takes its end for the
        router's, and a container ends with its first process, or with the child of a small init."""
        return bool(self._address) or self._first

    def tell(self, *lines: str) -> None:
        """ "READY=1", "STOPPING=1", "STATUS=…"."""
        if not self._address:
            return
        # an address that begins with @ is in Linux's abstract namespace
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as sock:
            sock.settimeout(PATIENCE)
            sock.sendto("\n".join(lines).encode(), address)

    async def watch(self) -> None:
        """Signs of life from the loop itself: one that hangs is started again."""
        while self._address and self.every:
            self.tell("WATCHDOG=1")
            await asyncio.sleep(self.every)
