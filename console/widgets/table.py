"""A table of any number of rows: a cursor in it, an order for it, and marks on its rows.

Its rule: the selection and the marks follow a row's key, never its position; while the cursor is
away from where new rows come in, no row changes its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any, ClassVar, Literal, TypeVar

from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region
from textual.message import Message
from textual.widget import Widget

from console.theme import TONES
from console.widgets.canvas import Canvas
from console.widgets.columns import Column
from console.widgets.naming import named
from console.widgets.order import Order, Standing, arranged, natural
from console.widgets.paint import Span
from console.widgets.rows import Heading, Key, ListRows, Row, Rows
from console.widgets.strips import BOTH, MARKED, SELECTED

_T = TypeVar("_T")


def every(key: Key) -> bool:
    """For lists of which each row can be marked."""
    return True


class Table(Canvas, can_focus=True):
    """`edge` is where new rows come in: while the cursor is there, it stays there (`following`).
    `order` is how its rows come, named if it is that of a column. `marks`: which can be marked.
    `shy`: shows its cursor only while it has the focus; for one of several tables on a screen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--cursor",
        *(f"table--{tone}" for tone in TONES),
    }
    BINDINGS: ClassVar[list[BindingType]] = named(
        "table",
        [
            Binding("down,j", "move(1)", "Down", show=False),
            Binding("up,k", "move(-1)", "Up", show=False),
            Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
            Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
            Binding("g,home", "first", "First row", show=False),
            Binding("G,end", "last", "Last row", show=False),
            Binding("enter", "open", "Open", show=False),
            Binding("s,greater_than_sign", "sort(1)", "Sort by the next column", key_display="s >"),
            Binding("less_than_sign", "sort(-1)", "Sort by the one before", key_display="<"),
            Binding("S", "reverse", "Sort the other way round"),
            Binding("space", "mark", "Mark the row: what follows is done to all marked ones"),
        ],
    )

    class Told(Message):
        """What a table tells its screen."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> Table:
            return self.table

    class Opened(Told):
        """Enter on the selected row, `key`, or a click on it."""

        def __init__(self, table: Table, key: Key) -> None:
            super().__init__(table)
            self.key = key

    class Moved(Told):
        """The cursor or a mark moved, it began or ceased to follow, or the width hides columns."""

    class Sorted(Told):
        """A person chose another order."""

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        edge: Literal["top", "bottom", ""] = "",
        order: Order | None = None,
        marks: Callable[[Key], bool] | None = None,
        shy: bool = False,
        id: str | None = None,
        name: str | None = None,
    ) -> None:
        self.default = order or Order()
        super().__init__(columns, order=self.default, id=id, name=name)
        self.edge = edge
        self.shy = shy
        self.following = bool(edge)
        self.cursor = 0
        self._selected: Key | None = None
        self._marks = marks
        self._marked: set[Key] = set()
        self._standing: Standing[Any] = Standing()
        #: nothing of what comes next was shown before
        self._anew = False

    # ── what it shows ─────────────────────────────────────────────────────────────────────────────

    @property
    def selected(self) -> Key | None:
        """The key under the cursor; None when the table is empty."""
        return self._selected

    def settle(
        self,
        items: Sequence[_T],
        key: Callable[[_T], Key],
        *,
        wait: bool = False,
        latest: Callable[[_T], _T] | None = None,
    ) -> list[_T]:
        """`items`, which come in the table's own order, in the one a person asked for. Away from
        the edge they stand still: new ones come last or, `wait`, are counted in `waiting`; what
        went stays if `latest` says as what."""
        if self._order != self.default:
            items = arranged(items, self.columns, self._order)
        still = bool(self.edge) and not self.following
        return self._standing.take(items, key, still=still, wait=wait, latest=latest)

    def unsettle(self) -> None:
        """Other items than before: nothing has to stand still for them."""
        self._standing.forget()
        self._anew = True
        self._narrow()

    @property
    def waiting(self) -> int:
        """New items that are not shown as long as the order stands still."""
        return self._standing.waiting

    def show(self, rows: Rows) -> None:
        """Shows `rows`; paints the lines that differ from what is painted."""
        self._rows = rows
        self._lines = None
        count = len(rows)
        if not self.following:
            found = None if self._selected is None else rows.index(self._selected)
            place = self.cursor if found is None else found
            if self._anew and found is None:  # as a filter does: from the first hit on
                place, self.following = 0, bool(self.edge)
        if self.following:
            place = 0 if self.edge == "top" else count - 1
        self._anew = False
        self._put_cursor(place, 1)
        size = self._extent()
        if size != self.virtual_size:
            # as setting it does, without the layout of the whole screen that follows from that
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        self._keep_in_sight()
        self._measure()
        self._repaint()

    @property
    def wrap(self) -> bool:
        """Whether columns that wrap take as many lines as their words need, up to a screen full."""
        return self._wrap

    @wrap.setter
    def wrap(self, on: bool) -> None:
        self._wrap = on
        self._forget()
        self.virtual_size = self._extent()
        self._keep_in_sight()
        self._measure()

    # ── its order ─────────────────────────────────────────────────────────────────────────────────

    def sort(self, order: Order) -> None:
        """From now on in this order, from its first row on."""
        self.restore(order)
        self.unsettle()
        self.follow()
        self.post_message(self.Sorted(self))

    def restore(self, order: Order) -> None:
        """The order it had before; `settle` follows with its items."""
        self._order = order
        self._widths = [max(*pair) for pair in zip(self._widths, self._least(), strict=True)]
        self._forget()

    @property
    def sortable(self) -> list[Column]:
        """The columns that have an order, and room."""
        hidden = self.hidden
        return [c for c in self.columns if c.by is not None and c.name not in hidden]

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action in ("sort", "reverse"):
            return any(column.by is not None for column in self.columns)
        if action == "mark":
            return self._marks is not None
        return super().check_action(action, parameters)

    def action_sort(self, step: int) -> None:
        own = self.default
        found = [own if c.name == own.column else natural(c) for c in self.sortable]
        if not own.column:
            found.insert(0, own)
        names = [order.column for order in found]
        at = names.index(self._order.column) if self._order.column in names else -1
        order = found[(at + step) % len(found)]
        self.sort(self._order.reversed if order.column == self._order.column else order)

    def _sort_at(self, x: int) -> None:
        """By the column whose name is there; once more: the other way round."""
        found = self._arranged().at(x)
        column = None if found is None else self.columns[found]
        if column is None or column.by is None:
            return
        if column.name == self._order.column:
            self.action_reverse()
        else:
            self.sort(self.default if column.name == self.default.column else natural(column))

    def action_reverse(self) -> None:
        if self._order.column:
            self.sort(self._order.reversed)

    # ── marks ─────────────────────────────────────────────────────────────────────────────────────

    @property
    def marked(self) -> list[Key]:
        """Of the marked rows those that are shown, from the top down."""
        places = {key: self._rows.index(key) for key in self._marked}
        return [key for place, key in sorted((p, k) for k, p in places.items() if p is not None)]

    @property
    def picked(self) -> list[Key]:
        """What an action is for: the marked rows or, without any, the selected one."""
        return self.marked or ([] if self._selected is None else [self._selected])

    def action_mark(self) -> None:
        """This row, and on to the next."""
        if self._selected is not None and self._marks is not None:
            if self._marks(self._selected):
                self._marked ^= {self._selected}
            self.action_move(1)

    def unmark(self) -> bool:
        """Takes all marks away; whether any was seen."""
        seen = bool(self.marked)
        self._marked.clear()
        if seen:
            self._repaint()
            self.post_message(self.Moved(self))
        return seen

    def _mark(self, place: int, row: Row | None) -> str:
        if row is None or isinstance(row, Heading):
            return ""
        cursor = place == self.cursor and (self.has_focus or not self.shy)
        if self._marked and self._rows.key(place) in self._marked:
            return BOTH if cursor else MARKED
        return SELECTED if cursor else ""

    def _repaint(self) -> None:
        """The lines that are not as they were painted."""
        for y in range(1, self.size.height):
            if self._stale(y):
                self.refresh(Region(0, y, self.size.width, 1))

    # ── the cursor ────────────────────────────────────────────────────────────────────────────────

    def _put_cursor(self, place: int, step: int) -> None:
        """To `place` or, if that is a heading, the nearest row in the direction of `step`."""
        count = len(self._rows)
        if not count:
            self.cursor, self._selected = 0, None
            return
        place = max(0, min(place, count - 1))
        # a million rows: looked at one by one, never listed
        for candidate in chain(range(place, count if step > 0 else -1, step), range(count)):
            if not isinstance(self._rows.row(candidate), Heading):
                place = candidate
                break
        self.cursor = place
        self._selected = self._rows.key(place)

    def _go(self, place: int, step: int) -> None:
        self._put_cursor(place, step)
        before, self.following = self.following, bool(self.edge) and self._at_edge()
        if self.following and not before:
            self._narrow()
        self._keep_in_sight()
        self._measure()
        self._repaint()
        self.post_message(self.Moved(self))

    def _at_edge(self) -> bool:
        """Nothing but headings lies between the cursor and where new rows come in."""
        last = len(self._rows) - 1
        beyond = range(self.cursor) if self.edge == "top" else range(last, self.cursor, -1)
        return all(isinstance(self._rows.row(place), Heading) for place in beyond)

    def _keep_in_sight(self) -> None:
        if self._room() < 1 or not len(self._rows):
            return
        top = self._top()
        # headings above the first row come into sight with it
        above = self.cursor
        while above > 0 and isinstance(self._rows.row(above - 1), Heading):
            above -= 1
        wanted = above if above < top else max(top, self._reach(self.cursor, -1))
        wanted = min(wanted, self._reach(len(self._rows) - 1, -1))
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)

    def follow(self) -> None:
        """To the edge where new rows come in, and stay there."""
        self._go(0 if self.edge == "top" else len(self._rows) - 1, 1)

    def action_move(self, step: int) -> None:
        self._go(self.cursor + step, 1 if step > 0 else -1)

    def action_page(self, step: int) -> None:
        far = self._reach(self.cursor, step)
        self._go(far if far != self.cursor else self.cursor + step, step)

    def action_first(self) -> None:
        self._go(0, 1)

    def action_last(self) -> None:
        self._go(len(self._rows) - 1, -1)

    def action_open(self) -> None:
        if self._selected is not None:
            self.post_message(self.Opened(self, self._selected))

    def on_click(self, event: events.Click) -> None:
        if event.y == 0:
            self._sort_at(event.x)
            return
        place, _ = self._at(event.y)
        if place < len(self._rows):
            if place == self.cursor:
                self.action_open()
            else:
                self._go(place, 1)

    def _on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        event.stop()
        self.action_move(3)

    def _on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        event.stop()
        self.action_move(-3)

    def on_resize(self) -> None:
        self._narrow()
        self.virtual_size = self._extent()
        self._keep_in_sight()
        self._measure()
        self.post_message(self.Moved(self))

    def on_focus(self) -> None:
        self._forget()

    def on_blur(self) -> None:
        self._forget()


__all__ = ["Heading", "Key", "ListRows", "Row", "Rows", "Span", "Table"]
