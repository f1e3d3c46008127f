"""Prometheus' text format (0.0.4), and our figures in it. Pure: figures in, text out.

One rule: a label's value comes from configuration or from a bounded set, never straight from a
client; an unknown price adds nothing to the dollars and is counted beside them.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import accumulate

from router.contract import ServiceView
from router.telemetry.meters import BUCKETS, Key, Meters, Spread

CONTENT_TYPE = "text/plain; version=0.0.4; charset=utf-8"
#: where a request went that was refused before a model was chosen
NOBODY = "none"
Labels = Mapping[str, str]
Sample = tuple[Labels, float]
#: as the format says; what could drive a terminal that shows it is left out
_ESCAPES = str.maketrans(
    {chr(n): None for n in (*range(0x20), *range(0x7F, 0xA0))} | {"\\": r"\\", '"': r"\""}
)


def family(name: str, kind: str, words: str, samples: Iterable[Sample]) -> Iterator[str]:
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} {kind}"
    for labels, value in samples:
        yield f"{name}{_labels(labels)} {_number(value)}"


def histogram(name: str, words: str, spreads: Mapping[Key, Spread]) -> Iterator[str]:
    """One per door and provider: a model each would be too many lines."""
    yield f"# HELP {name} {words}"
    yield f"# TYPE {name} histogram"
    for (door, provider), spread in _by_provider(spreads).items():
        labels = {"door": door, "provider": provider or NOBODY}
        bounds = [*(_number(bound) for bound in BUCKETS), "+Inf"]
        counts = list(accumulate(spread.counts))
        for bound, count in zip(bounds, counts, strict=True):
            yield f"{name}_bucket{_labels({**labels, 'le': bound})} {count}"
        yield f"{name}_sum{_labels(labels)} {_number(spread.total)}"
        yield f"{name}_count{_labels(labels)} {counts[-1]}"


def traffic(meters: Meters) -> Iterator[str]:
    """What has passed."""
    series = meters.series
    yield from family(
        "pointsman_requests_total",
        "counter",
        "Client requests that have ended.",
        (
            ({**_of(key), "state": state}, getattr(one, state))
            for key, one in series.items()
            for state in ("done", "failed", "cancelled")
        ),
    )
    yield from family(
        "pointsman_tokens_total",
        "counter",
        "Tokens used; kinds do not overlap, but reasoning is inside output.",
        (
            ({**_of(key), "kind": kind}, getattr(one, kind))
            for key, one in series.items()
            for kind in ("input", "cache_read", "cache_write", "output", "reasoning")
        ),
    )
    yield from family(
        "pointsman_cost_dollars_total",
        "counter",
        "Dollars spent, as far as prices are known.",
        ((_of(key), one.cost / 1e9) for key, one in series.items()),
    )
    yield from family(
        "pointsman_unpriced_requests_total",
        "counter",
        "Requests whose price is not known: the dollars are then a lower bound.",
        ((_of(key), one.unpriced) for key, one in series.items()),
    )
    yield from histogram(
        "pointsman_request_duration_seconds",
        "Time until the answer was whole.",
        {key: one.duration for key, one in series.items()},
    )
    yield from histogram(
        "pointsman_time_to_first_token_seconds",
        "Time until the first token.",
        {key: one.ttft for key, one in series.items()},
    )


def services(views: Sequence[ServiceView], outcomes: Mapping[str, Mapping[str, int]]) -> list[str]:
    """How everything is. "off" and "unknown" are not down: they have no sample."""
    said = [s for s in views if s.state in ("up", "degraded", "down")]
    return [
        *family(
            "pointsman_service_up",
            "gauge",
            "1 up, 0.5 degraded, 0 down.",
            (
                (
                    {"service": s.name, "kind": s.kind, "mode": s.mode},
                    {"up": 1, "degraded": 0.5}.get(s.state, 0),
                )
                for s in said
            ),
        ),
        *family(
            "pointsman_attempts_total",
            "counter",
            "Calls of providers, by how they ended.",
            (
                ({"provider": provider, "outcome": outcome}, count)
                for provider, ended in outcomes.items()
                for outcome, count in ended.items()
            ),
        ),
    ]


def _of(key: Key) -> dict[str, str]:
    door, provider, model, simulated = key
    return {
        "door": door,
        "provider": provider or NOBODY,
        "model": model or NOBODY,
        "simulated": "true" if simulated else "false",
    }


def _by_provider(spreads: Mapping[Key, Spread]) -> dict[tuple[str, str], Spread]:
    found: dict[tuple[str, str], Spread] = {}
    for (door, provider, *_), spread in spreads.items():
        total = found.setdefault((door, provider), Spread())
        total.total += spread.total
        total.counts = [a + b for a, b in zip(total.counts, spread.counts, strict=True)]
    return found


def _labels(labels: Labels) -> str:
    inside = ",".join(f'{name}="{value.translate(_ESCAPES)}"' for name, value in labels.items())
    return f"{{{inside}}}" if inside else ""


def _number(value: float) -> str:
    return repr(value) if value != int(value) else str(int(value))
