"""What the Costs screen says of its sums: totals, stacks by kind of token, outlook, export.

Pure, but for `export`.

Its rule: nothing priced is unknown and something unpriced is a lower bound, in every figure here.
"""

from __future__ import annotations

import csv
import time
from collections.abc import Sequence
from operator import sub
from pathlib import Path
from typing import NamedTuple

import msgspec

from console.feed import midnight
from console.text import UNKNOWN, money, percent
from console.theme import Tone
from console.widgets.chart import axis, bar_width, bars, coarser, step_name
from console.widgets.paint import Cell, Piece, Span
from router.contract import CostLine, CostPoint, ModelView, Spend, Tokens

DAY = 86_400.0
_BAR = 10
#: what is not named, by what it is grouped by
_NAMELESS = {"model": "no model was reached", "provider": "no provider was reached"}


class Kind(NamedTuple):
    """A part of a cost, its shape in a line and in a plot, and its tone."""

    name: str
    line: str
    shape: str
    tone: Tone


#: in the order in which they are stacked
KINDS = (
    Kind("input", "━", "█", "accent"),
    Kind("cache read", "╍", "▓", "good"),
    Kind("cache write", "┅", "▒", "warn"),
    Kind("output", "═", "░", "strong"),
    Kind("other", "─", "▚", "muted"),
)


def bar(part: float, cells: int = _BAR) -> str:
    """A share of 0…1 as a bar, to half a cell; never empty for what is not zero."""
    halves = max(round(part * cells * 2), 1 if part > 0 else 0)
    whole, rest = divmod(min(halves, cells * 2), 2)
    return ("━" * whole + "╸" * rest).ljust(cells)


def named(name: str, by: str) -> str:
    """A line's name; of one that has none, what that means."""
    return name or _NAMELESS.get(by, f"no {by}")


def into_caches(used: Tokens) -> int:
    """Tokens written to a cache, for however long."""
    return used.cache_write + used.cache_write_1h


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
        spend=Spend(
            input=sum(line.spend.input for line in lines),
            cache_read=sum(line.spend.cache_read for line in lines),
            cache_write=sum(line.spend.cache_write for line in lines),
            output=sum(line.spend.output for line in lines),
            fees=sum(line.spend.fees for line in lines),
            saved=sum(line.spend.saved for line in lines),
        ),
    )


def rest(shown: Sequence[CostLine], whole: Sequence[CostLine]) -> list[CostLine]:
    """What is not among the lines that are shown, as one line of each kind, so that the sums are
    those of everything. `whole` is all of it, by whatever."""
    found = []
    for simulated in (False, True):
        of_all, of_shown = (
            total([line for line in lines if line.simulated is simulated])
            for lines in (whole, shown)
        )
        if of_all.requests == of_shown.requests:
            continue
        found.append(_less(of_all, of_shown, simulated=simulated))
    return found


def _less(of_all: CostLine, of_shown: CostLine, *, simulated: bool) -> CostLine:
    figures = {
        name: getattr(of_all, name) - getattr(of_shown, name)
        for name in ("requests", "errors", "cost", "unpriced", "attempts")
    }
    tokens = map(
        sub, msgspec.structs.astuple(of_all.tokens), msgspec.structs.astuple(of_shown.tokens)
    )
    *counts, _ = tokens
    spend = map(sub, msgspec.structs.astuple(of_all.spend), msgspec.structs.astuple(of_shown.spend))
    return CostLine(
        name="… all others",
        simulated=simulated,
        tokens=Tokens(*(*counts, of_all.tokens.estimated)),
        spend=Spend(*spend),
        **figures,
    )


def worth(line: CostLine) -> int | None:
    """Nano-dollars; None where nothing of it is priced, but attempts that failed and cost none."""
    return None if line.unpriced and not line.cost else line.cost


def cost(line: CostLine) -> str:
    """Nothing priced is unknown; something unpriced is a lower bound."""
    if (nano := worth(line)) is None:
        return UNKNOWN
    return money(nano, lower_bound=line.unpriced > 0)


def by_kind(line: CostLine) -> tuple[int, ...]:
    """Nano-dollars of each of KINDS; their sum is the cost. Other are fees, and what was never
    told apart."""
    spend = line.spend
    known = (spend.input, spend.cache_read, spend.cache_write, spend.output)
    return (*known, max(line.cost - sum(known), 0))


def stack(line: CostLine, cells: int = _BAR) -> Cell:
    """What a cost consists of, as one line of cells."""
    parts = by_kind(line)
    whole = sum(parts)
    if whole <= 0:
        return Span("·", "muted")
    shown: list[Piece] = []
    filled, reached = 0, 0
    for part, kind in zip(parts, KINDS, strict=True):
        reached += part
        until = round(reached / whole * cells)
        shown.append(Span(kind.line * (until - filled), kind.tone))
        filled = until
    return shown


