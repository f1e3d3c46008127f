"""A table of any number of rows, drawn line by line: only what is visible is asked for and drawn.

Its rule: the selection follows a row's key, never its position, and only lines whose cells changed
are painted again. (Textual's DataTable renders its whole page for one changed cell, 37-65 ms at
120x40, and cuts numbers that outgrow their column.)
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import ClassVar, Literal

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.binding import Binding, BindingType
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip
from textual.widget import Widget

from console.text import fit, number, width
from console.theme import TONES
from console.widgets.columns import Column, Layout, lay_out
from console.widgets.paint import Cell, Span, pieces, plain
from console.widgets.rows import NOTHING, Heading, Key, ListRows, Row, Rows

#: drawn rows that are kept, several screens full
KEPT = 512
#: the selected row is marked by this too, so that it shows without colour
_MARK = "▌"


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
        self._rows: Rows = NOTHING
        self._selected: Key | None = None
        self._widths = [max(c.width, len(c.name)) for c in columns]
        self._layout: Layout | None = None
        #: what stands on each line of the screen
        self._painted: dict[int, tuple[Row | None, bool, Strip]] = {}
        #: …and as what each row was drawn: rows that only moved are not drawn again
        self._drawn: dict[Key, tuple[Row, bool, Strip]] = {}
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
        count = len(rows)
        if self.following:
            place = 0 if self.edge == "top" else count - 1
        else:
            found = None if self._selected is None else rows.index(self._selected)
            place = self.cursor if found is None else found
        self._put_cursor(place, 1)
        size = Size(self.size.width, count + 1)
        if size != self.virtual_size:
            # as setting it does, without the layout of the whole screen that follows from that
            self.set_reactive(Widget.virtual_size, size)
            self._scroll_update(size)
        self._keep_in_sight()
        self._measure()
        for y in range(1, self.size.height):
            if self._stale(y):
                self.refresh(Region(0, y, self.size.width, 1))

    def _top(self) -> int:
        return int(self.scroll_offset.y)

    def _visible(self) -> range:
        top = self._top()
        return range(top, min(top + max(self.size.height - 1, 0), len(self._rows)))

    def _stale(self, y: int) -> bool:
        painted = self._painted.get(y)
        place = self._top() + y - 1
        row = self._rows.row(place) if place < len(self._rows) else None
        return painted is None or painted[:2] != (row, self._marked(place, row))

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
        self._painted.clear()
        self._drawn.clear()
        self.refresh()

    # ── the cursor ────────────────────────────────────────────────────────────────────────────────

    def _put_cursor(self, place: int, step: int) -> None:
        """To `place` or, if that is a heading, the nearest row in the direction of `step`."""
        count = len(self._rows)
        place = max(0, min(place, count - 1))
        for candidate in (*range(place, count if step > 0 else -1, step), *range(count)):
            if not isinstance(self._rows.row(candidate), Heading):
                place = candidate
                break
        self.cursor = place
        self._selected = self._rows.key(place) if count else None

    def _go(self, place: int, step: int) -> None:
        before = self.cursor
        self._put_cursor(place, step)
        last = len(self._rows) - 1
        self.following = bool(self.edge) and self.cursor == (0 if self.edge == "top" else last)
        self._keep_in_sight()
        self._measure()
        for touched in (before, self.cursor):
            y = touched - self._top() + 1
            if 0 < y < self.size.height:
                self.refresh(Region(0, y, self.size.width, 1))
        self.post_message(self.Moved(self))

    def _keep_in_sight(self) -> None:
        room = self.size.height - 1
        if room < 1:
            return
        top = self._top()
        # headings above the first row come into sight with it
        above = self.cursor
        while above > 0 and isinstance(self._rows.row(above - 1), Heading):
            above -= 1
        wanted = top
        if above < top:
            wanted = above
        elif self.cursor >= top + room:
            wanted = self.cursor - room + 1
        wanted = max(0, min(wanted, len(self._rows) - room))
        if wanted != top:
            self.scroll_to(y=wanted, animate=False, immediate=True)

    def follow(self) -> None:
        """To the edge where new rows come in, and stay there."""
        self._go(0 if self.edge == "top" else len(self._rows) - 1, 1)

    def action_move(self, step: int) -> None:
        self._go(self.cursor + step, 1 if step > 0 else -1)

    def action_page(self, pages: int) -> None:
        self.action_move(pages * max(self.size.height - 2, 1))

    def action_first(self) -> None:
        self._go(0, 1)

    def action_last(self) -> None:
        self._go(len(self._rows) - 1, -1)

    def action_open(self) -> None:
        if self._selected is not None:
            self.post_message(self.Opened(self, self._selected))

    def on_click(self, event: events.Click) -> None:
        place = self._top() + event.y - 1
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
        self.virtual_size = Size(self.size.width, len(self._rows) + 1)
        self._forget()
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
            return self._header()
        place = self._top() + y - 1
        row = self._rows.row(place) if place < len(self._rows) else None
        cursor = self._marked(place, row)
        painted = self._painted.get(y)
        if painted is not None and painted[0] == row and painted[1] == cursor:
            return painted[2]
        strip = self._draw(self._rows.key(place), row, cursor) if row is not None else self._blank()
        self._painted[y] = (row, cursor, strip)
        return strip

    def _draw(self, key: Key, row: Row, cursor: bool) -> Strip:
        drawn = self._drawn.get(key)
        if drawn is not None and drawn[1] == cursor and drawn[0] == row:
            return drawn[2]
        strip = self._paint(row, cursor)
        if len(self._drawn) > KEPT:
            self._drawn.clear()
        self._drawn[key] = (row, cursor, strip)
        return strip

    def _blank(self) -> Strip:
        return Strip.blank(self.size.width, self._style("", False))

    def _paint(self, row: Row, cursor: bool) -> Strip:
        base = self._style("", cursor)
        if isinstance(row, Heading):
            spans = pieces(list(row.pieces))
            segments = [Segment(" ", base)]
            segments += [Segment(s.text, self._style(s.tone)) for s in spans]
            return Strip(segments).adjust_cell_length(self.size.width, base)
        layout = self._arranged()
        mark = _MARK if cursor else " "
        segments = [Segment(mark, self._style("accent", cursor))]
        for index, cells in layout.places:
            segments += self._cell(row[index], self.columns[index], cells, cursor)
            segments.append(Segment(" " * layout.gap, base))
        return Strip(segments).adjust_cell_length(self.size.width, base)

    def _cell(self, cell: Cell, column: Column, cells: int, cursor: bool) -> list[Segment]:
        spans = pieces(cell)
        if column.number:
            tone = spans[-1].tone if spans else ""
            shown = number("".join(span.text for span in spans), cells)
            return [Segment(shown, self._style(tone, cursor))]
        drawn: list[Segment] = []
        for at, span in enumerate(spans):
            have = width(span.text)
            last = at == len(spans) - 1
            cut = fit(span.text, cells, middle=column.middle)
            shown = cut if last or have > cells else span.text
            drawn.append(Segment(shown, self._style(span.tone, cursor)))
            cells -= width(shown)
            if cells <= 0:
                break
        return drawn

    def _header(self) -> Strip:
        base = self._style("muted")
        layout = self._arranged()
        segments = [Segment(" ", base)]
        for index, cells in layout.places:
            column = self.columns[index]
            segments.append(Segment(fit(column.name, cells, right=column.number), base))
            segments.append(Segment(" " * layout.gap, base))
        return Strip(segments).adjust_cell_length(self.size.width, base)


__all__ = ["Heading", "Key", "ListRows", "Row", "Rows", "Span", "Table"]
