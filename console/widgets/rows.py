"""What a table shows: rows by place and by key, drawn only when they come into sight.

Its rule: a key stays with its row, whatever the order; a list is one kind of rows, a page of the
ledger another.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, Protocol, TypeVar

from console.widgets.paint import Cell, Piece

Key = str | int
_T = TypeVar("_T")


@dataclass(frozen=True, slots=True)
class Heading:
    """A row that names a block of rows; it cannot be selected."""

    pieces: tuple[Piece, ...]


Row = Sequence[Cell] | Heading


class Rows(Protocol):
    """What a table shows. `row` is None where the row is still being read."""

    def __len__(self) -> int: ...
    def key(self, index: int) -> Key: ...
    def row(self, index: int) -> Row | None: ...
    def index(self, key: Key) -> int | None: ...


class ListRows(Generic[_T]):
    """Rows of a list that is at hand."""

    def __init__(
        self, items: Sequence[_T], key: Callable[[_T], Key], draw: Callable[[_T], Row]
    ) -> None:
        self.items = items
        self._draw = draw
        self._drawn: dict[int, Row] = {}
        self._keys = [key(item) for item in items]
        self._places = {key: place for place, key in enumerate(self._keys)}

    def __len__(self) -> int:
        return len(self.items)

    def key(self, index: int) -> Key:
        return self._keys[index]

    def row(self, index: int) -> Row:
        row = self._drawn.get(index)
        if row is None:
            row = self._drawn[index] = self._draw(self.items[index])
        return row

    def index(self, key: Key) -> int | None:
        return self._places.get(key)


NOTHING: Rows = ListRows[str]((), str, lambda _: ())
