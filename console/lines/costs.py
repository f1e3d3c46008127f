"""A line of the Costs list and the blocks of them, each under its heading and ending in its total.
Pure.

Its rule: what has no name is called what it is not; what used nothing has no line.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from operator import attrgetter, itemgetter
from typing import Literal, get_args

from console.lines.spending import cost, into_caches, named, stack, worth
from console.query import written
from console.text import money, percent, tokens
from console.theme import Tone
from console.widgets.columns import Column
from console.widgets.order import Order
from console.widgets.paint import Cell, Span
from console.widgets.rows import Heading, Key, ListRows, Row
from router.contract import CostLine

By = Literal["model", "provider", "key", "session", "project", "door", "rule", "outcome"]
BYS: tuple[By, ...] = get_args(By)
_BAR = 10


def columns(by: By) -> tuple[Column, ...]:
    name = "provider,model" if by == "model" else by
    return (
        Column(name, 22, grow=1, middle=True, wish=28, most=52, by=attrgetter("name")),
        Column("requests", 8, number=True, drop=1, by=attrgetter("requests")),
        Column("errors", 6, number=True, drop=2, by=attrgetter("errors")),
        Column("input", 7, number=True, drop=1, by=attrgetter("tokens.input")),
        Column("cache read", 10, number=True, drop=4, by=attrgetter("tokens.cache_read")),
        Column("cache write", 11, number=True, drop=6, by=lambda line: into_caches(line.tokens)),
        Column("output", 7, number=True, drop=1, by=attrgetter("tokens.output")),
        Column("cost", 9, number=True, by=worth),
        Column("each", 8, number=True, drop=7, by=_each),
        Column("spent on", _BAR, drop=5),
        Column("share", 6, number=True, drop=3),
    )


def _each(line: CostLine) -> int | None:
    """Nano-dollars of a request, on average: what models are compared by."""
    whole = worth(line)
    return None if whole is None or not line.requests else round(whole / line.requests)


DEAREST = Order("cost", falling=True)


def dearest(line: CostLine) -> tuple[int, int, str]:
    """The usual order of lines."""
    return -line.cost, -line.requests, line.name


def line_key(line: CostLine) -> Key:
    return f"{'simulated' if line.simulated else 'real'} {line.name}"


def draw(line: CostLine, whole: CostLine, by: By) -> Sequence[Cell]:
    share = line.cost / whole.cost if whole.cost else 0.0
    tone: Tone = "strong" if line is whole else ""
    errors: Tone = "bad" if line.errors else "muted"
    used = line.tokens
    return (
        Span(named(line.name, by), tone),
        Span(f"{line.requests:,}", tone),
        Span(f"{line.errors:,}", errors),
        _count(used.input, tone, used.estimated),
        _count(used.cache_read, tone),
        _count(into_caches(used), tone),
        _count(used.output, tone, used.estimated),
        Span(cost(line), tone),
        Span(money(_each(line), lower_bound=line.unpriced > 0), "muted"),
        stack(line),
        Span(percent(share) if share and line is not whole else "", "muted"),
    )


def filter_of(line: CostLine, by: By) -> str:
    """What Live's filter takes for the requests that a line is made of; "" where none can tell."""
    if by == "model":
        provider, _, model = line.name.partition(",")
        return written(provider=provider, model=model)
    return "" if by == "outcome" else written(**{by: line.name})


def _count(count: int, tone: Tone, estimated: bool = False) -> Span:
    return Span(tokens(count, 10, estimated=estimated), tone if count else "muted")


class CostRows(ListRows[tuple[Key, Row]]):
    """Blocks of lines, each under its heading and ending in its total."""

    def __init__(
        self, blocks: Iterable[tuple[Heading, Sequence[CostLine], CostLine]], by: By
    ) -> None:
        """Of each block its heading, its lines as they are to stand, and its total, of whose cost
        each line is a share."""
        rows: list[tuple[Key, Row]] = []
        for heading, shown, whole in blocks:
            if not shown:
                continue
            kind = "simulated" if whole.simulated else "real"
            if rows:
                rows.append((f"gap {kind}", Heading(())))
            rows.append((f"heading {kind}", heading))
            rows += [(line_key(line), draw(line, whole, by)) for line in shown]
            rows.append((f"total {kind}", draw(whole, whole, by)))
        super().__init__(rows, itemgetter(0), itemgetter(1))


ASIDE = Span("  never part of real totals", "muted")


def markable(key: Key) -> bool:
    """A total is no line of its own."""
    return not str(key).startswith("total ")


def counts(line: CostLine) -> bool:
    """Where every attempt only failed and went on elsewhere, nothing was spent and no request
    ended: no line."""
    return bool(line.requests or line.cost or line.tokens.output)
