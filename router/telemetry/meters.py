"""Counters of what has passed since the router started, for Prometheus and OpenTelemetry.

One rule: a finished request costs one look-up and a handful of additions; names that clients make
up never make a new series without end.
"""

from __future__ import annotations

from bisect import bisect_left
from collections import Counter
from collections.abc import Callable

from router.contract import RequestView

#: seconds
BUCKETS = (0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0, 60.0, 120.0, 300.0)
#: series; what is more is counted under the model "other"
MOST = 400
#: models of their own among those that nobody configured: clients can name any
FREE = 50
OTHER = "other"
#: left out of a name: as a label's value two names would be told as the same one
_CONTROLS = dict.fromkeys((*range(0x20), *range(0x7F, 0xA0)))
#: whether a provider's model is one that is configured
Configured = Callable[[str, str], bool]


class Names:
    """Which models are counted by their names: those that are configured, and the first few others
    that were asked for."""

    def __init__(self, configured: Configured) -> None:
        self._configured = configured
        self._free: set[tuple[str, str]] = set()

    def of(self, provider: str, model: str) -> str:
        model = model.translate(_CONTROLS)
        if (provider, model) in self._free or self._configured(provider, model):
            return model
        if len(self._free) >= FREE:
            return OTHER
        self._free.add((provider, model))
        return model


class Spread:
    """A histogram: `counts[i]` values up to BUCKETS[i], the last one beyond all."""

    __slots__ = ("counts", "total")

    def __init__(self) -> None:
        self.counts = [0] * (len(BUCKETS) + 1)
        self.total = 0.0

    def add(self, seconds: float) -> None:
        self.counts[bisect_left(BUCKETS, seconds)] += 1
        self.total += seconds


class Series:
    """All that is counted of one door, provider and model."""

    __slots__ = (
        *("cache_read", "cache_write", "cancelled", "cost", "done", "duration", "failed"),
        *("input", "output", "reasoning", "ttft", "unpriced"),
    )

    def __init__(self) -> None:
        self.done = self.failed = self.cancelled = self.unpriced = self.cost = 0
        self.input = self.cache_read = self.cache_write = self.output = self.reasoning = 0
        self.duration, self.ttft = Spread(), Spread()


#: door, provider, model, simulated
Key = tuple[str, str, str, bool]


class Meters:
    def __init__(self, names: Names) -> None:
        self._names = names
        self.series: dict[Key, Series] = {}
        #: by status: what was turned away before it was a request for a model
        self.refused: Counter[int] = Counter()

    def finished(self, view: RequestView) -> None:
        key = (view.door, view.provider, view.model, view.simulated)
        series = self.series.get(key)
        if series is None:
            series = self._new(key)
        if view.state == "done":
            series.done += 1
        elif view.state == "failed":
            series.failed += 1
        else:
            series.cancelled += 1
        tokens = view.tokens
        series.input += tokens.input
        series.cache_read += tokens.cache_read
        series.cache_write += tokens.cache_write + tokens.cache_write_1h
        series.output += tokens.output
        series.reasoning += tokens.reasoning
        if view.cost is None:
            series.unpriced += 1
        else:
            series.cost += view.cost
        if view.duration_ms is not None:
            series.duration.add(view.duration_ms / 1000)
        if view.ttft_ms is not None:
            series.ttft.add(view.ttft_ms / 1000)

    def _new(self, key: Key) -> Series:
        door, provider, model, simulated = key
        model = self._names.of(provider, model) if len(self.series) < MOST else OTHER
        key = (door, provider, model, simulated)
        return self.series.setdefault(key, Series())
