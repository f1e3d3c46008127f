"""One visitor's stay, told to the router for as long as it lasts.

One rule: the router's word is law (a dismissal ends the session), its absence is not: when another
router takes the place of one that went, the visitor is announced again under the same token.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from console.link import Link, RouterDownError
from router.contract import Arrival
from storage.home import Home

#: seconds between two attempts to find a router
_RETRY = 0.5


class Visit:
    """`dismissed` is set when an operator ends it, or the front itself, and `farewell` then says
    why. Begins at once; `end` must be called."""

    def __init__(self, home: Home, arrival: Arrival) -> None:
        self.token = arrival.token
        self.dismissed = asyncio.Event()
        self.farewell = ""
        self._asked = asyncio.Event()
        self._known = False
        self._on_dismissal: Callable[[], None] | None = None
        self._task = asyncio.create_task(self._stay(home, arrival))

    async def known(self) -> bool:
        """Whether a router has taken note."""
        await self._asked.wait()
        return self._known

    def on_dismissal(self, call: Callable[[], None]) -> None:
        self._on_dismissal = call

    def dismiss(self, farewell: str) -> None:
        if self.dismissed.is_set():
            return
        self.farewell = farewell
        self.dismissed.set()
        if self._on_dismissal is not None:
            self._on_dismissal()

    def end(self) -> None:
        self._task.cancel()

    async def _stay(self, home: Home, arrival: Arrival) -> None:
        link = Link(home, token="")
        try:
            while not self.dismissed.is_set():
                try:
                    async with link.visit(arrival) as lines:
                        self._known = True
                        self._asked.set()
                        async for _ in lines:
                            self.dismiss("an operator ended this session")
                except RouterDownError:
                    self._asked.set()
                if not self.dismissed.is_set():
                    await asyncio.sleep(_RETRY)
        finally:
            self._asked.set()
            await link.close()
