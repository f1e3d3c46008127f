"""The sockets that the SSH front listens on.

Its rule: "localhost" is both loopback addresses, so that nobody else can sit on the one a client
tries first. A port that is taken is named together with who holds it and the flag that moves it.
"""

from __future__ import annotations

import errno
import socket
from collections.abc import Sequence

import psutil

from console.ssh.peer import is_loopback
from console.text import clean


class ListenError(Exception):
    """Nothing can be listened on. The message is for the person who started us."""


def sockets(host: str, port: int) -> list[socket.socket]:
    """Listening; with 127.0.0.1 also at ::1, unless this machine has no IPv6. Port 0 takes a free
    one. Raises ListenError."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    first = _bound(family, "127.0.0.1" if host == "localhost" else host, port)
    host, port = first.getsockname()[:2]
    if host != "127.0.0.1":
        return [first]
    try:
        return [first, _bound(socket.AF_INET6, "::1", port)]
    except ListenError as error:
        if isinstance(error.__cause__, OSError) and error.__cause__.errno == errno.EADDRINUSE:
            first.close()
            raise
        return [first]


def inherited(fds: Sequence[int]) -> list[socket.socket]:
    """The sockets that our starter bound. Raises ListenError."""
    found = []
    for fd in fds:
        try:
            found.append(socket.socket(fileno=fd))
        except OSError as error:
            raise ListenError(f"--fd {fd} is not an open socket") from error
    return found


def is_private(bound: list[socket.socket]) -> bool:
    """Whether all of them can be reached from this machine alone."""
    return all(is_loopback(each.getsockname()[0]) for each in bound)


def _bound(family: socket.AddressFamily, host: str, port: int) -> socket.socket:
    made = None
    try:
        made = socket.socket(family, socket.SOCK_STREAM)
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind((host, port))
        # two sockets can be bound to one port with SO_REUSEADDR until one of them listens
        made.listen(128)
    except OSError as error:
        if made is not None:
            made.close()
        raise ListenError(_why(host, port, error)) from error
    return made


def _why(host: str, port: int, error: OSError) -> str:
    if error.errno == errno.EADDRINUSE:
        return f"port {port} on {host} is taken by {_holder(port)}; move SSH with --ssh-port"
    if error.errno == errno.EACCES:
        return f"port {port} needs more rights than we have; move SSH with --ssh-port"
    return f"cannot listen on {host} port {port}: {error.strerror or error}"


def _holder(port: int) -> str:
    try:
        for found in psutil.net_connections("tcp"):
            if found.status != psutil.CONN_LISTEN or not found.laddr or not found.pid:
                continue
            if found.laddr.port == port:
                return f"{clean(psutil.Process(found.pid).name())} (pid {found.pid})"
    except (psutil.Error, OSError):
        pass  # macOS shows other programs' sockets to root alone
    return "another program"
