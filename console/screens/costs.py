"""Costs: what was spent, by any dimension and over time, with what is still to come. Read from the
ledger, router or not.

Its rule: real and simulated money stand in blocks of their own with totals of their own; a sum with
unpriced parts is a lower bound (≥) and says how much of the traffic it covers.
"""

from __future__ import annotations

import math
import time
from collections.abc import Mapping, Sequence
from typing import ClassVar, Literal

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from console.feed import midnight
from console.lines.costs import (
    ASIDE,
    BYS,
    DEAREST,
    By,
    CostRows,
    columns,
    counts,
    dearest,
    draw,
    filter_of,
    line_key,
    markable,
)
from console.lines.spending import (
    DAY,
    coverage,
    export,
    outlook,
    plot,
    rest,
    saved,
    total,
    would_have,
)
from console.screens.filtered import FilteredView, FilterLine
from console.screens.picker import Picker
from console.screens.view import READING, hidden
from console.text import fit
from console.widgets.bar import Bar
from console.widgets.budget import line as budget_line
from console.widgets.paint import Piece, Span, lines, plain, say
from console.widgets.table import Heading, Table
from router.contract import CostLine, CostPoint, ListModels, Models, ModelView

Step = Literal["quarter", "hour", "day"]
#: seconds between two looks at whether the ledger has changed
LOOK = 2
#: sessions that have a line of their own, the dearest
MOST = 500
#: key → (name, days before today)
PERIODS = {"t": ("today", 0), "w": ("7 days", 6), "M": ("30 days", 29)}
#: a step in seconds
_STEPS: dict[Step, float] = {"quarter": 900.0, "hour": 3600.0, "day": DAY}
#: lines of a screen from which the bars over time are at least so tall; and the most that they
#: take of what the table leaves
_TALL = ((44, 5), (28, 3), (0, 1))
_TALLEST = 12
#: other lines of this screen: the title, the table's head, and around and under the bars
_AROUND = 5
#: a line under the bars: what it is called, and what it says
Said = tuple[str, list[Piece]]
#: budgets that are shown, the fullest first
_BUDGETS = 3


def _iso(at: float) -> str:
    return time.strftime("%Y-%m-%dT%H:%M", time.localtime(at))


