"""The router that started a front: what it is told, and how its end is noticed.

Its rule: a front ends with its starter, whatever became of that.
"""

from __future__ import annotations

import asyncio
import signal
import sys

import msgspec


class Starter(asyncio.Protocol):
    """`stop`: it is time to end, by a signal or since our stdin was closed. `lingers`: only once
    the last visitor has gone."""

    def __init__(self) -> None:
        self.stop = asyncio.Event()
        self.lingers = False

    async def watch(self, is_child: bool) -> None:
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGHUP):
            loop.add_signal_handler(number, self.stop.set)
        if is_child:
            await loop.connect_read_pipe(lambda: self, sys.stdin)

    def data_received(self, data: bytes) -> None:
        if b"linger" in data:
            self.lingers = True
            self.stop.set()

    def connection_lost(self, exc: Exception | None) -> None:
        self.stop.set()


def say(line: dict[str, str | int]) -> None:
    """One JSON line on stdout."""
    sys.stdout.write(msgspec.json.encode(line).decode() + "\n")
    sys.stdout.flush()
