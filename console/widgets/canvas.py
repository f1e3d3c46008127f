"""Rows drawn line by line: only what is visible is asked for, and only what changed is drawn.

Its rule: what stands on a line of the screen is known, so that a line is painted again only when
its cells, its place or its mark are others. (Textual's DataTable renders its whole page for one
changed cell, 37-65 ms at 120x40, and cuts numbers that outgrow their column.) It scrolls by the
row, so that rows that wrap need to be measured only where they are seen.
"""

from __future__ import annotations

from collections.abc import Sequence

from rich.style import Style
from textual.geometry import Size
from textual.scroll_view import ScrollView
from textual.strip import Strip

from console.text import width
from console.widgets import strips
from console.widgets.columns import Column, Layout, lay_out
from console.widgets.order import Order
from console.widgets.paint import Cell, plain
from console.widgets.rows import NOTHING, Heading, Key, Row, Rows

#: drawn rows that are kept, several screens full
KEPT = 512


class Canvas(ScrollView):
    """The part of a table that draws. What is selected or marked, `_mark` says."""

    def __init__(
        self, columns: Sequence[Column], *, order: Order, id: str | None, name: str | None
    ) -> None:
        super().__init__(id=id, name=name)
        self.columns = tuple(columns)
        self._order = order
        self._wrap = False
        self._rows: Rows = NOTHING
        self._widths = self._least()
        self._layout: Layout | None = None
        #: what stands on each line of the screen: which line of which row, and its mark
        self._painted: dict[int, tuple[Row | None, str, int, Strip]] = {}
        #: …and as what each row was drawn: rows that only moved are not drawn again
        self._drawn: dict[Key, tuple[Row, str, tuple[Strip, ...]]] = {}
        #: where rows wrap: the place and the line in its row of each line below the header
        self._lines: list[tuple[int, int]] | None = None
        self._tones: dict[tuple[str, bool], Style] = {}

    def _mark(self, place: int, row: Row | None) -> str:
        """SELECTED, MARKED, BOTH or "", as here, where nothing can be chosen."""
        return ""

    @property
    def rows(self) -> Rows:
        return self._rows

    @property
    def hidden(self) -> tuple[str, ...]:
        """Names of the columns for which there is no room."""
        return self._arranged().hidden

    @property
    def order(self) -> Order:
        """By which column its rows are sorted."""
        return self._order

    def _least(self) -> list[int]:
        """Cells without which a column's name, and the arrow of the sorted one, would be cut."""
        sorted_by = self._order.column
        return [max(c.width, width(c.name) + (c.name == sorted_by != "")) for c in self.columns]

    def set_columns(self, columns: Sequence[Column]) -> None:
        """Other columns from now on, in the order of the one at that place; `show` follows."""
        place = next((i for i, c in enumerate(self.columns) if c.name == self._order.column), None)
        if place is not None:
            self._order = Order(columns[place].name, self._order.falling)
        self.columns = tuple(columns)
        self._widths = self._least()
        self._rows = NOTHING
        self._forget()

    # ── places and lines ──────────────────────────────────────────────────────────────────────────

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
        return len(self._draw(self._rows.key(place), row, self._mark(place, row)))

    def _reach(self, place: int, step: int) -> int:
        """The farthest row in the direction of `step` that fits on the screen with `place`."""
        count, room = len(self._rows), self._room()
        if not self._wrap or not count:
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
        return painted is None or painted[:3] != (row, self._mark(place, row), line)

    def _measure(self) -> None:
        """Widens number columns to what is visible: a number is never cut."""
        wider = False
        for place in self._visible():
            row = self._rows.row(place)
            if row is None or isinstance(row, Heading):
                continue
            drawn = self._drawn.get(self._rows.key(place))
            if drawn is None or drawn[0] != row:
                wider = self._widen(row) or wider
        if wider:
            self._forget()

    def _widen(self, row: Sequence[Cell]) -> bool:
        """Whether a number of it needed more room than its column had."""
        wider = False
        for index, column in enumerate(self.columns):
            if column.number and (need := width(plain(row[index]))) > self._widths[index]:
                self._widths[index] = need
                wider = True
        return wider

    def _arranged(self) -> Layout:
        if self._layout is None:
            self._layout = lay_out(self.columns, self._widths, max(self.size.width - 2, 0))
        return self._layout

    def _narrow(self) -> None:
        """Columns as wide as what is seen from here on needs: one old date, or one huge number,
        must not take the room of other columns for the rest of the day."""
        self._widths = self._least()
        self._forget()

    def _forget(self) -> None:
        self._layout = None
        self._lines = None
        self._painted.clear()
        self._drawn.clear()
        self.refresh()

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

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
            return strips.header(
                self.columns, self._arranged(), self._style, self.size.width, self._order
            )
        place, line = self._at(y)
        row = self._rows.row(place) if place < len(self._rows) else None
        mark = self._mark(place, row)
        painted = self._painted.get(y)
        if painted is not None and painted[:3] == (row, mark, line):
            return painted[3]
        strip = self._blank()
        if row is not None:
            drawn = self._draw(self._rows.key(place), row, mark)
            strip = drawn[min(line, len(drawn) - 1)]
        self._painted[y] = (row, mark, line, strip)
        return strip

    def _draw(self, key: Key, row: Row, mark: str) -> tuple[Strip, ...]:
        drawn = self._drawn.get(key)
        if drawn is not None and drawn[1] == mark and drawn[0] == row:
            return drawn[2]
        # what is painted before its size was told (a screen that comes to the front) fits too
        if not isinstance(row, Heading) and self._widen(row):
            self._forget()
        painted = self._paint(row, mark)
        if len(self._drawn) > KEPT:
            self._drawn.clear()
        self._drawn[key] = (row, mark, painted)
        return painted

    def _blank(self) -> Strip:
        return Strip.blank(self.size.width, self._style("", False))

    def _paint(self, row: Row, mark: str) -> tuple[Strip, ...]:
        room = self.size.width
        if isinstance(row, Heading):
            return (strips.heading(row, self._style, room),)
        layout, most = self._arranged(), self._room() if self._wrap else 1
        return strips.drawn(row, self.columns, layout, self._style, room, mark, most)
