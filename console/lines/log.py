"""The rows of the log: an id for each line, and the lines themselves of the pages that are at hand.
Pure; who reads a page is handed in.

Its rule: only ids are held for all lines, 8 bytes each; of pages those that came last.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Callable
from operator import attrgetter
from typing import cast

from console.text import moment
from console.theme import Tone
from console.widgets.columns import Column
from console.widgets.order import Order
from console.widgets.paint import Cell, Span
from console.widgets.rows import Key, Row
from router.contract import LogLine

COLUMNS = (
    Column("time", 8, number=True, rising=True, by=attrgetter("id")),
    Column("level", 9),
    Column("source", 9, drop=1),
    Column("message", 30, grow=1, wraps=True),
    Column("request", 12, drop=2, middle=True),
)
OLDEST = Order("time")
_MARKS: dict[str, tuple[str, Tone]] = {
    "debug": ("· debug", "muted"),
    "info": ("  info", ""),
    "warning": ("▲ warning", "warn"),
    "error": ("✗ error", "bad"),
}
#: lines of a page, and pages that are kept
PAGE = 256
PAGES = 16


def draw(line: LogLine, now: float, *, ago: bool = False) -> Row:
    """`ago`: how long ago it was written, not when."""
    mark, tone = _MARKS[line.level]
    loud = tone if line.level in ("warning", "error") else ""
    message: Cell = [
        *([Span("◇ sim ", "muted")] if line.simulated else []),
        Span(line.message, "muted" if line.level == "debug" else loud),
    ]
    return (
        Span(moment(line.at, now, ago=ago), "muted"),
        Span(mark, tone),
        Span(line.source, "muted"),
        message,
        Span(line.request, "muted"),
    )


class LogRows:
    """A vector of ids and the pages of lines around what is visible. `read` is asked for a page
    that is not at hand; until it is, its rows are None."""

    def __init__(self, ids: array[int], read: Callable[[int], None], now: float) -> None:
        self.ids = ids
        self.now = now
        self.ago = False
        self._base = 0  # of the ids, those that were put before the first ones
        self._read = read
        self._pages: OrderedDict[int, dict[int, LogLine]] = OrderedDict()
        self._short: set[int] = set()  # pages at hand whose ids are not all read

    def __len__(self) -> int:
        return len(self.ids)

    def key(self, index: int) -> Key:
        return self.ids[index]

    def index(self, key: Key) -> int | None:
        wanted = cast(int, key)
        place = bisect_left(self.ids, wanted)
        return place if place < len(self.ids) and self.ids[place] == wanted else None

    def line(self, index: int) -> LogLine | None:
        number = (index - self._base) // PAGE
        page = self._pages.get(number)
        if page is None:
            self._read(number)
            return None
        line = page.get(self.ids[index])
        if line is None and number in self._short:
            self._read(number)
        return line

    def row(self, index: int) -> Row | None:
        line = self.line(index)
        return None if line is None else draw(line, self.now, ago=self.ago)

    def page_ids(self, page: int) -> array[int]:
        start = page * PAGE + self._base
        return self.ids[max(start, 0) : max(start + PAGE, 0)]

    def prepend(self, ids: array[int]) -> None:
        """Older ones before the first. Pages at hand stay: what is seen is not blank meanwhile."""
        if ids and self._base % PAGE:
            self._short.add(-self._base // PAGE)
        self.ids = ids + self.ids
        self._base += len(ids)

    def put(self, page: int, lines: dict[int, LogLine], asked: int) -> None:
        """`asked`: for how many ids of the page; more may have come since."""
        if asked == len(self.page_ids(page)):
            self._short.discard(page)
        else:
            self._short.add(page)
        self._pages[page] = {**self._pages.get(page, {}), **lines}
        self._pages.move_to_end(page)
        self._forget()

    def _forget(self) -> None:
        while len(self._pages) > PAGES:
            self._pages.popitem(last=False)

    def append(self, lines: list[LogLine]) -> None:
        """New lines at the end; those of pages at hand are put there at once."""
        for line in lines:
            place = len(self.ids) - self._base
            page = place // PAGE
            self.ids.append(line.id)
            if page in self._pages or page * PAGE == place:
                self._pages.setdefault(page, {})[line.id] = line
        self._forget()


class NewestFirst:
    """The same rows from the last to the first."""

    def __init__(self, rows: LogRows) -> None:
        self._rows = rows

    def __len__(self) -> int:
        return len(self._rows)

    def place(self, index: int) -> int:
        return len(self._rows) - 1 - index

    def key(self, index: int) -> Key:
        return self._rows.key(self.place(index))

    def row(self, index: int) -> Row | None:
        return self._rows.row(self.place(index))

    def index(self, key: Key) -> int | None:
        place = self._rows.index(key)
        return None if place is None else self.place(place)
