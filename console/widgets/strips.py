"""A row of a table as lines of cells: the header, a heading, a row on one line or on several.

Its rule: pure; a number stands on one line and is never cut, words are cut with "…" or, in a column
that wraps, go on below themselves, and nothing that is drawn is wider than its place.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from rich.segment import Segment
from rich.style import Style
from textual.strip import Strip

from console.text import CUT, clean_lines, fit, number, width
from console.widgets.columns import Column, Layout
from console.widgets.order import Order
from console.widgets.paint import Cell, Span, pieces, plain
from console.widgets.rows import Heading

#: the selected row, those that are marked, and a marked one that is selected: without colour too
SELECTED, MARKED, BOTH = "▌", "◆", "◈"
#: how a tone looks, and how under the cursor
Styles = Callable[[str, bool], Style]


def header(
    columns: Sequence[Column], layout: Layout, style: Styles, room: int, order: Order
) -> Strip:
    """The columns' names; behind that of the one they are sorted by, which way."""
    base = style("muted", False)
    segments = [Segment(" ", base)]
    for index, cells in layout.places:
        column = columns[index]
        sorted_by = column.name and column.name == order.column
        name = f"{column.name}{order.arrow}" if sorted_by else column.name
        look = style("accent", False) if sorted_by else base
        segments.append(Segment(fit(name, cells, right=column.number), look))
        segments.append(Segment(" " * layout.gap, base))
    return Strip(segments).adjust_cell_length(room, base)


def heading(row: Heading, style: Styles, room: int) -> Strip:
    base = style("", False)
    segments = [Segment(" ", base)]
    segments += [Segment(s.text, style(s.tone, False)) for s in pieces(list(row.pieces))]
    return Strip(segments).adjust_cell_length(room, base)


def drawn(
    row: Sequence[Cell],
    columns: Sequence[Column],
    layout: Layout,
    style: Styles,
    room: int,
    mark: str,
    most: int = 1,
) -> tuple[Strip, ...]:
    """The lines of one row, `room` cells wide. A column that wraps may take `most` of them. `mark`
    stands in front of each: SELECTED, MARKED, BOTH or ""."""
    cursor = mark in (SELECTED, BOTH)
    base = style("", cursor)
    below = {
        index: fold(row[index], cells, most)
        for index, cells in layout.places
        if most > 1 and columns[index].wraps
    }
    strips = []
    for line in range(max(map(len, below.values()), default=1)):
        segments = [Segment(mark or " ", style("accent", cursor))]
        for index, cells in layout.places:
            folded = below.get(index, (row[index],))
            cell = folded[line] if line < len(folded) else ""
            segments += _cell(cell, columns[index], cells, style, cursor)
            segments.append(Segment(" " * layout.gap, base))
        strips.append(Strip(segments).adjust_cell_length(room, base))
    return tuple(strips)


def _cell(cell: Cell, column: Column, cells: int, style: Styles, cursor: bool) -> list[Segment]:
    spans = pieces(cell)
    if column.number:
        tone = spans[-1].tone if spans else ""
        shown = number("".join(span.text for span in spans), cells)
        return [Segment(shown, style(tone, cursor))]
    segments: list[Segment] = []
    for at, span in enumerate(spans):
        have = width(span.text)
        last = at == len(spans) - 1
        cut = fit(span.text, cells, middle=column.middle)
        shown = cut if last or have > cells else span.text
        segments.append(Segment(shown, style(span.tone, cursor)))
        cells -= width(shown)
        if cells <= 0:
            break
    return segments


def fold(cell: Cell, cells: int, most: int) -> list[Cell]:
    """A cell's words over lines of at most `cells`, broken between words where that can be, and
    where its text breaks its lines. What `most` lines do not hold ends in "…"."""
    folded: list[list[Span]] = [[]]
    room = cells
    for part in cell if isinstance(cell, list) else [cell]:
        span = part if isinstance(part, Span) else Span(part)
        for number_of, text in enumerate(clean_lines(span.text).split("\n")):
            if number_of:
                folded.append([])
                room = cells
            for word in _words(text, cells):
                have = width(word)
                if width(word.rstrip()) > room:
                    folded.append([])
                    room = cells
                folded[-1].append(span._replace(text=word))
                room -= have
        if len(folded) > most:
            break
    if len(folded) > most:
        last = plain(list(folded[most - 1]))
        tone = folded[most - 1][0].tone if folded[most - 1] else ""
        folded[most - 1] = [Span(_parts(last, cells - 1)[0].rstrip() + CUT, tone)]
    return [_joined(line) for line in folded[:most]]


def _words(text: str, cells: int) -> list[str]:
    """Words with the blanks after them; what is longer than a line in pieces of one."""
    words: list[str] = []
    begun = 0
    for at in range(1, len(text) + 1):
        if at == len(text) or (text[at] != " " and text[at - 1] == " "):
            words += _parts(text[begun:at], cells)
            begun = at
    return words


def _parts(word: str, cells: int) -> list[str]:
    if width(word.rstrip()) <= cells:
        return [word]
    parts, part, used = [], "", 0
    for character in word:
        have = width(character)
        if part and used + have > cells:
            parts.append(part)
            part, used = "", 0
        part += character
        used += have
    return [*parts, part]


def _joined(line: list[Span]) -> Cell:
    """Neighbours of one tone as one piece, without the blanks at the end."""
    joined: list[Span] = []
    for span in line:
        if joined and joined[-1].tone == span.tone:
            joined[-1] = span._replace(text=joined[-1].text + span.text)
        else:
            joined.append(span)
    if joined:
        joined[-1] = joined[-1]._replace(text=joined[-1].text.rstrip())
    return list(joined)
