"""A screen as text that can be compared and read in a diff: its characters, then its colours.

Its rule: every cell counts. Under the characters stands, for each line, which style runs over how
many cells; below that, what the styles are.
"""

from __future__ import annotations

from itertools import groupby
from string import ascii_letters

from rich.style import Style
from textual.widgets import Input

from console.app import ConsoleApp
from tests.console.pilot import shown


def painted(app: ConsoleApp) -> str:
    """Which style each cell has: `a12 b3` are twelve cells of a and three of b; `"` is a line like
    the one above."""
    for screen in app.screen_stack:
        assert not any(line.cursor_blink for line in screen.query(Input))
    names: dict[str, str] = {}
    rows: list[str] = []
    for strip in app.screen._compositor.render_strips():
        runs = [(_named(segment.style), segment.cell_length) for segment in strip]
        row = []
        for style, same in groupby(runs, key=lambda run: run[0]):
            letter = names.setdefault(style, ascii_letters[len(names)])
            row.append(f"{letter}{sum(cells for _, cells in same)}")
        rows.append(" ".join(row))
    short = ['"' if at and row == rows[at - 1] else row for at, row in enumerate(rows)]
    return "\n".join([*short, "", *(f"{letter} {style}" for style, letter in names.items())])


def _named(style: Style | None) -> str:
    """ "#c9d1d9 on #12161c bold"."""
    if style is None:
        return "plain"
    of = [
        style.color.triplet.hex if style.color and style.color.triplet else str(style.color),
        "on",
        style.bgcolor.triplet.hex if style.bgcolor and style.bgcolor.triplet else "none",
    ]
    of += [
        name for name in ("bold", "dim", "italic", "underline", "reverse") if getattr(style, name)
    ]
    return " ".join(of)


__all__ = ["painted", "shown"]
