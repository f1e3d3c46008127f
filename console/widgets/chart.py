"""Bars over time in text, each stacked of its parts, with their times below. Pure.

Its rule: a value that is not zero is never drawn as nothing, and a label stands under the first
cell of the bar it names.
"""

from __future__ import annotations

import time
from collections.abc import Iterable, Iterator, Sequence
from itertools import accumulate, groupby
from operator import itemgetter

_EIGHTHS = " ▁▂▃▄▅▆▇█"
#: the widest bar, and the width from which bars stand apart
WIDEST, APART = 8, 3
DAY = 86_400


def coarser(step: float, count: int, room: int) -> tuple[float, int]:
    """The step and how many there are, doubled until each has a cell of `room`."""
    while count > max(room, 1):
        step, count = step * 2, (count + 1) // 2
    return step, count


def step_name(step: float) -> str:
    """ "a quarter hour", "2 hours", "a day"."""
    if step < 3600:
        return "a quarter hour" if step < 1800 else "half an hour"
    size, one, many = (3600, "an hour", "hours") if step < DAY else (DAY, "a day", "days")
    return one if step == size else f"{step / size:g} {many}"


def bar_width(count: int, room: int) -> int:
    """Cells of one of `count` bars, its gap included."""
    return max(1, min(room // max(count, 1), WIDEST))


def bars(
    values: Sequence[Sequence[float]], shapes: str, cells: int, height: int
) -> list[list[tuple[str, int]]]:
    """`height` lines, the top one first; each value takes `cells` cells and is stacked of its
    parts, the first at the bottom. A line is runs of text, each with the part it belongs to.

    A part has the shape of its place in `shapes`, so that it is told without colour, to whole
    cells; how tall a bar is, is told to eighths: there its end has the shape of them.
    """
    top = max(map(sum, values), default=0.0)
    solid = cells - 1 if cells >= APART else cells
    rows = []
    for line in range(height - 1, -1, -1):
        row: list[tuple[str, int]] = []
        for parts in values:
            shape, part = _cell(parts, top, line, shapes, height)
            row.append((shape * solid + " " * (cells - solid), part))
        rows.append([("".join(text for text, _ in run), part) for part, run in _runs(row)])
    return rows


def _runs(row: list[tuple[str, int]]) -> Iterator[tuple[int, Iterable[tuple[str, int]]]]:
    return groupby(row, key=itemgetter(1))


def _cell(
    parts: Sequence[float], top: float, line: int, shapes: str, height: int
) -> tuple[str, int]:
    """What stands in a bar's `line`, from below, and which of its parts that is."""
    whole = sum(parts)
    level = max(round(whole / top * height * 8), 1) if whole > 0 and top > 0 else 0
    filled = min(max(level - line * 8, 0), 8)
    if not filled:
        return " ", 0
    middle = (line * 8 + filled / 2) / level * whole
    reached = accumulate(parts)
    part = next((place for place, sum in enumerate(reached) if sum > middle), len(parts) - 1)
    return shapes[part] if filled == 8 else _EIGHTHS[filled], part


def axis(begin: float, step: float, count: int, cells: int) -> str:
    """Local times under the bars, as many as have air around them."""
    days = step >= DAY
    form = "%b %d" if days else "%H:%M" if step * count <= DAY * 1.1 else "%b %d %H:%M"
    each = next(
        n for n in (1, 2, 4, 5, 7, 8, 12, 16, 24, 48, 96, 400) if n * cells >= 13 or n == 400
    )
    line = ""
    for number in range(0, count, each):
        label = time.strftime(form, time.localtime(begin + number * step))
        if number * cells + len(label) > count * cells + 2:
            break
        line = line.ljust(number * cells) + label
    return line
