"""Listening: sockets, one ASGI app behind them, and an orderly end.

uvicorn's httptools protocol without uvicorn's server: that one polls ten times a second, handles
signals, and knows one socket. One rule: once `drain` returned, nothing runs and nothing listens.
"""

from __future__ import annotations

import asyncio
import errno
import os
import socket
import sys
import time
from collections.abc import Sequence
from email.utils import formatdate
from itertools import pairwise
from pathlib import Path

import psutil
from uvicorn.config import Config

from router.asgi import App
from router.cycle import Serving, Turned
from router.guards.connection import GuardedProtocol
from router.keepalive import keep_alive
from router.outbox import Outbox
from router.settings import Limits

BACKLOG = 2048
#: seconds an idle connection is kept, as nginx does: SDKs close theirs after 4-60 s, and the side
#: that waits longer never sees a request sent into a closing connection
KEEP_ALIVE = 75
#: seconds for handlers to end after they were cancelled
LAST_WORDS = 1.0


#: the holder of a port that two of our own listeners should have
OURSELVES = "this router"


class PortTakenError(Exception):
    """`holder` is "nginx (pid 123)", or "" when it cannot be seen; `flag` moves the listener."""

    def __init__(self, port: int, holder: str, flag: str) -> None:
        self.port = port
        self.holder = holder
        self.flag = flag
        by = holder or "another program"
        problem = f"is taken by {by}: stop it, or" if by != OURSELVES else "is asked for twice:"
        variable = (
            f"POINTSMAN_{flag.strip('-').replace('-', '_').upper()}"  # `make run` takes no flag
        )
        super().__init__(f"port {port} {problem} choose another with {flag}, or {variable}=…")


def bind(host: str, port: int, flag: str = "--port") -> socket.socket:
    """A listening socket; port 0 takes a free one. Raises PortTakenError, or OSError where the
    address is not ours to listen on."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        keep_alive(sock)
        if family == socket.AF_INET6:
            sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        sock.setblocking(False)
        sock.bind((host, port))
        sock.listen(BACKLOG)  # now: two sockets may be bound to a port, but only one may listen
    except OSError as error:
        sock.close()
        if error.errno == errno.EADDRINUSE:
            raise PortTakenError(port, holder(port), flag) from None
        raise
    return sock


def bind_unix(path: Path) -> socket.socket:
    """A listening Unix socket of mode 0600. Replaces a file left by a router that was killed: the
    caller holds the lock of this home."""
    path.unlink(missing_ok=True)
    sock = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        sock.setblocking(False)
        sock.bind(os.fspath(path))
        sock.listen(BACKLOG)
    except OSError:
        sock.close()
        raise
    finally:
        os.umask(before)
    return sock


def holder(port: int) -> str:
    """Who listens on a TCP port, as "name (pid N)"; "" when it cannot be seen."""
    try:
        for row in psutil.net_connections(kind="tcp"):
            if row.status == psutil.CONN_LISTEN and row.pid and row.laddr[1:] == (port,):
                if row.pid == os.getpid():
                    return OURSELVES
                process = psutil.Process(row.pid)
                ours = ("-m", "router") in pairwise(process.cmdline()[:5])
                return f"{'another Pointsman' if ours else process.name()} (pid {row.pid})"
    except (psutil.Error, OSError):  # macOS tells only root
        pass
    if sys.platform == "darwin" and port in (5000, 7000):
        return "macOS AirPlay Receiver (System Settings, General, AirDrop & Handoff)"
    return ""


class Edge:
    """One app behind several sockets. `scope["server"][1]` tells the app which port was hit;
    `turned` is told of what never came to the app."""

    def __init__(
        self,
        app: App,
        sockets: Sequence[socket.socket],
        limits: Limits,
        turned: Turned = lambda _status, _words, _asked: "",
    ) -> None:
        self._sockets = sockets
        self._limits = limits
        self._state = Serving(turned)
        self._config = Config(
            app,
            http=GuardedProtocol,
            ws="none",
            lifespan="off",
            interface="asgi3",
            log_config=None,
            log_level="warning",
            access_log=False,
            proxy_headers=False,
            server_header=False,
            timeout_keep_alive=KEEP_ALIVE,
        )
        self._servers: list[asyncio.Server] = []
        self._outbox: Outbox | None = None
        self._clock: asyncio.TimerHandle | None = None
        self._empty = asyncio.Event()

    @property
    def connections(self) -> int:
        return len(self._state.connections)

    @property
    def running(self) -> int:
        """Requests being answered now."""
        return len(self._state.tasks)

    def listening(self) -> list[int]:
        """The descriptors of its TCP sockets."""
        return [sock.fileno() for sock in self._sockets if sock.family != socket.AF_UNIX]

    async def start(self) -> None:
        """Accepts from now on."""
        self._config.load()
        loop = asyncio.get_running_loop()
        outbox = self._outbox = Outbox(loop)

        def protocol() -> GuardedProtocol:
            return GuardedProtocol(
                self._config, self._state, self._limits, loop, self._empty.set, outbox
            )

        self._date()
        for sock in self._sockets:
            if sock.family == socket.AF_UNIX:
                server = await loop.create_unix_server(protocol, sock=sock, backlog=BACKLOG)
            else:
                server = await loop.create_server(protocol, sock=sock, backlog=BACKLOG)
            self._servers.append(server)

    async def drain(self, seconds: float) -> int:
        """Accepts no more, lets running requests end for `seconds`, then cuts. Returns how many
        were cut: their handlers are cancelled and may say so to their clients."""
        self._close()
        # what was accepted in this turn of the loop is a connection only in the next one, and
        # would be kept and served to the end of `seconds`
        await asyncio.sleep(0)
        if self._outbox is not None:
            self._outbox.flush()
        for connection in list(self._state.connections):
            connection.shutdown()
        try:
            async with asyncio.timeout(seconds):
                while self._state.connections:
                    self._empty.clear()
                    await self._empty.wait()
                while self._state.tasks:
                    await asyncio.wait(list(self._state.tasks))
        except TimeoutError:
            pass
        cut = list(self._state.tasks)
        for task in cut:
            task.cancel()
        if cut:
            await asyncio.wait(cut, timeout=LAST_WORDS)
        for connection in list(self._state.connections):
            connection.transport.abort()
        if self._clock is not None:
            self._clock.cancel()
        await asyncio.sleep(0)  # lets the loop report the closings
        return len(cut)

    def _close(self) -> None:
        """Listens no more."""
        for sock in self._sockets:
            if sock.family == socket.AF_UNIX:
                Path(sock.getsockname()).unlink(missing_ok=True)
        for server in self._servers:
            server.close()
        for sock in self._sockets:
            # uvloop's server has closed it by now, asyncio's has not
            if sock.fileno() >= 0:
                sock.close()

    def _date(self) -> None:
        """The Date header, made once a second."""
        now = time.time()
        self._state.lines = f"date: {formatdate(now, usegmt=True)}\r\n".encode()
        self._clock = asyncio.get_running_loop().call_later(1.0 - now % 1.0, self._date)
