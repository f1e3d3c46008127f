"""Holds a router's ports while another takes its place, so that none of them refuses meanwhile.

One rule: the ports are open for as long as the `with`, and whoever connects waits in their queues;
router/process/handover.py has the router's two halves. Where it does not work, nothing but a gap
is lost.
"""

from __future__ import annotations

import contextlib
import os
import socket
from collections.abc import Iterator
from pathlib import Path

from router.contract import MOST_HANDED_OVER


class Held:
    """What the router that ends sends to `place`."""

    def __init__(self, listening: socket.socket | None) -> None:
        self._listening = listening
        self._fds: list[int] = []

    def take(self) -> tuple[int, ...]:
        """The sockets that have been sent by now, as descriptors that stay ours."""
        while self._listening is not None:
            try:
                sender, _ = self._listening.accept()
            except OSError:
                break
            with sender, contextlib.suppress(OSError):
                sender.setblocking(False)
                self._fds += socket.recv_fds(sender, 64, MOST_HANDED_OVER)[1]
        return tuple(self._fds)

    def close(self, place: Path) -> None:
        self.take()
        for fd in self._fds:
            os.close(fd)
        if self._listening is not None:
            place.unlink(missing_ok=True)
            self._listening.close()


@contextlib.contextmanager
def holding(place: Path) -> Iterator[Held]:
    """Waits at `place` for the sockets of a router that is about to be replaced."""
    held = Held(_listen(place))
    try:
        yield held
    finally:
        held.close(place)


def _listen(place: Path) -> socket.socket | None:
    """None where it cannot be had: also where somebody else restarts this router just now."""
    other = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    with other, contextlib.suppress(OSError):
        other.connect(os.fspath(place))
        return None
    listening = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(0o177)
    try:
        place.unlink(missing_ok=True)
        listening.bind(os.fspath(place))
        listening.listen()
        listening.setblocking(False)
    except OSError:
        listening.close()
        return None
    finally:
        os.umask(before)
    return listening
