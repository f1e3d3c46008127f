"""Logs: the router's own log, from the ledger, a million lines as quickly as ten.

Its rule: ids are found from the newest back, a part at a time, while what was found is shown; the
lines themselves are read by the page, for what is visible. At the end it follows; going up stops
that, and the title counts what came since.
"""

from __future__ import annotations

import asyncio
import shlex
from array import array
from collections.abc import Sequence
from typing import ClassVar, cast

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.lines.log import COLUMNS, OLDEST, LogRows, NewestFirst
from console.query import LEVELS, Level, parse
from console.screens.dialogs import Sheet
from console.screens.filtered import FilteredView, FilterLine
from console.screens.view import READING, hidden
from console.text import clean_lines, percent, when
from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span, say
from console.widgets.table import Key, Table, every
from router.contract import LogFilter, LogLine

#: new lines taken in at once
TAIL = 2_000
#: lines looked through at a time: of the newest, so that they are there at once; of those before,
#: so that who scrolls meanwhile waits for a tenth of a second; of those that need only be listed
FIRST_LOOK = 20_000
LOOK = 50_000
LISTED = 100_000
#: how far back the list reaches; None: as far as there is
RANGES: tuple[tuple[str, float | None], ...] = (
    ("all", None),
    ("15 min", 900.0),
    ("1 h", 3_600.0),
    ("1 day", 86_400.0),
    ("7 days", 604_800.0),
)


