"""How the columns of a table share the width of a screen. Pure arithmetic.

Its rule: a number's column is widened until the number fits and is never cut; when there is no room
for all, whole columns go, the least important first, and the caller can say which.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

GAP = 1
ROOMY_GAP = 2
#: columns that are worth less than whole words in the others
LUXURY = 6


@dataclass(frozen=True, slots=True)
class Column:
    """`width` is the least that is useful, in cells. `drop` 0 is never dropped; of the others the
    highest goes first. `grow` is its share of the space left over, up to `most` in all. `middle`:
    words too long for it are cut in their middle. `wish` is what it should have before a luxury
    (`drop` of LUXURY and more) is shown. `wraps`: its words go on below where the table wraps.
    `by` is what a row is sorted by in this column, None for unknown: without it, it has no order;
    words are found by a filter too, and so is what `words` says. `rising`: whether the least comes
    first when it is first sorted by; None: as numbers and words usually are."""

    name: str
    width: int
    number: bool = False
    drop: int = 0
    grow: int = 0
    middle: bool = False
    wish: int = 0
    most: int = 0
    wraps: bool = False
    by: Callable[[Any], Any] | None = None
    rising: bool | None = None
    words: Callable[[Any], str] | None = None

    def text(self, item: Any) -> str:
        """What a filter finds of `item` in this column."""
        if self.words is not None:
            return self.words(item)
        value = self.by(item) if self.by is not None else None
        return value if isinstance(value, str) else ""


@dataclass(frozen=True, slots=True)
class Layout:
    """`places` are (column index, width) from left to right."""

    places: tuple[tuple[int, int], ...]
    gap: int
    hidden: tuple[str, ...]

    def at(self, x: int) -> int | None:
        """Index of the column that cell `x` of the screen belongs to, the gap behind it too."""
        left = 1  # the mark in front of each row
        for index, cells in self.places:
            left += cells + self.gap
            if x < left:
                return index
        return None


def lay_out(columns: Sequence[Column], widths: Sequence[int], room: int) -> Layout:
    """Fits `columns`, each at least `widths[i]` wide, into `room` cells."""
    kept = list(range(len(columns)))
    while _needed(kept, widths, GAP) > room:
        droppable = [i for i in kept if columns[i].drop]
        if not droppable:
            break
        kept.remove(max(droppable, key=lambda i: columns[i].drop))
    # where a wide one had to go, a narrow one that went before it may have room
    for index in sorted(set(range(len(columns))) - set(kept), key=lambda i: columns[i].drop):
        if _needed(wider := sorted([*kept, index]), widths, GAP) <= room:
            kept = wider
    wishes = [max(w, c.wish) for w, c in zip(widths, columns, strict=True)]
    while _needed(kept, wishes, GAP) > room:
        luxuries = [i for i in kept if columns[i].drop >= LUXURY]
        if not luxuries:
            break
        kept.remove(max(luxuries, key=lambda i: columns[i].drop))
    # room for words is worth more than air between them
    gap = ROOMY_GAP if _needed(kept, widths, ROOMY_GAP) + room // 6 <= room else GAP
    spare = max(room - _needed(kept, widths, gap), 0)
    shares = sum(columns[i].grow for i in kept)
    places = []
    for index in kept:
        grow = columns[index].grow
        extra = spare * grow // shares if grow else 0
        if columns[index].most:
            extra = min(extra, max(columns[index].most - widths[index], 0))
        spare, shares = spare - extra, shares - grow
        places.append((index, widths[index] + extra))
    hidden = tuple(c.name for i, c in enumerate(columns) if i not in kept)
    return Layout(tuple(places), gap, hidden)


def _needed(kept: Sequence[int], widths: Sequence[int], gap: int) -> int:
    return sum(widths[i] for i in kept) + gap * max(len(kept) - 1, 0)
