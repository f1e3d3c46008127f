"""Room for one more connection, where there are as many as there may be.

One rule: only what nobody uses is closed. Its client can open another when it needs one, but a
client that is refused is not served.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from heapq import nsmallest
from operator import attrgetter
from typing import Protocol

#: connections closed at once: the search for them is long
ROOM = 32


class Kept(Protocol):
    """A connection."""

    transport: asyncio.Transport

    @property
    def unused_since(self) -> float:
        """Loop time; 0.0 while it is used."""


def make_room(connections: Iterable[Kept]) -> bool:
    """Closes those that were unused for longest. Whether there were any."""
    unused = [each for each in connections if each.unused_since]
    for each in nsmallest(ROOM, unused, key=attrgetter("unused_since")):
        each.transport.close()
    return bool(unused)