class Costs(FilteredView):
    NAME = "Costs"
    KEYS = (
        ("enter", "its requests"),
        ("t", "today"),
        ("w", "7 days"),
        ("M", "30 days"),
        ("r", "range"),
        ("b", "by"),
        ("s", "sort"),
        ("/", "filter"),
        ("v", "would have cost"),
        ("e", "export"),
    )
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "period('t')", "Today"),
        Binding("w", "period('w')", "The last 7 days"),
        Binding("M", "period('M')", "The last 30 days"),
        Binding("r", "range", "From a day to another"),
        Binding("b", "by(1)", "By model, provider, key, session, project, door, rule, …"),
        Binding("B", "by(-1)", "The same backwards"),
        Binding("v", "other", "What this would have cost on another model"),
        Binding("e", "export", "Write it, or what is marked, as CSV and JSON"),
        Binding("y", "copy", "Copy its row"),
    ]

    def __init__(self) -> None:
        super().__init__(id="costs")
        self._period = "t"
        #: Unix seconds that a person named; `_period` is then "". Without an end: until now
        self._range: tuple[float, float | None] = (0.0, None)
        self.by: By = "model"
        self._lines: list[CostLine] | None = None
        self._points: list[CostPoint] = []
        self._hour: list[CostPoint] = []
        self._month = 0
        self._other: ModelView | None = None
        self._version: int | None = None
        self._ticks = 0

    def command(self) -> str:
        since = {"t": "today", "w": "7d", "M": "30d"}.get(self._period, "")
        if not since:
            first, last = self._range
            since = _iso(first) + ("" if last is None else f" --until {_iso(last)}")
        return f"pointsman costs --since {since} --by {self.by}"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        kept = self.console_app.prefs.costs
        self._period = kept.get("period", "") if kept.get("period") in PERIODS else "t"
        self.by = next((by for by in BYS if by == kept.get("by")), "model")
        table = Table(
            columns(self.by), edge="top", order=DEAREST, marks=markable, id="models", name="costs"
        )
        yield table
        yield Static(id="trend", markup=False)
        yield FilterLine("words, !words: of the names of the lines")

    def shown(self) -> None:
        super().shown()
        self._load()

    def tick(self) -> None:
        self._ticks += 1
        if self._ticks % LOOK == 0 and not self.under_way("costs"):
            self._load()

    def _anew(self) -> None:
        """Other lines than before: from the dearest on. What is drawn until they are read says
        that it has none."""
        self._version, self._lines = None, None
        table = self.query_one(Table)
        table.unsettle()
        table.follow()
        self._load()

    def action_period(self, period: str) -> None:
        self._period = period
        self._remember()
        self._anew()

    def action_range(self) -> None:
        self.console_app.open_command("range ")

    def between(self, since: float, until: float | None) -> None:
        """Shows that span, Unix seconds; without an end it goes on."""
        self._period, self._range = "", (since, until)
        self._anew()

    def action_by(self, step: int) -> None:
        self.by = BYS[(BYS.index(self.by) + step) % len(BYS)]
        self.query_one(Table).set_columns(columns(self.by))
        self._remember()
        self._anew()

    def _remember(self) -> None:
        self.console_app.remember(costs={"period": self._period, "by": self.by})

    @property
    def _span(self) -> tuple[float, float]:
        now = self.console_app.now()
        if not self._period:
            since, until = self._range
            return since, now + DAY if until is None else until
        _, days = PERIODS[self._period]
        return midnight(midnight(now) - days * DAY + DAY / 2), now + DAY

    @property
    def _step(self) -> tuple[Step, float, int]:
        """The step of the plot: its name, its seconds, and how many there are."""
        if self._period:
            _, days = PERIODS[self._period]
            return ("day", DAY, days + 1) if days else ("quarter", 900.0, 96)
        since, until = self._range
        length = (until or self.console_app.now()) - since
        name: Step = "quarter" if length <= DAY else "hour" if length <= 4 * DAY else "day"
        step = _STEPS[name]
        return name, step, min(max(math.ceil(length / step), 1), 400)

    @work(exclusive=True, group="costs")
    async def _load(self) -> None:
        archive = self.console_app.archive
        if archive is None:
            return
        version = await self.ask(archive.data_version(), -1)
        if version == self._version and self._lines is not None:
            return
        now, (since, until) = self.console_app.now(), self._span
        # there may be a session for each of a million requests: the dearest, and the rest as one
        few = MOST if self.by == "session" else None
        self._lines = await self.ask(archive.costs(since, until, self.by, few), [])
        if few is not None and len(self._lines) == few:
            self._lines += rest(
                self._lines, await self.ask(archive.costs(since, until, "door"), [])
            )
        self._points = await self.ask(archive.cost_series(since, until, self._step[0]), [])
        self._hour = await self.ask(archive.cost_series(now - 3600, now + DAY, "quarter"), [])
        first = time.localtime(now)
        begin = time.mktime((first.tm_year, first.tm_mon, 1, 0, 0, 0, 0, 0, -1))
        month = await self.ask(archive.costs(begin, now + DAY, "door"), [])
        self._month = sum(line.cost for line in month if not line.simulated)
        self._version = version
        self.update()

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        table = self.query_one(Table)
        lines_of = {False: list[CostLine](), True: list[CostLine]()}
        for line in self._lines or []:
            lines_of[line.simulated].append(line)
        real = lines_of[False]
        found = sorted(filter(counts, self._lines or []), key=dearest)
        kept = self.kept(table.columns, found)
        shown = table.settle(kept, line_key)
        blocks = []
        for simulated, heading in (
            (False, Heading((Span("Real", "head"), *coverage(real)))),
            (True, Heading((Span("◇ Simulated", "head"), ASIDE))),
        ):
            of_kind = [line for line in shown if line.simulated is simulated]
            whole = total(of_kind if self.filter else lines_of[simulated])
            if self.filter:
                whole = msgspec.structs.replace(whole, name=f"total of {len(of_kind)} shown")
            blocks.append((heading, of_kind, whole))
        table.show(CostRows(blocks, self.by))
        trend = [] if self._lines is None else self._trend(real, len(table.rows))
        self.query_one("#trend", Static).update(lines(*trend))
        self._say_title(table, len(kept), len(found))

    def _say_title(self, table: Table, shown: int, found: int) -> None:
        said: list[Piece] = [Span("  ")]
        for key, (name, _) in PERIODS.items():
            said += [Span(f" {name} ", "badge" if key == self._period else "muted", key), Span(" ")]
        if not self._period:
            since, until = self._range
            first = time.localtime(since)
            this_year = time.localtime(self.console_app.now()).tm_year
            form = "%Y-%m-%d %H:%M"
            if self.size.width < 100:  # what it is grouped by must have room behind it
                form = "%m-%d %H:%M" if first.tm_year == this_year else "%Y-%m-%d"
            if until is None:
                words = f" since {time.strftime(f'%a {form}', first)} "
            else:
                last = time.localtime(until)
                words = f" {time.strftime(form, first)} to {time.strftime(form, last)} "
            said.append(Span(words, "badge", "r"))
        said.append(Span(f"  by {self.by}", "accent", "b"))
        if self.filter:
            said += self.count(shown, found, "lines")
        said += self.standing(table, "dearest first")
        if self._lines is None:
            said.append(READING)
        elif not found:
            said.append(Span("  no request in this time", "muted"))
        self.title(*said, hint=hidden(table))

    def _trend(self, real: Sequence[CostLine], listed: int) -> list[Content]:
        """Under a table of `listed` rows; the plot takes what both leave of the screen."""
        now, whole = self.console_app.now(), total(real)
        said = self._said(whole, now)
        left = self.size.height - listed - len(said) - _AROUND
        least = next(rows for height, rows in _TALL if self.size.height >= height)
        room = max(self.size.width - 14, 10)
        _, step, count = self._step
        tall = max(least, min(left, _TALLEST))
        head, *more = plot(self._points, self._span[0], step, count, room, tall, whole)
        named: list[Said] = [("spent", head), *(("", row) for row in more), *said]
        return [say(Span(fit(name, 10), "muted"), *row) for name, row in named]

    def _said(self, whole: CostLine, now: float) -> list[Said]:
        """The lines below the plot."""
        hour = [p.line for p in self._hour if not p.line.simulated]
        rate, unpriced = sum(line.cost for line in hour), any(line.unpriced for line in hour)
        today = self.console_app.board.today.cost
        rows: list[Said] = [
            ("outlook", outlook(rate, today, self._month, now, lower_bound=unpriced))
        ]
        if whole.spend.saved:
            rows.append(("caches", saved(whole.spend.saved)))
        budgets = self.console_app.board.budgets
        for place, budget in enumerate(budgets[:_BUDGETS]):
            more = len(budgets) - _BUDGETS if place == _BUDGETS - 1 else 0
            head = "budgets" if not place else f"+{more} more" if more > 0 else ""
            rows.append((head, list(budget_line(budget, now, self.size.width - 12))))
        if self._other is not None:
            rows.append(("on", would_have(whole, self._other)))
        return rows

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def on_table_opened(self, event: Table.Opened) -> None:
        """Live, with just the requests of that line."""
        line = next((each for each in self._lines or [] if line_key(each) == event.key), None)
        if line is None:
            return
        if not (found := filter_of(line, self.by)):
            self.console_app.say("no requests are listed by that: b chooses another")
            return
        since, _ = self._span
        until = None if self._period else self._range[1]
        ending = "" if until is None else f" until:{_iso(until)}"
        self.console_app.show_requests(f"{found} since:{_iso(since)}{ending}")

    @work(exclusive=True, group="other")
    async def action_other(self) -> None:
        app = self.console_app
        listed = await app.keys_after(app.question(ListModels()))
        found = listed.models if isinstance(listed, Models) else ()
        models: Mapping[str, ModelView] = {m.target: m for m in found if m.input is not None}
        if not models:
            self.console_app.say("no priced model is known: is the router up?", bad=True)
            return
        chosen = await self.app.push_screen_wait(
            Picker("What this would have cost on", [*models], models, none="no comparison")
        )
        if chosen is not None:
            self._other = models.get(chosen)
            self.update()

    def _picked(self) -> list[CostLine]:
        """The marked lines, or the selected one."""
        keys = self.query_one(Table).picked
        return [line for line in self._lines or [] if line_key(line) in keys]

    def action_copy(self) -> None:
        if picked := self._picked():
            rows = [draw(line, line, self.by) for line in picked]
            texts = ("  ".join(plain(c) for c in row[:-2]) for row in rows)
            self.console_app.copy("the row" if len(picked) == 1 else f"{len(picked)} rows", *texts)

    def action_export(self) -> None:
        """Beside the console's own files: this may be a terminal far away. All lines, or those that
        are marked."""
        folder = self.console_app.home.data / "exports"
        stamp = time.strftime("%Y%m%d-%H%M%S", time.localtime(self.console_app.now()))
        path = folder / f"costs-{self._period or 'range'}-{self.by}-{stamp}"
        marked = len(self.query_one(Table).marked)
        written = self._picked() if marked else self._lines or []
        try:
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
            export(path, written)
        except OSError as error:
            self.console_app.say(f"{folder} cannot be written: {error.strerror}", bad=True)
            return
        which = f" ({marked} marked)" if marked else ""
        self.console_app.say(f"written{which}: {path}.csv and .json")