def over_time(
    points: Sequence[CostPoint], since: float, step: float, cells: int
) -> list[tuple[int, ...]]:
    """Nano-dollars of real traffic in each step, of each of KINDS."""
    found: list[list[CostLine]] = [[] for _ in range(cells)]
    for point in points:
        place = int((point.at - since) // step)
        if not point.line.simulated and 0 <= place < cells:
            found[place].append(point.line)
    return [by_kind(total(each)) for each in found]


def plot(
    points: Sequence[CostPoint],
    since: float,
    step: float,
    count: int,
    room: int,
    height: int,
    whole: CostLine,
) -> list[list[Piece]]:
    """Bars of `count` steps of so many seconds in `room` cells, `height` lines of them, over their
    times and what their shapes stand for in `whole`, their sum."""
    step, count = coarser(step, count, room)
    spent = over_time(points, since, step, count)
    cells = bar_width(count, room)
    # from below the other way round: the end of a bar, in eighths, is solid as input is
    kinds = KINDS[::-1]
    shapes = "".join(kind.shape for kind in kinds)
    rows: list[list[Piece]] = [
        [Span(text, kinds[kind].tone) for text, kind in line]
        for line in bars([each[::-1] for each in spent], shapes, cells, height)
    ]
    most = money(max(map(sum, spent), default=0))
    rows.append([Span(axis(since, step, count, cells), "muted")])
    rows.append([Span(f"up to {most} {step_name(step)}", "muted"), *legend(whole)])
    return rows


def month_left(now: float) -> tuple[float, float]:
    """Seconds until this local day ends, and until this local month does."""
    day = time.localtime(now)
    tomorrow = midnight(midnight(now) + 1.5 * DAY)
    year, month = (day.tm_year, day.tm_mon + 1) if day.tm_mon < 12 else (day.tm_year + 1, 1)
    return tomorrow - now, time.mktime((year, month, 1, 0, 0, 0, 0, 0, -1)) - now


def outlook(
    rate: float, today: int, month: int, now: float, *, lower_bound: bool = False
) -> list[Piece]:
    """Burn rate in nano-dollars an hour, and where the day and the month end at that rate."""
    to_day, to_month = month_left(now)
    # an estimate to a hundredth of a cent would pretend to know
    day, whole = (
        f"≈ {money(of + round(rate * left / 3600), cents=True)}"
        for of, left in ((today, to_day), (month, to_month))
    )
    return [
        Span(f"{money(round(rate), lower_bound)}/h", "strong"),
        Span("   at this rate ", "muted"),
        Span(day, ""),
        Span(" today, ", "muted"),
        Span(whole, ""),
        Span(" this month", "muted"),
    ]


def cost_on(used: Tokens, model: ModelView) -> int | None:
    """What the same tokens would have cost there; None where a price that is needed is unknown."""
    written = used.cache_write + used.cache_write_1h
    parts = (
        (used.input, model.input),
        (used.cache_read, model.input if model.cache_read is None else model.cache_read),
        (written, model.input if model.cache_write is None else model.cache_write),
        (used.output, model.output),
    )
    if any(price is None for count, price in parts if count):
        return None
    return round(sum(count * (price or 0) for count, price in parts))


def export(path: Path, found: Sequence[CostLine]) -> None:
    """`path`.csv and `path`.json, readable by their owner alone; money in nano-dollars."""
    rows = [
        {
            "name": line.name,
            "simulated": line.simulated,
            "requests": line.requests,
            "errors": line.errors,
            **msgspec.structs.asdict(line.tokens),
            "cost": line.cost,
            "unpriced": line.unpriced,
        }
        for line in found
    ]
    for suffix in (".csv", ".json"):
        target = path.with_name(path.name + suffix)
        target.touch(mode=0o600)
        if suffix == ".json":
            target.write_bytes(msgspec.json.format(msgspec.json.encode(rows), indent=2))
            continue
        with target.open("w", newline="", encoding="utf-8") as file:
            writer = csv.DictWriter(file, list(rows[0]) if rows else ["name"])
            writer.writeheader()
            # a name that begins like a formula must not become one in a spreadsheet
            writer.writerows({**row, "name": _harmless(str(row["name"]))} for row in rows)


def _harmless(name: str) -> str:
    return f"'{name}" if name[:1] in "=+-@\t\r" else name


def legend(line: CostLine) -> list[Piece]:
    """What the shapes of `stack` and of the plot stand for, and the share of each."""
    parts = by_kind(line)
    whole = sum(parts)
    if not whole:
        return []
    shown: list[Piece] = [Span("   ")]
    for part, kind in zip(parts, KINDS, strict=True):
        if part:
            words = f" {kind.name} {percent(part / whole)}  "
            shown += [Span(kind.shape + kind.line, kind.tone), Span(words, "muted")]
    return shown


def saved(nano: int) -> list[Piece]:
    """What caches made cheaper, or below 0 dearer."""
    if nano > 0:
        return [Span(money(nano), "good"), Span(" saved by caches", "muted")]
    return [Span(money(-nano), "bad"), Span(" lost on caches", "muted")]


def would_have(whole: CostLine, model: ModelView) -> list[Piece]:
    there = cost_on(whole.tokens, model)
    said: list[Piece] = [
        Span(model.target, "strong"),
        Span("   the same tokens: ", "muted"),
        Span(f"≈ {money(there)}", "strong"),
    ]
    if there is not None and whole.cost and not whole.unpriced:
        less = there < whole.cost
        change = abs(there - whole.cost) / whole.cost
        said.append(
            Span(f"   {percent(change)} {'less' if less else 'more'}", "good" if less else "warn")
        )
    return said


def coverage(lines: Sequence[CostLine]) -> tuple[Piece, ...]:
    """How much of the traffic the sum covers, where it is not all."""
    whole = total(lines)
    if not whole.unpriced:
        return ()
    return (
        Span(f"  {percent(whole.coverage or 0)} of attempts priced", "warn"),
        Span(f", {whole.unpriced:,} with unknown price", "muted"),
    )
