"""A router's listening sockets, given to whoever restarts it and taken over by the next router.

One rule: a port that is handed over never refuses: whoever connects meanwhile waits in its queue.
Whoever restarts listens at `Home.handover`; the old router sends its sockets there as it stops; the
new one finds their numbers in the variable HANDED_OVER. Where any of this fails, the ports are
bound anew, as at any start.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, MutableMapping
from pathlib import Path

from router.contract import HANDED_OVER, MOST_HANDED_OVER
from router.edge import bind

#: seconds for one message over a Unix socket of this machine
_PATIENCE = 1.0


def give(place: Path, listening: Iterable[int]) -> None:
    """Sends the sockets to who waits at `place`, if anybody does."""
    fds = list(listening)[:MOST_HANDED_OVER]
    with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as to:
        to.settimeout(_PATIENCE)
        try:
            to.connect(os.fspath(place))
            socket.send_fds(to, [b"listening"], fds)
        except OSError:  # nobody waits: it is a stop like any other
            return


class Taken:
    """What was handed over to this process, by port."""

    def __init__(self, env: MutableMapping[str, str]) -> None:
        """Takes HANDED_OVER out of `env`: it is not for children."""
        self._sockets: dict[int, socket.socket] = {}
        for number in env.pop(HANDED_OVER, "").split(","):
            if number.isdecimal() and (found := _listening(int(number))) is not None:
                self._sockets[found.getsockname()[1]] = found

    @property
    def ports(self) -> frozenset[int]:
        return frozenset(self._sockets)

    def bind(self, host: str, port: int, flag: str) -> socket.socket:
        """The socket of that address where it was handed over, else a new one. Raises as
        `edge.bind`."""
        held = self._sockets.pop(port, None)
        if held is not None:
            if held.getsockname()[0] == ("127.0.0.1" if host == "localhost" else host):
                return held
            held.close()  # the same port of another address: it has to be free first
        return bind(host, port, flag)

    def close(self) -> None:
        """Lets go of what is not listened on any more."""
        for held in self._sockets.values():
            held.close()
        self._sockets.clear()


def _listening(fd: int) -> socket.socket | None:
    """None where `fd` is no listening TCP socket: the variable may be an old one."""
    try:
        found = socket.socket(fileno=fd)
    except OSError:
        return None
    try:
        if found.family != socket.AF_UNIX and found.getsockopt(
            socket.SOL_SOCKET, socket.SO_ACCEPTCONN
        ):
            found.setblocking(False)
            found.set_inheritable(False)
            return found
    except OSError:
        pass
    found.detach()
    return None
