"""How often a screen is painted again: a person's choice, for a slow line or a calm eye.

Its rule: what came in between is painted when the time is up, never lost; a key is always answered
at once. At the shortest, everything is painted as the router tells it, at most twice a second.
"""

from __future__ import annotations

from collections.abc import Callable

#: seconds between two paints that can be chosen
STEPS = (0.5, 1.0, 2.0, 5.0, 10.0)


class Pace:
    """`later` calls something after so many seconds."""

    def __init__(
        self,
        paint: Callable[[], None],
        later: Callable[[float, Callable[[], None]], object],
        seconds: float,
    ) -> None:
        self._paint = paint
        self._later = later
        self._resting = False
        self._owed = False
        self._ticks = 0
        self.seconds = STEPS[0]
        self.choose(seconds)

    def choose(self, seconds: float) -> float:
        """The one of the steps that is nearest."""
        self.seconds = min(STEPS, key=lambda step: abs(step - seconds))
        return self.seconds

    def step(self, by: int) -> float:
        """To the next slower (1) or faster (-1) one; the seconds now in force."""
        place = STEPS.index(self.seconds) + by
        self.seconds = STEPS[max(0, min(place, len(STEPS) - 1))]
        return self.seconds

    def ask(self) -> None:
        """Paints now, or when the time since the last paint is up."""
        if self._resting:
            self._owed = True
            return
        self._paint()
        if self.seconds > STEPS[0]:
            self._resting = True
            self._later(self.seconds, self._rested)

    def _rested(self) -> None:
        self._resting = False
        if self._owed:
            self._owed = False
            self.ask()

    def ticked(self) -> bool:
        """Asked once a second: whether what ages by itself is to be painted now."""
        self._ticks += 1
        if self._ticks < self.seconds:
            return False
        self._ticks = 0
        return True
