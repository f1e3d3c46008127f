"""In what order a list stands: by which of its columns, which way, and what stands still. Pure.

Its rule: what is unknown (None) comes last whichever way, and equals keep the order they came in.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from console.widgets.columns import Column
from console.widgets.rows import Key

_T = TypeVar("_T")
RISING, FALLING = "↑", "↓"


@dataclass(frozen=True, slots=True)
class Order:
    """By the column of that name; "" is the order in which a screen hands its items."""

    column: str = ""
    falling: bool = False

    @property
    def arrow(self) -> str:
        return FALLING if self.falling else RISING

    @property
    def written(self) -> str:
        """As `:sort` and console.toml take it."""
        return f"{'-' if self.falling else '+'}{self.column}" if self.column else ""

    @property
    def reversed(self) -> Order:
        return Order(self.column, not self.falling)


def natural(column: Column) -> Order:
    """The way one wants to see first: the most of a number, words from a to z."""
    rising = not column.number if column.rising is None else column.rising
    return Order(column.name, not rising)


def named(text: str, columns: Sequence[Column]) -> Order | None:
    """What `text` says, "cost", "-cost" or "+cost"; the beginning of a name is enough. None where
    it names no column that has an order."""
    sign, name = (text[0], text[1:]) if text[:1] in ("-", "+") else ("", text)
    sortable = [column for column in columns if column.by is not None]
    wanted = name.strip().casefold()
    found = [c for c in sortable if c.name.casefold() == wanted] or [
        c for c in sortable if wanted and c.name.casefold().startswith(wanted)
    ]
    if not found:
        return None
    return Order(found[0].name, sign == "-") if sign else natural(found[0])


def arranged(items: Iterable[_T], columns: Sequence[Column], order: Order) -> list[_T]:
    """`items` in that order; as they are where it names no column."""
    by = next((column.by for column in columns if column.name == order.column), None)
    if not order.column or by is None:
        return list(items)
    valued: list[tuple[Any, _T]] = [(by(item), item) for item in items]
    known = [pair for pair in valued if pair[0] is not None]
    known.sort(key=lambda pair: _folded(pair[0]), reverse=order.falling)
    return [item for _, item in known] + [item for value, item in valued if value is None]


def _folded(value: Any) -> Any:
    return value.casefold() if isinstance(value, str) else value


class Standing(Generic[_T]):
    """Items that stand still in the order in which they were last arranged. `waiting` counts those
    that are not shown because they came since."""

    def __init__(self) -> None:
        self._items: dict[Key, _T] = {}
        self.waiting = 0

    def take(
        self,
        wanted: Sequence[_T],
        key: Callable[[_T], Key],
        *,
        still: bool,
        wait: bool,
        latest: Callable[[_T], _T] | None = None,
    ) -> list[_T]:
        """`wanted` as it is or, `still`, in the order that stands: what came since follows at the
        end or, `wait`, is only counted; what went is left out or, with `latest`, stays as that
        says."""
        now = {key(item): item for item in wanted}
        self.waiting = 0
        if still and (kept := self._stood(now, latest)):
            new = {each: item for each, item in now.items() if each not in kept}
            if wait:
                self.waiting = len(new)
            else:
                kept.update(new)
            now = kept
        self._items = now
        return list(now.values())

    def _stood(self, now: dict[Key, _T], latest: Callable[[_T], _T] | None) -> dict[Key, _T]:
        if latest is not None:
            return {each: now.get(each) or latest(item) for each, item in self._items.items()}
        return {each: now[each] for each in self._items if each in now}

    def forget(self) -> None:
        """The next is taken as it comes."""
        self._items = {}
