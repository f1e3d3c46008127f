"""Text on its way to a screen: cleaned here, whatever it was before, and never read as markup.

Its rule: every widget of ours draws either a `Cell` (in a Table) or what `say` returns, and both
clean each piece of text themselves, so that no caller can forget it.
"""

from __future__ import annotations

from typing import NamedTuple

from textual.content import Content

from console.text import clean
from console.theme import STYLES, Tone


class Span(NamedTuple):
    """A piece of text and what it means. In a Bar, a click on it presses `key`."""

    text: str
    tone: Tone = ""
    key: str = ""


Piece = str | Span
#: what one place of a table shows: text, toned text, or several pieces in a row
Cell = Piece | list[Piece]


def pieces(cell: Cell) -> list[Span]:
    """A cell as clean spans."""
    parts: list[Piece] = cell if isinstance(cell, list) else [cell]
    return [
        part._replace(text=clean(part.text)) if isinstance(part, Span) else Span(clean(part))
        for part in parts
    ]


def say(*parts: Piece) -> Content:
    """The pieces as one line for a Static."""
    return Content.assemble(*((span.text, STYLES[span.tone]) for span in pieces(list(parts))))


def lines(*rows: Content) -> Content:
    """Rows under one another, as one content."""
    return Content("\n").join(rows)


def plain(cell: Cell) -> str:
    """A cell's clean text without tones."""
    return "".join(span.text for span in pieces(cell))
