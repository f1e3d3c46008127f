"""Figures over time in one line of cells. Pure.

Its rule: what is not zero never shows as nothing, and the shape is told by height, never by colour.
"""

from __future__ import annotations

from collections.abc import Sequence

_HEIGHTS = " ▁▂▃▄▅▆▇█"


def spark(values: Sequence[float]) -> str:
    """One cell for each value, up to the largest."""
    top = max(values, default=0.0)
    if top <= 0:
        return " " * len(values)
    last = len(_HEIGHTS) - 1
    return "".join(
        _HEIGHTS[min(max(round(value / top * last), 1 if value > 0 else 0), last)]
        for value in values
    )


def gauge(part: float, cells: int) -> str:
    """A share of 0…1 of a line of `cells`, to half a cell; the rest is dotted."""
    halves = max(round(min(part, 1.0) * cells * 2), 1 if part > 0 else 0)
    whole, rest = divmod(halves, 2)
    return ("━" * whole + "╸" * rest).ljust(cells, "┄")
