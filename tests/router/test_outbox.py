"""What waits for the end of a turn keeps its order and never meets a closed transport."""

from __future__ import annotations

import asyncio
from typing import cast

from router.outbox import Outbox


class Wire:
    def __init__(self) -> None:
        self.written: list[bytes] = []
        self.closed = False

    def is_closing(self) -> bool:
        return self.closed

    def write(self, data: bytes) -> None:
        self.written.append(data)


def transport(wire: Wire) -> asyncio.Transport:
    return cast(asyncio.Transport, wire)


async def test_writes_of_one_turn_are_made_at_its_end() -> None:
    outbox, one, other = Outbox(asyncio.get_running_loop()), Wire(), Wire()
    outbox.write(transport(one), b"a")
    outbox.write(transport(other), b"b")
    outbox.write(transport(one), b"c")
    assert (one.written, other.written) == ([], [])
    await asyncio.sleep(0)
    assert (one.written, other.written) == ([b"a", b"c"], [b"b"])
    outbox.write(transport(one), b"d")
    await asyncio.sleep(0)
    assert one.written == [b"a", b"c", b"d"]


async def test_a_flush_leaves_nothing_for_later_and_the_closed_are_left_out() -> None:
    outbox, one, gone = Outbox(asyncio.get_running_loop()), Wire(), Wire()
    outbox.write(transport(gone), b"lost")
    outbox.write(transport(one), b"now")
    gone.closed = True
    outbox.flush()
    await asyncio.sleep(0)
    assert (one.written, gone.written) == ([b"now"], [])
