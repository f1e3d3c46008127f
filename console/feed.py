"""Keeps a Board up to date: watches the router, notices its silence, and comes back by itself.

Its rule: it never raises and never ends while the console is open; what went wrong stands on the
board. The archive is read only while no router answers.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING

from console.board import Board
from router.contract import PROTOCOL, RequestFilter

if TYPE_CHECKING:
    from console.link import Link

#: seconds between two attempts to find a router
RETRY = 0.5
#: seconds without a word after which the router is asked whether it is still there
SILENCE = 2.0


class Feed:
    """`changed` is called after each change of the board, on the console's loop."""

    def __init__(
        self, link: Link, board: Board, changed: Callable[[], None], now: Callable[[], float]
    ) -> None:
        self._link = link
        self._board = board
        self._changed = changed
        self._now = now
        self._archive_version: int | None = None

    async def run(self) -> None:
        """Until cancelled."""
        from console.link import RouterDownError

        while True:
            try:
                await self._snapshot()
                await self._watch()
            except RouterDownError as error:
                self._board.lost(str(error), self._now())
                await self.remember()
            self._changed()
            await asyncio.sleep(RETRY)

    async def _snapshot(self) -> None:
        from console.link import RouterDownError

        snapshot = await self._link.snapshot()
        if snapshot.protocol != PROTOCOL:
            raise RouterDownError(
                f"the router is version {snapshot.version}, which this console cannot read:"
                " restart it with `pointsman restart`"
            )
        self._board.take(snapshot, self._now())
        self._changed()

    async def _watch(self) -> None:
        """Changes until the router goes. Between our snapshot and the first change something may
        have happened unseen, so the first change asks for a second snapshot."""
        guard = asyncio.create_task(self._guard())
        first = True
        try:
            async for change in self._link.watch():
                if self._board.apply(change, self._now()) or first:
                    await self._snapshot()
                else:
                    self._changed()
                first = False
        finally:
            guard.cancel()

    async def _guard(self) -> None:
        """A router with nothing to tell is silent, and so is one that hangs: ask."""
        from console.link import RouterDownError

        while True:
            await asyncio.sleep(SILENCE / 2)
            if self._now() - self._board.heard < SILENCE:
                continue
            try:
                await self._snapshot()
            except RouterDownError:
                self._board.silent(self._now())
                self._changed()

    async def remember(self) -> None:
        """Reads the ledger again if anyone has written to it."""
        from console.link import ArchiveError

        archive, now = self._link.archive, self._now()
        try:
            version = await archive.data_version()
            if version == self._archive_version and self._board.requests:
                return
            self._archive_version = version
            self._board.remember(
                await archive.requests(RequestFilter(), limit=200),
                [o for o in await archive.overrides() if (o.expires_at or now + 1) > now],
                await archive.totals(midnight(now)),
            )
        except ArchiveError as error:
            self._board.reason = str(error)


def midnight(now: float) -> float:
    """The beginning of the local day of Unix seconds `now`."""
    day = time.localtime(now)
    return time.mktime((day.tm_year, day.tm_mon, day.tm_mday, 0, 0, 0, 0, 0, -1))
