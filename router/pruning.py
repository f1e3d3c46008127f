"""When what is too old to keep is let go. Pure: both clocks are handed in, in seconds.

One rule: never by a clock that has just leapt: it may be wrong, and what it makes too old would be
lost for good. It has an hour to be set right.
"""

from __future__ import annotations

#: seconds until the first time, between two of them, and after a leap
FIRST, EVERY, SET_RIGHT = 20.0, 300.0, 3_600.0
#: seconds that a clock does not move by itself, nor by a time zone
LEAP = 43_200.0


class Pruning:
    def __init__(self, wall: float, now: float) -> None:
        self._due = now + FIRST
        self._apart = wall - now

    def leapt(self, wall: float, now: float) -> bool:
        """Whether the clock has, since this was last asked. A sleep of the machine counts too."""
        before, self._apart = self._apart, wall - now
        if abs(self._apart - before) <= LEAP:
            return False
        self._due = now + SET_RIGHT
        return True

    def due(self, now: float) -> bool:
        """Whether it is time; then not again before long."""
        if now < self._due:
            return False
        self._due = now + EVERY
        return True
