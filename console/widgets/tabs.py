"""The line of the screens, with the override that matters most, who looks, and the time. Pure.

Its rule: every screen's number stays in sight; names shorten, and what stands right goes, as room
does.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.screens import SCREENS
from console.text import clock, width
from console.widgets.header import in_force
from console.widgets.paint import Piece, Span
from router.contract import OverrideView

#: what a name shortens to where the line has no room for it
SHORT = {"Playground": "Play"}
#: cells in which an override can be told in words
ROOM = 24


@dataclass(frozen=True, slots=True)
class Looking:
    """Who looks, at which screen, and when. `who` is "user@host" over SSH."""

    current: str
    now: float
    who: str = ""
    read_only: bool = False


def tabs(
    looking: Looking, overrides: Sequence[OverrideView], whole: int
) -> tuple[list[Piece], list[Piece]]:
    """Left and right side, for `whole` cells."""
    who = [Span(f"{looking.who}  ", "muted")] if looking.who else []
    who += [Span("look only  ", "warn")] if looking.read_only else []
    time = Span(clock(looking.now), "muted")
    least = _width(who) + (4 if overrides else 0)
    for letters, air in ((0, " "), (0, ""), (4, "")):
        left = _names(looking.current, letters, air)
        room = whole - _width(left) - 2
        # whole names only where an override can be told in words beside them
        more = (_width([time]) if air else 0) + (ROOM if overrides else 0)
        if room >= least + more:
            break
    right: list[Piece] = [*who, time]
    if _width(right) + (ROOM if overrides else 0) > room:
        right = [*who]
    override = in_force(overrides, looking.now, room - _width(right) - 2)
    return left, [*override, *(["  "] if override and right else []), *right]


def _names(current: str, letters: int, air: str) -> list[Piece]:
    """`letters` of each name, 0 for all of them; `air` before and after each."""
    left: list[Piece] = []
    for number, (id, name) in SCREENS.items():
        name = name if air else SHORT.get(name, name)[: letters or None]
        if id == current:
            left.append(Span(f" {number} {name} ", "badge", number))
        else:
            left += [Span(f"{air}{number}", "accent", number), Span(f" {name} ", "muted", number)]
        left += [air] if air else []
    return left


def _width(line: Sequence[Piece]) -> int:
    return sum(width(p.text if isinstance(p, Span) else p) for p in line)
