"""Bars over time: nothing that is there is drawn as nothing, and labels stand where they belong."""

from __future__ import annotations

import pytest

from console.widgets.chart import WIDEST, axis, bar_width, bars
from tests.console import scene


@pytest.mark.parametrize(
    ("values", "cells", "height", "drawn"),
    [
        ((), 1, 2, ["", ""]),
        ((0.0, 0.0), 1, 1, ["  "]),
        ((1.0, 0.0, 0.001), 1, 1, ["█ ▁"]),
        ((2.0, 1.0), 3, 2, ["██    ", "██ ██ "]),
        ((8.0, 6.0, 1.0), 2, 2, ["██▄▄  ", "████▂▂"]),
    ],
)
def test_bars(values: tuple[float, ...], cells: int, height: int, drawn: list[str]) -> None:
    assert bars(values, cells, height) == drawn


@pytest.mark.parametrize("count", [1, 7, 30, 96, 400])
@pytest.mark.parametrize("room", [10, 66, 190])
def test_an_axis_stands_under_its_bars(count: int, room: int) -> None:
    cells = bar_width(count, room)
    assert 1 <= cells <= WIDEST
    step = 86_400.0 if count < 40 else 900.0
    line = axis(scene.NOW - step * (count - 1), step, count, cells)
    assert len(line) <= count * cells + 2
    if count == 7 and room > 60:
        assert line.startswith("Nov 12")
        assert line.index("Nov 14") == 2 * cells