class Logs(FilteredView):
    NAME = "Logs"
    KEYS = (
        ("enter", "whole line"),
        ("l", "level"),
        ("/", "filter"),
        ("r", "time"),
        ("s", "newest first"),
        ("w", "wrap"),
        ("y", "copy"),
        ("G", "follow"),
    )
    FILTER = (
        ("words !words", 'what is in the line, what is not; "two words"'),
        ("level: source:", "level:warning and worse, !level:info not these; source:config"),
        ("model: session:", "of the request it is about; request:ID, status>=400,"),
        ("", "took>10s, ttft cost in out tries too"),
        ("since:2h", "also since:monday since:yesterdayT18:00 until:14:00"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("l", "level", "Next level: debug, info, warning, error"),
        Binding("r", "range(1)", "How far back: all, 15 minutes, 1 hour, 1 day, 7 days"),
        Binding("t", "times", "When it was written, or how long ago"),
        Binding("w", "wrap", "Wrap lines that are longer than the screen, or cut them"),
        Binding("y", "copy", "Copy its message, row, JSON or its request's curl"),
    ]

    def __init__(self) -> None:
        super().__init__(id="logs")
        self._level: Level = "debug"
        self._rows = LogRows(array("q"), self._read_page, 0.0)
        self._reading: set[int] = set()
        self._version: int | None = None
        self._seen = 0
        self._first, self._newest = 1, 0  # from and up to which line it was looked
        self._left = 0.0  # of all lines, the share that was not looked through yet
        self._loaded = False
        self._range = 0

    def command(self) -> str:
        text = f" {shlex.quote(self.filter)}" if self.filter else ""
        return f"pointsman logs --level {self._level} --follow{text}"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(COLUMNS, edge="bottom", order=OLDEST, marks=every, id="lines", name="logs")
        yield FilterLine(
            "words !words level: source: model: session: status>=400 since:2h until:14:00"
        )

    def on_mount(self) -> None:
        self.query_one(Table).wrap = self.console_app.prefs.wrap
        self.set_interval(0.5, self._tail)

    def shown(self) -> None:
        self.focus_body()
        if self._loaded:
            self._tail()
        else:
            self.title(READING)
            self._load()

    def tick(self) -> None:
        """Lines do not age, unless that is what one looks at."""
        if self.console_app.prefs.ago:
            self.update()

    @property
    def _filter(self) -> LogFilter:
        now = self.console_app.now()
        back = RANGES[self._range][1]
        since = None if back is None else now - back
        wanted = parse(self.filter, now)
        self.misread = wanted.misread("log")
        return wanted.lines(self._level, since)

    def filtered(self) -> None:
        self._load()

    @work(exclusive=True, group="logs")
    async def _load(self) -> None:
        """All ids that the filter lets through, from the newest back."""
        archive = self.console_app.archive
        if archive is None:
            return
        filter = self._filter
        self._version = await self.ask(archive.data_version(), -1)
        first, last = await self.ask(archive.log_reach(filter.since), (0, -1))
        after = max(last - FIRST_LOOK, first - 1)
        rows = LogRows(
            await self.ask(archive.log_ids(filter, after, last), array("q")),
            self._read_page,
            self.console_app.now(),
        )
        self._rows, self._first, self._newest = rows, first, last
        self._reading.clear()
        self._seen = len(rows)
        self._loaded = True
        self._left = 1.0 if after >= first else 0.0
        self.query_one(Table).following = True
        self.query_one(Table).unsettle()
        self.update()
        plain = filter == LogFilter(since=filter.since)
        step = LISTED if plain else LOOK
        if plain and after >= first and await self.ask(archive.log_whole(), False):
            rows.prepend(array("q", range(first, after + 1)))
            self._seen, after, self._left = len(rows), first - 1, 0.0
            self.update()
        while after >= first:
            # the page that is seen is read before the next part is looked at
            await asyncio.sleep(0)
            upto, after = after, max(after - step, first - 1)
            ids = await self.ask(archive.log_ids(filter, after, upto), array("q"))
            rows.prepend(ids)
            self._seen += len(ids)
            self._left = (after - first + 1) / (last - first + 1)
            self.update()

    @work(exclusive=True, group="tail")
    async def _tail(self) -> None:
        """Lines written since; the ledger's version says in microseconds whether there are any."""
        app = self.console_app
        archive = app.archive
        if archive is None or app.view is not self or app.paused:
            return
        if not self._loaded:
            self._load()
            return
        version = await self.ask(archive.data_version(), -1)
        if version == self._version:
            return
        rows = self._rows
        _, last = await self.ask(archive.log_reach(), (0, -1))
        new = await self.ask(archive.logs(self._filter, TAIL, after_id=self._newest), [])
        if rows is not self._rows:
            return
        if len(new) < TAIL:
            self._version = version
        self._newest = max(last if len(new) < TAIL else 0, new[-1].id if new else 0, self._newest)
        rows.append(new)
        self.update()

    def _read_page(self, page: int) -> None:
        if page not in self._reading:
            self._reading.add(page)
            self._fetch(self._rows, page)

    @work(group="pages")
    async def _fetch(self, rows: LogRows, page: int) -> None:
        archive = self.console_app.archive
        if archive is None:
            return
        ids = rows.page_ids(page)
        lines = await self.ask(archive.log_lines(ids), {})
        rows.put(page, lines, len(ids))
        if rows is self._rows:
            self._reading.discard(page)
            self.update()

    def draw(self) -> None:
        table = self.query_one(Table)
        self._rows.now, self._rows.ago = self.console_app.now(), self.console_app.prefs.ago
        falling = table.order.falling
        table.edge = "top" if falling else "bottom"
        table.show(NewestFirst(self._rows) if falling else self._rows)
        self._say_title(table)

    def on_table_sorted(self, event: Table.Sorted) -> None:
        """The newest is at the other end now."""
        self.draw()
        event.table.follow()

    def _say_title(self, table: Table) -> None:
        count = len(self._rows)
        if table.following:
            self._seen = count
        whole = max(self._newest - self._first + 1, count)  # their ids follow one another
        of = f" of {whole:,}" if self.filter or self._level != "debug" else ""
        said: list[Piece] = [Span(f"  {count:,}{of} lines", "muted")]
        if self._level != "debug":
            said.append(Span(f"   {self._level} and worse", "warn", "l"))
        if self._range:
            said.append(Span(f"   last {RANGES[self._range][0]}", "warn", "r"))
        if self.filter:
            said += self.filtered_by()
        if self._left:
            said.append(Span(f"   looking back: {percent(1 - self._left)}", "accent"))
        if table.order != table.default:
            said.append(Span("   newest first", "accent", "s"))
        if many := len(table.marked):
            said.append(Span(f"   ◆ {many:,} marked", "warn"))
        way, key = ("↑", "g") if table.order.falling else ("↓", "G")
        if table.following:
            said.append(Span("   following", "good"))
        elif count > self._seen:
            said.append(Span(f"   +{count - self._seen:,} new {way} {key}", "accent", key))
        else:
            said.append(Span(f"   {key} follows", "muted", key))
        self.title(*said, hint=hidden(table))

    def on_table_moved(self) -> None:
        self._say_title(self.query_one(Table))

    def on_table_opened(self, event: Table.Opened) -> None:
        line = self._chosen()
        if line is not None:
            self._show_line(line)

    def _show_line(self, line: LogLine) -> None:
        """One line in full; Enter goes on to its request."""
        rows = [
            say(Span(f"{when(line.at)}   {line.level}   {line.source}", "muted")),
            say(Span(line.request, "muted")),
            *(say(part) for part in clean_lines(line.message).split("\n")),
        ]

        def then(how: str | None) -> None:
            if how == "enter" and line.request:
                self.console_app.open_request(line.request, [line.request])

        hint = "enter opens the request, esc closes" if line.request else "esc closes"
        self.app.push_screen(Sheet("Log line", rows, hint), then)

    def action_level(self) -> None:
        self._level = LEVELS[(LEVELS.index(self._level) + 1) % len(LEVELS)]
        self._load()

    def _chosen(self) -> LogLine | None:
        selected = self.query_one(Table).selected
        place = None if selected is None else self._rows.index(selected)
        return None if place is None else self._rows.line(place)

    def action_range(self, step: int) -> None:
        self._range = (self._range + step) % len(RANGES)
        self._load()

    def action_wrap(self) -> None:
        table = self.query_one(Table)
        table.wrap = not table.wrap
        self.console_app.remember(wrap=table.wrap)
        self._say_title(table)

    @work(exclusive=True, group="copy")
    async def action_copy(self) -> None:
        line, app, marked = self._chosen(), self.console_app, self.query_one(Table).marked
        if marked and app.archive is not None:
            await self._copy_marked(marked)
            return
        if line is None:
            return
        offered = [
            ("v", "the message", [line.message]),
            ("r", "the row", [f"{when(line.at)} {line.level} {line.source} {line.message}"]),
            ("j", "JSON", [msgspec.json.encode(line).decode()]),
        ]
        if line.request and app.archive is not None:
            from console.curl import curl

            read = self.ask(app.archive.request(line.request), None)
            found = await app.keys_after(read)
            if found is not None:
                offered.append(("c", "curl", [curl(found.request, app.front_door())]))
        app.ask_copy(*offered)

    async def _copy_marked(self, marked: Sequence[Key]) -> None:
        """They may be far apart: read anew, in the order in which they stand."""
        app = self.console_app
        assert app.archive is not None
        wanted = [cast(int, key) for key in marked]
        found = await app.keys_after(self.ask(app.archive.log_lines(wanted), {}))
        lines = [found[id] for id in wanted if id in found]
        rows = [f"{when(each.at)} {each.level} {each.source} {each.message}" for each in lines]
        app.ask_copy(
            ("v", f"{len(lines)} messages", [each.message for each in lines]),
            ("r", f"{len(lines)} rows", rows),
            ("j", "JSON", [msgspec.json.encode(each).decode() for each in lines]),
        )
