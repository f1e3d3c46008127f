"""Costs: what each model cost today, in 7 or in 30 days. Read from the ledger, router or not.

Its rule: real and simulated money stand in blocks of their own with totals of their own; a sum with
unpriced parts is a lower bound (≥) and says how much of the traffic it covers.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from console.feed import midnight
from console.screens.view import View, hidden
from console.text import UNKNOWN, money, percent, tokens
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.paint import Piece, Span
from console.widgets.table import Heading, Key, Row, Table
from router.contract import CostLine, Tokens

COLUMNS = (
    Column("provider,model", 22, grow=1, middle=True),
    Column("requests", 8, number=True),
    Column("errors", 6, number=True, drop=2),
    Column("input", 7, number=True),
    Column("cache read", 10, number=True, drop=4),
    Column("cache write", 11, number=True, drop=5),
    Column("output", 7, number=True),
    Column("cost", 9, number=True),
    Column("share", 17, drop=3),
)
DAY = 86_400.0
#: seconds between two looks at whether the ledger has changed
LOOK = 2
#: key → (name, days before today)
PERIODS = {"t": ("today", 0), "w": ("7 days", 6), "M": ("30 days", 29)}
_BAR = 10


def bar(part: float, cells: int = _BAR) -> str:
    """A share of 0…1 as a bar, to half a cell; never empty for what is not zero."""
    halves = max(round(part * cells * 2), 1 if part > 0 else 0)
    whole, rest = divmod(min(halves, cells * 2), 2)
    return ("━" * whole + "╸" * rest).ljust(cells)


def total(lines: Sequence[CostLine]) -> CostLine:
    """The sum of lines of one kind."""
    return CostLine(
        name="total",
        simulated=any(line.simulated for line in lines),
        requests=sum(line.requests for line in lines),
        errors=sum(line.errors for line in lines),
        tokens=Tokens(
            input=sum(line.tokens.input for line in lines),
            cache_read=sum(line.tokens.cache_read for line in lines),
            cache_write=sum(line.tokens.cache_write for line in lines),
            cache_write_1h=sum(line.tokens.cache_write_1h for line in lines),
            output=sum(line.tokens.output for line in lines),
            reasoning=sum(line.tokens.reasoning for line in lines),
            estimated=any(line.tokens.estimated for line in lines),
        ),
        cost=sum(line.cost for line in lines),
        unpriced=sum(line.unpriced for line in lines),
        attempts=sum(line.attempts for line in lines),
    )


def cost(line: CostLine) -> str:
    """Nothing priced is unknown; something unpriced is a lower bound."""
    if line.unpriced and line.unpriced == line.attempts:
        return UNKNOWN
    return money(line.cost, lower_bound=line.unpriced > 0)


def draw(line: CostLine, whole: CostLine) -> Row:
    share = line.cost / whole.cost if whole.cost else 0.0
    tone: Tone = "strong" if line is whole else ""
    errors: Tone = "bad" if line.errors else "muted"
    used = line.tokens
    return (
        Span(line.name or "no model was reached", tone),
        Span(f"{line.requests:,}", tone),
        Span(f"{line.errors:,}", errors),
        _count(used.input, tone, used.estimated),
        _count(used.cache_read, tone),
        _count(used.cache_write + used.cache_write_1h, tone),
        _count(used.output, tone, used.estimated),
        Span(cost(line), tone),
        [Span(bar(share), "accent"), Span(f" {percent(share):>5}", "muted")]
        if share and line is not whole
        else "",
    )


def _count(count: int, tone: Tone, estimated: bool = False) -> Span:
    return Span(tokens(count, 10, estimated=estimated), tone if count else "muted")


class CostRows:
    """Blocks of lines, each under its heading and ending in its total."""

    def __init__(self, blocks: Iterable[tuple[Heading, Sequence[CostLine]]]) -> None:
        self._rows: list[tuple[Key, Row]] = []
        for heading, lines in blocks:
            if not lines:
                continue
            whole = total(lines)
            kind = "simulated" if whole.simulated else "real"
            if self._rows:
                self._rows.append((f"gap {kind}", Heading(())))
            self._rows.append((f"heading {kind}", heading))
            for line in sorted(lines, key=lambda line: (-line.cost, -line.requests, line.name)):
                self._rows.append((f"{kind} {line.name}", draw(line, whole)))
            self._rows.append((f"total {kind}", draw(whole, whole)))
        self._places = {key: place for place, (key, _) in enumerate(self._rows)}

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, index: int) -> Key:
        return self._rows[index][0]

    def row(self, index: int) -> Row:
        return self._rows[index][1]

    def index(self, key: Key) -> int | None:
        return self._places.get(key)


class Costs(View):
    NAME = "Costs"
    KEYS = (("t", "today"), ("w", "7 days"), ("M", "30 days"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "period('t')", "Today"),
        Binding("w", "period('w')", "The last 7 days"),
        Binding("M", "period('M')", "The last 30 days"),
    ]

    def __init__(self) -> None:
        super().__init__(id="costs")
        self._period = "t"
        self._lines: list[CostLine] | None = None
        self._version: int | None = None
        self._ticks = 0

    def command(self) -> str:
        since = {"t": "today", "w": "7d", "M": "30d"}[self._period]
        return f"pointsman costs --since {since} --by model"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(COLUMNS, id="models")

    def shown(self) -> None:
        super().shown()
        self._load()

    def tick(self) -> None:
        self._ticks += 1
        if self._ticks % LOOK == 0:
            self._load()

    def action_period(self, period: str) -> None:
        self._period, self._version = period, None
        self._load()

    @work(exclusive=True, group="costs")
    async def _load(self) -> None:
        archive = self.console_app.archive
        if archive is None:
            return
        version = await self.ask(archive.data_version(), -1)
        if version == self._version and self._lines is not None:
            return
        now = self.console_app.now()
        _, days = PERIODS[self._period]
        since = midnight(midnight(now) - days * DAY + DAY / 2)
        self._lines = await self.ask(archive.costs(since, now + DAY, "model"), [])
        self._version = version
        self.update()

    def draw(self) -> None:
        lines = self._lines or []
        real = [line for line in lines if not line.simulated]
        simulated = [line for line in lines if line.simulated]
        self.query_one(Table).show(
            CostRows(
                (
                    (Heading((Span("Real", "head"), *coverage(real))), real),
                    (
                        Heading(
                            (
                                Span("◇ Simulated", "head"),
                                Span("  never part of real totals", "muted"),
                            )
                        ),
                        simulated,
                    ),
                )
            )
        )
        said: list[Piece] = [Span("  ")]
        for key, (name, _) in PERIODS.items():
            said += [Span(f" {name} ", "badge" if key == self._period else "muted", key), Span(" ")]
        if self._lines is not None and not lines:
            said.append(Span("  no request in this time", "muted"))
        self.title(*said, hint=hidden(self.query_one(Table)))


def coverage(lines: Sequence[CostLine]) -> tuple[Piece, ...]:
    """How much of the traffic the sum covers, where it is not all."""
    whole = total(lines)
    if not whole.unpriced:
        return ()
    return (
        Span(f"  {percent(whole.coverage or 0)} of attempts priced", "warn"),
        Span(f", {whole.unpriced:,} with unknown price", "muted"),
    )
