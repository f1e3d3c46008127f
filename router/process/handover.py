"""A router's listening sockets, given to whoever restarts it and taken over by the next router.

One rule: a port that is handed over never refuses: whoever connects meanwhile waits in its queue.
Whoever restarts listens at `Home.handover`; the old router sends its sockets there as it stops; the
new one finds their numbers in the variable HANDED_OVER. One whose process somebody watches over
(sd_notify.py) begins anew in it and hands them to itself. Where any of this fails, the ports are
bound anew, as at any start.
"""

from __future__ import annotations

import os
import socket
from collections.abc import Iterable, MutableMapping
from pathlib import Path

from router.contract import HANDED_OVER, MOST_HANDED_OVER
from router.edge import PortTakenError, bind

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


def keep(listening: Iterable[int]) -> dict[str, str]:
    """For a router that begins anew in this very process: the variable that names the sockets."""
    kept = [os.dup(fd) for fd in listening]
    for fd in kept:
        os.set_inheritable(fd, True)
    return {HANDED_OVER: ",".join(map(str, kept))}


class Taken:
    """What was handed over to this process, by address."""

    def __init__(self, env: MutableMapping[str, str]) -> None:
        """Takes HANDED_OVER out of `env`: it is not for children."""
        self._sockets: dict[tuple[str, int], socket.socket] = {}
        for number in env.pop(HANDED_OVER, "").split(","):
            if number.isdecimal() and (found := _listening(int(number))) is not None:
                host, port = found.getsockname()[:2]
                self._sockets[host, port] = found

    @property
    def ports(self) -> frozenset[int]:
        return frozenset(port for _, port in self._sockets)

    def listen(self, host: str, port: int, flag: str) -> list[socket.socket]:
        """The sockets of that address, each as it was handed over, else a new one.

        "localhost" is both loopback addresses, where this machine has both: many clients try ::1
        first, some nothing else, and nobody else must be able to sit there. A `port` of 0, which
        nobody can name beforehand, is a free one of 127.0.0.1. Raises as `edge.bind`.
        """
        near = host in ("localhost", "127.0.0.1")
        hosts = (host,) if not near else ("127.0.0.1", "::1") if port else ("127.0.0.1",)
        for place in [each for each in self._sockets if each[1] == port and each[0] not in hosts]:
            self._sockets.pop(place).close()  # the port of another address: it has to be free first
        listening = [self._bind(hosts[0], port, flag)]
        try:
            listening += [self._bind(other, port, flag) for other in hosts[1:]]
        except PortTakenError:
            listening[0].close()
            raise
        except OSError:  # no IPv6 here
            pass
        return listening

    def _bind(self, host: str, port: int, flag: str) -> socket.socket:
        return self._sockets.pop((host, port), None) or bind(host, port, flag)

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
