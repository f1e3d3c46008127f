"""How commands lay out text: tables and sentences, as wide as the terminal is.

Its rule: into a file or a pipe goes everything, each row on its one line. Only at a terminal that
is narrower than its table do words go on below themselves and lesser columns stay away, and the
table says which. Numbers are never cut.
"""

from __future__ import annotations

import re
import shutil
import sys
import time
from collections.abc import Iterable, Sequence

import click

from console.text import clean, clock, fit, when, width

#: cells between two columns
GAP = 2
#: of a column of words, where not even its longest word has room
LEAST = 12
#: what a titled block stands in
INDENT = 2
#: where a cell may go on below itself: after a space, and between a provider and its model
_PIECES = re.compile(r"[^ ,]*[ ,]+|[^ ,]+")
#: a sentence goes on below itself at spaces, but not inside of something to type
_WORDS = re.compile(r"(?:`[^`]*`|\S)+")


def room(stream: int = 1) -> int | None:
    """Cells of a line of the terminal behind that descriptor; None where it is none."""
    file = sys.stdout if stream == 1 else sys.stderr
    return shutil.get_terminal_size().columns if file.isatty() else None


def stamp(at: float) -> str:
    """Date, time and zone; at a terminal as much of it as a list of late needs."""
    if room() is None:
        return when(at)
    today = time.localtime(at)[:3] == time.localtime()[:3]
    return clock(at) if today else when(at).removesuffix(time.strftime(" %Z", time.localtime(at)))


def table(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[int] = (),
    lesser: Sequence[int] = (),
) -> list[str]:
    """Lines of aligned columns, the first of them dim; none where there are no rows. Of the columns
    named in `lesser` the first stays away first."""
    cells = room()
    lines, missed = laid_out(
        heads, rows, right=right, lesser=lesser, cells=cells and cells - INDENT
    )
    if len(lines) < 2:
        return []
    told = [click.style(f"a wider terminal shows: {missed}", dim=True)] if missed else []
    return [click.style(lines[0], dim=True), *lines[1:], *told]


def aligned(heads: Sequence[str], rows: Iterable[Sequence[str]]) -> list[str]:
    """The heads and the rows, each on its one line."""
    return laid_out(heads, rows)[0]


def laid_out(
    heads: Sequence[str],
    rows: Iterable[Sequence[str]],
    *,
    right: Iterable[int] = (),
    lesser: Sequence[int] = (),
    cells: int | None = None,
) -> tuple[list[str], str]:
    """The heads and the rows, every cell cleaned, and the names of the columns that stayed away;
    columns named in `right` are numbers, and right-aligned. A column in which every cell is empty
    is left out."""
    body = [[clean(cell) for cell in row] for row in rows]
    to_right = set(right)
    shown = [index for index in range(len(heads)) if any(row[index] for row in body)]
    widest = {i: max(width(heads[i]), *(width(row[i]) for row in body)) for i in shown}
    missed: list[str] = []
    widths = widest
    if cells is not None:
        least = {
            i: widest[i]
            if i in to_right
            else max(width(part.rstrip()) for row in (heads, *body) for part in _parts(row[i]))
            for i in shown
        }
        waiting = [i for i in lesser if i in least]
        while _needed(least) > cells and waiting:
            missed.append(heads[waiting[0]].casefold() or "more")
            del least[waiting.pop(0)]
        if _needed(least) > cells:  # on a phone even a name goes on below itself
            least = {i: n if i in to_right else min(n, LEAST) for i, n in least.items()}
        widths = _squeezed({i: widest[i] for i in least}, least, cells)

    def line(row: Sequence[str]) -> list[str]:
        folded = [folds(row[i], widths[i]) for i in widths]
        height = max((len(each) for each in folded), default=0)
        return [
            (" " * GAP)
            .join(
                fit(each[n] if n < len(each) else "", widths[i], right=i in to_right)
                for i, each in zip(widths, folded, strict=True)
            )
            .rstrip()
            for n in range(height)
        ]

    return [*line(heads), *(each for row in body for each in line(row))], ", ".join(missed)


def _parts(text: str) -> list[str]:
    return _PIECES.findall(text) or [""]


def _needed(widths: dict[int, int]) -> int:
    return sum(widths.values()) + GAP * (len(widths) - 1)


def _squeezed(widths: dict[int, int], least: dict[int, int], cells: int) -> dict[int, int]:
    """The widest columns give first, none more than it can."""
    while _needed(widths) > cells:
        giving = [i for i in widths if widths[i] > least[i]]
        if not giving:
            break  # the terminal wraps
        widths[max(giving, key=widths.__getitem__)] -= 1
    return widths


def folds(text: str, cells: int) -> list[str]:
    """Clean `text` in lines of at most `cells`; a part that is wider takes as many as it needs."""
    if width(text) <= cells:
        return [text]
    return [piece for line in _filled(_parts(text), cells) for piece in _pieces(line, cells)]


def _pieces(line: str, cells: int) -> list[str]:
    pieces = [""]
    for character in line:
        if pieces[-1] and width(pieces[-1] + character) > cells:
            pieces.append("")
        pieces[-1] += character
    return pieces


def wrapped(text: str, cells: int | None) -> list[str]:
    """A clean sentence, which may be styled, in lines of at most `cells`; what stands between
    backquotes stays whole."""
    if cells is None or _seen(text) <= cells:
        return [text]
    ends = [found.end() for found in _WORDS.finditer(text)]
    starts = [0, *ends]
    return _filled([text[a:b] for a, b in zip(starts, ends, strict=False)], cells)


def _seen(text: str) -> int:
    """Cells that styled text takes."""
    return width(click.unstyle(text))


def _filled(parts: Sequence[str], cells: int) -> list[str]:
    lines = [""]
    for part in parts:
        if lines[-1].strip() and _seen((lines[-1] + part).rstrip()) > cells:
            lines.append(part.lstrip())
        else:
            lines[-1] += part
    return [line.rstrip() for line in lines]
