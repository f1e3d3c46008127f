"""Live: what runs now and what just ran; for each where it went, why, and at what price.

Its rule: rows never move under the cursor. At the top the newest come in; once the cursor has left
the top the order stands still, rows change in place, and the title counts what waits above.
"""

from __future__ import annotations

import shlex
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.widgets import Static

from console.lines.requests import COLUMNS, GROUPS, NEWEST, Groups, draw, whole
from console.lines.welcome import welcome
from console.query import parse
from console.screens.filtered import FilteredView, FilterLine
from console.screens.view import hidden
from console.searching import matching
from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span, lines
from console.widgets.table import ListRows, Table, every
from router.contract import RequestView

#: requests of the ledger that a filter shows
SEARCHED = 500


class Live(FilteredView):
    NAME = "Live"
    KEYS = (
        ("enter", "why"),
        ("o", "override"),
        ("x", "cancel"),
        ("/", "filter"),
        ("s", "sort"),
        ("space", "mark"),
        ("b", "group"),
        ("X", "pause session"),
        ("p", "pause"),
    )
    CHANGES = frozenset(("x", "o", "X"))
    FILTER = (
        ("words !words", 'what is in it, what is not; "two words"'),
        ("model: !key:", "a field with it, without it; = the whole of it;"),
        ("", "provider session agent key door rule asked client"),
        ("", "error project team user; state:failed running done"),
        ("took>10s", "ttft cost in out tries status, with > < >= <= ="),
        ("since:2h", "also since:monday since:yesterdayT18:00 until:14:00"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "group", "Group by session, model, key, door, or not"),
        Binding("x", "cancel", "Cancel the running request"),
        Binding("o", "override", "Override from here on"),
        Binding("X", "pause_session", "Pause or resume its session"),
        Binding("t", "times", "When it began, or how long ago"),
        Binding("y", "copy", "Copy its id, session, error, row, JSON or curl"),
    ]

    def __init__(self) -> None:
        super().__init__(id="live")
        self._items: list[RequestView] = []
        self._older: dict[str, RequestView] = {}
        #: nothing that matches is missing among them
        self._whole = False
        self.group = ""
        #: which is told in full
        self._told: RequestView | None = None

    def command(self) -> str:
        return "pointsman requests" + (f" {shlex.quote(self.filter)}" if self.filter else "")

    def compose(self) -> ComposeResult:
        if self.console_app.prefs.group in GROUPS:
            self.group = self.console_app.prefs.group
        yield Bar(classes="title")
        yield Table(COLUMNS, edge="top", order=NEWEST, marks=every, id="requests", name="live")
        yield Static(id="request", markup=False)
        with VerticalScroll(id="empty", classes="instead"):
            yield Static(id="welcome", markup=False)
        yield FilterLine(
            "words !words model: !key: state:failed status>=400 took>10s cost>1 since:2h"
        )

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        board = self.console_app.board
        table = self.query_one(Table)
        self._items = table.settle(
            list(self._pool().values()),
            lambda r: r.id,
            wait=True,
            latest=lambda r: board.requests.get(r.id, r),
        )
        empty = not board.requests and not self.filter and board.link != "connecting"
        self.instead_of(table, empty)
        if empty:
            self.query_one("#welcome", Static).update(
                lines(*welcome(board, self.console_app.front_door()))
            )
        now, ago = self.console_app.now(), self.console_app.prefs.ago
        if self.group:
            table.show(Groups(self._items, self.group, now, ago=ago))
        else:
            table.show(ListRows(self._items, lambda r: r.id, lambda r: draw(r, now, ago=ago)))
        self._say_title(table)
        self._say_chosen(table)

    def _say_chosen(self, table: Table) -> None:
        """In full, once it was chosen: at the top another one comes with every request."""
        chosen = self.chosen() if self.filter or not table.following else None
        below = self.query_one("#request", Static)
        below.display = chosen is not None
        if chosen is not None and chosen is not self._told:
            self._told = chosen
            below.update(whole(chosen))

    def _pool(self) -> dict[str, RequestView]:
        """Every request that the filter lets through, newest first, the running ones on top."""
        board = self.console_app.board
        everything = [*board.running, *board.finished]
        if not self.filter:
            return {r.id: r for r in everything}
        wanted = parse(self.filter, self.console_app.now())
        self.misread = wanted.misread("requests")
        found = {r.id: r for r in everything if wanted.holds(r)}
        return {**found, **{k: r for k, r in self._older.items() if k not in found}}

    def _say_title(self, table: Table) -> None:
        board = self.console_app.board
        running = len(board.running)
        said: list[Piece] = [Span(f"  {running} running", "accent" if running else "muted")]
        if self.filter:
            more = "" if self._whole else "+"
            said.append(Span(f"   {len(self._items):,}{more} found", "warn"))
            said += self.filtered_by()
        else:
            said.append(Span(f"   {len(board.finished)} recent", "muted"))
        if self.group:
            said.append(Span(f"   by {self.group}", "accent", "b"))
        if board.paused:
            said.append(Span(f"   ‖ {len(board.paused)} paused", "warn"))
        said += self.standing(table, "newest")
        self.title(*said, hint=hidden(table))

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def narrow(self, text: str) -> None:
        """From another screen: what comes is read from its newest on."""
        super().narrow(text)
        self.query_one(Table).follow()

    def on_table_opened(self, event: Table.Opened) -> None:
        rows = self.query_one(Table).rows
        order = rows.ids if isinstance(rows, Groups) else [r.id for r in self._items]
        self.console_app.open_request(str(event.key), order)

    def filtered(self) -> None:
        self._older, self._whole = {}, False
        super().filtered()
        if self.filter:
            self._search()

    @work(exclusive=True, group="search")
    async def _search(self) -> None:
        """Older requests that match, from the ledger."""
        archive, table = self.console_app.archive, self.query_one(Table)
        if archive is None:
            return
        wanted = parse(self.filter, self.console_app.now())
        found, whole = await self.ask(matching(archive, wanted, SEARCHED), ([], False))
        self._older, self._whole = {r.id: r for r in found}, whole
        table.unsettle()
        self.update()

    def chosen(self) -> RequestView | None:
        key = self.query_one(Table).selected
        return next((r for r in self._items if r.id == key), None)

    def _picked(self) -> list[RequestView]:
        """The marked ones, or the selected one."""
        keys = self.query_one(Table).picked
        return [request for request in self._items if request.id in keys]

    def action_cancel(self) -> None:
        self.console_app.ask_cancel(*self._picked(), then=self.query_one(Table).unmark)

    def action_group(self) -> None:
        names = list(GROUPS)
        self.group_by(names[(names.index(self.group) + 1) % len(names)])

    def group_by(self, name: str) -> None:
        self.group = name
        self.console_app.remember(group=name)
        self.update()

    def action_override(self) -> None:
        self.console_app.ask_override(self.chosen())

    def action_pause_session(self) -> None:
        if picked := self._picked():
            sessions = (request.session for request in picked)
            self.console_app.ask_pause(*sessions, then=self.query_one(Table).unmark)

    def action_copy(self) -> None:
        if picked := self._picked():
            from console.copying import of_requests

            app = self.console_app
            app.ask_copy(*of_requests(picked, app.now(), app.front_door()))
