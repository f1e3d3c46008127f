"""What the screens have in common: a title line, a body, a filter line, and when to redraw.

Its rule: a view draws only while it is the one shown; it reads the board it is given and asks the
archive for the rest, and an unreadable ledger is a line in its title, never the end of the console.
"""

from __future__ import annotations

from collections.abc import Awaitable, Sequence
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual.containers import Vertical

from console.widgets.bar import Bar
from console.widgets.naming import named
from console.widgets.order import named as order_named
from console.widgets.paint import Piece, Span
from console.widgets.table import Table

if TYPE_CHECKING:
    from console.app import ConsoleApp

_T = TypeVar("_T")


#: in a title, until the ledger has answered for the first time
READING = Span("  reading…", "muted")


class View(Vertical):
    """One of the screens. `KEYS` are the hints of its bottom line: (key, word)."""

    NAME: ClassVar[str]
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: those of its keys that change something: not for who may only look
    CHANGES: ClassVar[frozenset[str]] = frozenset()
    #: why the ledger could not be read
    trouble: str = ""
    #: drawn since the last tick
    _fresh = False

    def __init_subclass__(cls, **more: Any) -> None:
        """Names each key, "live.cancel", so that a person can put another in its place."""
        cls.BINDINGS = named(cls.__name__, cls.__dict__.get("BINDINGS", []))
        super().__init_subclass__(**more)

    def action_times(self) -> None:
        """Where a screen binds it: the time of day, or how long ago."""
        app = self.console_app
        app.remember(ago=not app.prefs.ago)
        self.update()

    def command(self) -> str:
        """The same from a shell."""
        return "pointsman status"

    @property
    def console_app(self) -> ConsoleApp:
        return cast("ConsoleApp", self.app)

    def on_mount(self) -> None:
        """Lists stand in the order in which they were left."""
        for table in self.query(Table):
            order = order_named(
                self.console_app.prefs.sort.get(table.name or "", ""), table.columns
            )
            if order is not None:
                table.restore(order)

    def update(self) -> None:
        """Draws what the board says now; nothing while the console is being taken down, when a
        worker may still come back with an answer."""
        if self.app.is_running and self.is_attached:
            self._fresh = True
            self.draw()

    def draw(self) -> None:
        """What a screen draws, from the board."""

    def shown(self) -> None:
        """Called each time the view comes to the front."""
        self.focus_body()
        self.update()

    def tick(self) -> None:
        """Once a second while it is shown: what ages by itself. A screen that the router's beat has
        just drawn has aged with it."""
        if not self._fresh:
            self.update()
        self._fresh = False

    def under_way(self, group: str) -> bool:
        """Whether it still reads: to begin anew at every look would never end on a slow machine."""
        return any(
            worker.group == group and worker.node is self and not worker.is_finished
            for worker in self.workers
        )

    def on_table_moved(self) -> None:
        self.update()

    def on_table_sorted(self, event: Table.Sorted) -> None:
        app, table = self.console_app, event.table
        kept = {**app.prefs.sort, table.name or "": table.order.written}
        if table.order == table.default:
            del kept[table.name or ""]
        app.remember(sort=kept)
        self.update()

    def sort_by(self, text: str) -> str | None:
        """`:sort` of the list that has the focus, or the first; what is wrong, or None."""
        tables = [table for table in self.query(Table) if table.sortable]
        table = next((each for each in tables if each.has_focus), next(iter(tables), None))
        if table is None:
            return "nothing here has an order"
        order = table.default if text in ("", "none") else order_named(text, table.columns)
        if order is None:
            return f"sort by {', '.join(c.name for c in table.sortable)}"
        table.sort(order)
        return None

    def standing(self, table: Table, first: str = "") -> list[Piece]:
        """For the title: the order in force where it is not the usual one, how many are marked,
        and what stands still. `first`: what comes first where rows move in the usual order."""
        said: list[Piece] = []
        usual = table.order == table.default
        if not usual:
            said.append(Span(f"   {table.order.column}{table.order.arrow}", "accent", "s"))
        if many := len(table.marked):
            said.append(Span(f"   ◆ {many:,} marked", "warn"))
        if table.waiting:
            said.append(Span(f"   +{table.waiting} new ↑ g", "accent", "g"))
        elif not table.following and (first or not usual):
            said.append(Span(f"   order frozen, g: {first if usual else 'sorted'}", "muted", "g"))
        return said

    def focus_body(self) -> None:
        """To the first table that is shown, or to the words that stand in its place: without a
        focus the keys of a view are dead."""
        for body in self.query("Table, .instead"):
            if body.display:
                self.screen.set_focus(body, scroll_visible=False)  # now, not after the next keys
                return

    def instead_of(self, table: Table, empty: bool) -> None:
        """Shows `table`, or what the view says when there is nothing to list."""
        words = self.query_one(".instead")
        if (table.display, words.display) == (not empty, empty):
            return
        lost = self.screen.focused in (None, table, words)
        table.display, words.display = not empty, empty
        if lost and self.console_app.view is self:
            self.focus_body()

    def title(self, *left: Piece, right: Sequence[Piece] = (), hint: Sequence[Piece] = ()) -> None:
        trouble: list[Piece] = [Span(f"   {self.trouble}", "bad")] if self.trouble else []
        self.query_one(".title", Bar).say([Span(self.NAME, "strong"), *trouble, *left], right, hint)

    async def ask(self, answer: Awaitable[_T], default: _T) -> _T:
        """What the archive answers; `default`, and a word in the title, when it cannot be read."""
        from console.link import ArchiveError  # with httpx: not before the first paint

        try:
            found = await answer
        except ArchiveError as error:
            self.trouble = f"✗ the ledger cannot be read: {error.__cause__ or error}"
            return default
        self.trouble = ""
        return found


def hidden(table: Table) -> list[Piece]:
    """Says which columns had no room."""
    names = table.hidden if table.display and table.size.width else ()
    return [Span("wider shows: " + ", ".join(names), "muted")] if names else []
