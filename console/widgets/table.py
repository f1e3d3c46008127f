"""A table of any number of rows, drawn line by line: only what is visible is asked for and drawn.

Its rule: the selection follows a row's key, never its position, and only lines whose cells changed
are painted again. (Textual's DataTable renders its whole page for one changed cell, 37-65 ms at
120x40, and cuts numbers that outgrow their column.) It scrolls by the row, so that rows that wrap
need to be measured only where they are seen.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import chain
from typing import ClassVar, Literal

from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from console.text import width
from console.theme import TONES
from console.widgets import strips
from console.widgets.columns import Column, Layout, lay_out
from console.widgets.paint import Span, plain
from console.widgets.rows import NOTHING, Heading, Key, ListRows, Row, Rows

#: drawn rows that are kept, several screens full
KEPT = 512


class Table(ScrollView, can_focus=True):
    """`edge` is where new rows come in: while the cursor is there, it stays there (`following`).
    `shy`: shows its cursor only while it has the focus; for one of several tables on a screen."""

    COMPONENT_CLASSES: ClassVar[set[str]] = {
        "table--cursor",
        *(f"table--{tone}" for tone in TONES),
    }
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("down,j", "move(1)", "Down", show=False),
        Binding("up,k", "move(-1)", "Up", show=False),
        Binding("pagedown,ctrl+d", "page(1)", "Page down", show=False),
        Binding("pageup,ctrl+u", "page(-1)", "Page up", show=False),
        Binding("g,home", "first", "First row", show=False),
        Binding("G,end", "last", "Last row", show=False),
        Binding("enter", "open", "Open", show=False),
    ]

    class Opened(Message):
        """Enter on a row, or a click on the selected one."""

        def __init__(self, table: Table, key: Key) -> None:
            super().__init__()
            self.table = table
            self.key = key

        @property
        def control(self) -> Table:
            return self.table

    class Moved(Message):
        """The cursor moved, began or ceased to follow, or the columns changed with the width."""

        def __init__(self, table: Table) -> None:
            super().__init__()
            self.table = table

        @property
        def control(self) -> Table:
            return self.table

    def __init__(
        self,
        columns: Sequence[Column],
        *,
        edge: Literal["top", "bottom", ""] = "",
        shy: bool = False,
        id: str | None = None,
    ) -> None:
        super().__init__(id=id)
        self.columns = tuple(columns)
        self.edge = edge
        self.shy = shy
        self.following = bool(edge)
        self.cursor = 0
        self._wrap = False
        self._rows: Rows = NOTHING
        self._selected: Key | None = None
        self._widths = [max(c.width, len(c.name)) for c in columns]
        self._layout: Layout | None = None
        #: what stands on each line of the screen: which line of which row, and whether marked
        self._painted: dict[int, tuple[Row | None, bool, int, Strip]] = {}
        #: …and as what each row was drawn: rows that only moved are not drawn again
        self._drawn: dict[Key, tuple[Row, bool, tuple[Strip, ...]]] = {}
        #: where rows wrap: the place and the line in its row of each line below the header
        self._lines: list[tuple[int, int]] | None = None
        self._tones: dict[tuple[str, bool], Style] = {}

    # ── what it shows ─────────────────────────────────────────────────────────────────────────────

    @property
    def rows(self) -> Rows:
        return self._rows

    @property
    def selected(self) -> Key | None:
        """The key under the cursor; None when the table is empty."""
        return self._selected

    @property
    def hidden(self) -> tuple[str, ...]:
        """Names of the columns for which there is no room."""
        return self._arranged().hidden

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns from now on; `show` follows with their rows."""
        self.columns = tuple(columns)
        self._widths = [max(c.width, len(c.name)) for c in columns]
        self._rows = NOTHING
        self._forget()

    def show(self, rows: Rows) -> None:
        """Shows `rows`; paints the lines that differ from what is painted."""
        self._rows = rows
        self._lines = None
        count = len(rows)
        if self.following:
            place = 0 if self.edge == "top" else count - 1
        else:
            found = None if self._selected is None else rows.index(self._selected)
            place = self.cursor if found is None else found
        self._put_cursor(place, 1)
        size = self._extent()
        if size != self.virtual_size:
            # as setting it does, without the layout of the whole screen that follows from that
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        self._keep_in_sight()
        self._measure()
        for y in range(1, self.size.height):
            if self._stale(y):
                self.refresh(Region(0, y, self.size.width, 1))

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

    def _top(self) -> int:
        return int(self.scroll_offset.y)

    def _visible(self) -> range:
        top = self._top()
        return range(top, min(top + self._room(), len(self._rows)))

    def _room(self) -> int:
        """Lines below the header."""
        return max(self.size.height - 1, 0)

    def _extent(self) -> Size:
        """In rows; where they wrap, so high that the last screen full begins at its first row."""
        count = len(self._rows)
        if self._wrap and count:
            count = self._reach(count - 1, -1) + self._room()
        return Size(self.size.width, count + 1)

    def _height(self, place: int) -> int:
        row = self._rows.row(place) if self._wrap else None
        if row is None:
            return 1
        return len(self._draw(self._rows.key(place), row, self._marked(place, row)))

    def _reach(self, place: int, step: int) -> int:
        """The farthest row in the direction of `step` that fits on the screen with `place`."""
        count, room = len(self._rows), self._room()
        if not self._wrap:
            return max(0, min(place + step * max(room - 1, 0), count - 1))
        used = self._height(place)
        while 0 <= place + step < count:
            used += self._height(place + step)
            if used > room:
                break
            place += step
        return place

    def _at(self, y: int) -> tuple[int, int]:
        """The place that line `y` of the screen shows, and which of its row's lines."""
        if not self._wrap:
            return self._top() + y - 1, 0
        if self._lines is None:
            self._lines = [
                (place, line) for place in self._visible() for line in range(self._height(place))
            ]
            left, above = self._room() - len(self._lines), self._top() - 1
            if left > 0 and above >= 0:  # the end: what does not fit is the first row's beginning
                high = self._height(above)
                rest = [(above, line) for line in range(max(high - left, 0), high)]
                self._lines = rest + self._lines
        return self._lines[y - 1] if y <= len(self._lines) else (len(self._rows), 0)

    def _stale(self, y: int) -> bool:
        painted = self._painted.get(y)
        place, line = self._at(y)
        row = self._rows.row(place) if place < len(self._rows) else None
        return painted is None or painted[:3] != (row, self._marked(place, row), line)

    def _marked(self, place: int, row: Row | None) -> bool:
        return place == self.cursor and row is not None and (self.has_focus or not self.shy)

    def _measure(self) -> None:
        """Widens number columns to what is visible: a number is never cut."""
        wider = False
        for place in self._visible():
            row = self._rows.row(place)
            if row is None or isinstance(row, Heading):
                continue
            drawn = self._drawn.get(self._rows.key(place))
            if drawn is not None and drawn[0] == row:
                continue
            for index, column in enumerate(self.columns):
                if column.number and (need := width(plain(row[index]))) > self._widths[index]:
                    self._widths[index] = need
                    wider = True
        if wider:
            self._forget()

    def _arranged(self) -> Layout:
        if self._layout is None:
            self._layout = lay_out(self.columns, self._widths, max(self.size.width - 2, 0))
        return self._layout

    def _forget(self) -> None:
        self._layout = None
        self._lines = None
        self._painted.clear()
        self._drawn.clear()
        self.refresh()

    # ── the cursor ────────────────────────────────────────────────────────────────────────────────

    def _put_cursor(self, place: int, step: int) -> None:
        """To `place` or, if that is a heading, the nearest row in the direction of `step`."""
        count = len(self._rows)
        place = max(0, min(place, count - 1))
        # a million rows: looked at one by one, never listed
        for candidate in chain(range(place, count if step > 0 else -1, step), range(count)):
            if not isinstance(self._rows.row(candidate), Heading):
                place = candidate
                break
        self.cursor = place
        self._selected = self._rows.key(place) if count else None

    def _go(self, place: int, step: int) -> None:
        before = self.cursor
        self._put_cursor(place, step)
        self.following = bool(self.edge) and self._at_edge()
        self._keep_in_sight()
        self._measure()
        for y in range(1, self.size.height):
            if self._at(y)[0] in (before, self.cursor):
                self.refresh(Region(0, y, self.size.width, 1))
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
        place, _ = self._at(event.y)
        if event.y > 0 and place < len(self._rows):
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

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def on_resize(self) -> None:
        self._forget()
        self.virtual_size = self._extent()
        self._keep_in_sight()
        self._measure()
        self.post_message(self.Moved(self))

    def on_focus(self) -> None:
        self._forget()

    def on_blur(self) -> None:
        self._forget()

    def notify_style_update(self) -> None:
        super().notify_style_update()
        self._tones.clear()
        self._painted.clear()
        self._drawn.clear()

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._lines = None
        self._painted.clear()
        self._measure()

    def _style(self, tone: str, cursor: bool = False) -> Style:
        style = self._tones.get((tone, cursor))
        if style is None:
            name = f"table--{tone}"
            style = self.rich_style + (
                self.get_component_rich_style(name, partial=True) if tone else Style()
            )
            if cursor:
                style += self.get_component_rich_style("table--cursor", partial=True)
            self._tones[tone, cursor] = style
        return style

    def render_line(self, y: int) -> Strip:
        if y == 0:
            return strips.header(self.columns, self._arranged(), self._style, self.size.width)
        place, line = self._at(y)
        row = self._rows.row(place) if place < len(self._rows) else None
        cursor = self._marked(place, row)
        painted = self._painted.get(y)
        if painted is not None and painted[:3] == (row, cursor, line):
            return painted[3]
        strip = self._blank()
        if row is not None:
            drawn = self._draw(self._rows.key(place), row, cursor)
            strip = drawn[min(line, len(drawn) - 1)]
        self._painted[y] = (row, cursor, line, strip)
        return strip

    def _draw(self, key: Key, row: Row, cursor: bool) -> tuple[Strip, ...]:
        drawn = self._drawn.get(key)
        if drawn is not None and drawn[1] == cursor and drawn[0] == row:
            return drawn[2]
        painted = self._paint(row, cursor)
        if len(self._drawn) > KEPT:
            self._drawn.clear()
        self._drawn[key] = (row, cursor, painted)
        return painted

    def _blank(self) -> Strip:
        return Strip.blank(self.size.width, self._style("", False))

    def _paint(self, row: Row, cursor: bool) -> tuple[Strip, ...]:
        room = self.size.width
        if isinstance(row, Heading):
            return (strips.heading(row, self._style, room),)
        layout, most = self._arranged(), self._room() if self._wrap else 1
        return strips.drawn(row, self.columns, layout, self._style, room, cursor, most)


__all__ = ["Heading", "Key", "ListRows", "Row", "Rows", "Span", "Table"]
