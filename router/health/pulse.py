"""How a service did of late: what went by in each span of time, and how long it took. Pure.

One rule: bounded, and a request costs it a few additions; sorting is left to whoever looks.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Sequence

from router.contract import CELLS, SPAN

#: durations remembered
MEMORY = 200
#: spans that count as of late
LATE = 3


class Pulse:
    """Of one service. Times are Unix seconds, durations milliseconds."""

    __slots__ = ("_until", "firsts", "spans", "wholes")

    def __init__(self) -> None:
        self.firsts: deque[float] = deque(maxlen=MEMORY)  # to the first byte
        self.wholes: deque[float] = deque(maxlen=MEMORY)  # to the last
        #: [number of the span, requests, errors]; only spans in which something went by
        self.spans: deque[list[int]] = deque(maxlen=CELLS)
        self._until = 0.0  # when the newest of them ends

    def beat(self, at: float, failed: bool, whole_ms: float | None) -> None:
        if at >= self._until:
            self._begin(int(at // SPAN))
        span = self.spans[-1]
        span[1] += 1
        if failed:
            span[2] += 1
        elif whole_ms is not None:
            self.wholes.append(whole_ms)

    def late(self, at: float) -> tuple[int, int]:
        """Requests and errors of the last LATE spans, this one included."""
        first = int(at // SPAN) - LATE + 1
        spans = [span for span in self.spans if span[0] >= first]
        return sum(span[1] for span in spans), sum(span[2] for span in spans)

    def _begin(self, number: int) -> None:
        """The span with that number, unless it was restored."""
        if not self.spans or self.spans[-1][0] != number:
            self.spans.append([number, 0, 0])
        self._until = (number + 1) * SPAN

    def history(self, at: float) -> tuple[tuple[int, int], ...]:
        """(requests, errors) of each of the last CELLS spans, oldest first; () for none at all."""
        first = int(at // SPAN) - CELLS + 1
        cells = [(0, 0)] * CELLS
        for number, requests, errors in self.spans:
            if 0 <= number - first < CELLS:
                cells[number - first] = (requests, errors)
        return tuple(cells) if any(count for count, _ in cells) else ()


def percentile(values: Sequence[float], part: float) -> float | None:
    if not values:
        return None
    ordered = sorted(values)
    return ordered[min(int(len(ordered) * part), len(ordered) - 1)]
