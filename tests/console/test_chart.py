"""Bars over time: nothing that is there is drawn as nothing, and labels stand where they belong."""

from __future__ import annotations

import pytest

from console.widgets.chart import WIDEST, axis, bar_width, bars, coarser, step_name
from tests.console import scene


@pytest.mark.parametrize(
    ("values", "cells", "height", "drawn"),
    [
        ((), 1, 2, ["", ""]),
        (((0.0,), (0.0,)), 1, 1, ["  "]),
        (((1.0,), (0.0,), (0.001,)), 1, 1, ["█ ▁"]),
        (((2.0,), (1.0,)), 3, 2, ["██    ", "██ ██ "]),
        (((8.0,), (6.0,), (1.0,)), 2, 2, ["██▄▄  ", "████▂▂"]),
        (((2.0, 1.0, 1.0), (0.0, 0.0, 1.5)), 1, 4, ["░ ", "▓ ", "█▄", "█░"]),  # stacked
        (((1.0, 1.0), (0.2, 1.0)), 1, 2, ["▓▂", "█▓"]),  # a part that has no cell of its own
    ],
)
def test_bars(
    values: tuple[tuple[float, ...], ...], cells: int, height: int, drawn: list[str]
) -> None:
    rows = bars(values, "█▓░", cells, height)
    assert ["".join(text for text, _ in row) for row in rows] == drawn


def test_the_parts_of_a_bar_are_told_apart() -> None:
    (above, below) = bars(((3.0, 1.0), (0.0, 0.0), (0.0, 2.0)), "█░", 1, 2)
    assert above == [("░", 1), ("  ", 0)]
    assert below == [("█ ", 0), ("░", 1)]


@pytest.mark.parametrize(
    ("step", "count", "room", "drawn", "called"),
    [
        (900.0, 96, 106, (900.0, 96), "a quarter hour"),
        (900.0, 96, 66, (1800.0, 48), "half an hour"),
        (3600.0, 96, 66, (7200.0, 48), "2 hours"),
        (86_400.0, 30, 66, (86_400.0, 30), "a day"),
        (86_400.0, 399, 66, (691_200.0, 50), "8 days"),
    ],
)
def test_bars_without_room_are_taken_together(
    step: float, count: int, room: int, drawn: tuple[float, int], called: str
) -> None:
    assert coarser(step, count, room) == drawn
    assert step_name(drawn[0]) == called


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
