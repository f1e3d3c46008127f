"""How one gets from one screen to another: by its number, into a request and back, by a link.

Its rule: a screen is imported and made when it is first gone to, and then it is kept.
"""

from __future__ import annotations

import importlib

from textual.app import App
from textual.widgets import ContentSwitcher

from console.screens import IDS, SCREENS
from console.screens.filtered import FilteredView
from console.screens.view import View


class Navigation(App[int]):
    """The part of the console that knows which screen is shown."""

    #: where a deep link leads: a screen, or a request's id
    first = "", ""
    #: the screen that a request was opened from
    _before_detail = "live"

    def draw_bars(self) -> None:
        """What stands around the screen, anew."""

    @property
    def view(self) -> View:
        """The screen that is shown."""
        switcher = self.screen_stack[0].query_one(ContentSwitcher)
        return switcher.query_one(f"#{switcher.current}", View)

    @property
    def current(self) -> str:
        """Its id; of a request that is open, that of the screen it was opened from."""
        id = self.view.id or ""
        return id if id != "detail" else self._before_detail

    async def action_view(self, id: str) -> None:
        switcher = self.query_one(ContentSwitcher)
        if not switcher.query(f"#{id}"):
            name = next((n for i, n in SCREENS.values() if i == id), "Detail")
            view = getattr(importlib.import_module(f"console.screens.{id}"), name)
            await switcher.mount(view())
        switcher.current = id
        self.view.shown()
        self.draw_bars()

    async def _open(self, id: str, neighbours: list[str]) -> None:
        from console.screens.detail import Detail

        self._before_detail = self.current
        await self.action_view("detail")
        self.query_one(Detail).open(id, neighbours)

    def open_request(self, id: str, neighbours: list[str]) -> None:
        self.call_later(self._open, id, neighbours)

    def show_requests(self, filter: str) -> None:
        """The Live screen with this in its filter."""
        self.call_later(self._narrowed, "live", filter)

    def show_lines(self, filter: str) -> None:
        """The Logs screen with this in its filter."""
        self.call_later(self._narrowed, "logs", filter)

    async def _narrowed(self, id: str, filter: str) -> None:
        origin = self.view.id or ""
        await self.action_view(id)
        self.query_one(f"#{id}", FilteredView).lead_here(origin, filter)

    async def leave_detail(self) -> None:
        await self.action_view(self._before_detail)

    async def show_costs(self, since: float, until: float | None) -> None:
        from console.screens.costs import Costs

        await self.action_view("costs")
        self.query_one(Costs).between(since, until)

    async def go_to_first(self) -> None:
        """Where a deep link leads: `ssh -t … costs`, `… why ID`."""
        screen, request = self.first
        if request:
            self.open_request(request, [])
        elif screen in IDS:
            await self.action_view(screen)
