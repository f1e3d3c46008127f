"""What went by of one service: a role, a provider, or one of a provider's keys.

One rule: a request costs it a few additions. What a person would miss after a restart (the strip of
the last hour, the times, the last error) is kept as JSON, and read again by the next router.
"""

from __future__ import annotations

from collections import Counter

import msgspec
from msgspec import Struct

from router.contract import Condition, RequestView, ServiceView
from router.health.pulse import Pulse, percentile
from router.record import Attempt

#: outcomes of attempts that are not the provider's fault, and states of requests that are no errors
INNOCENT = frozenset({"ok", "done", "caller", "cancelled", "too_long"})
#: under which the ledger keeps it
PASSED = "passed"
NEVER = "no request has gone there yet"


#: attempts in a row that failed until a provider counts as down
DOWN = 5
#: failures of late, and their share, from which it is not well though the last attempt was
SHAKY, SHAKY_PART = 3, 0.2


class _Kept(Struct, omit_defaults=True):
    """Of the strip: (number of the span, requests, errors); times in milliseconds."""

    spans: list[tuple[int, int, int]]
    firsts: list[float]
    wholes: list[float]
    last_ok_at: float | None = None
    last_error: str = ""
    last_error_at: float | None = None
    simulated: bool = False


_decoder = msgspec.json.Decoder(_Kept)


class Passed:
    """`outcomes` (of attempts, or the states of requests), and their `requests` and `errors`, since
    the router started; the rest since ever."""

    def __init__(self, simulated: bool = False) -> None:
        self.simulated = simulated
        self.failed = 0  # attempts in a row
        self.pulse = Pulse()
        self.last_error = ""
        self.last_error_at: float | None = None
        self.last_ok_at: float | None = None
        self.outcomes: Counter[str] = Counter()
        self._kept = 0  # what `requests` was when `kept` was last asked

    @property
    def requests(self) -> int:
        return self.outcomes.total()

    @property
    def errors(self) -> int:
        return sum(count for outcome, count in self.outcomes.items() if outcome not in INNOCENT)

    def attempted(self, attempt: Attempt, at: float) -> None:
        outcome, started = attempt.outcome, attempt.started
        self.outcomes[outcome] += 1
        if outcome == "ok" and attempt.first_byte is not None:  # errors come quickly
            self.pulse.firsts.append((attempt.first_byte - started) * 1000)
        took = None if attempt.ended is None else (attempt.ended - started) * 1000
        if outcome in INNOCENT:
            self.pulse.beat(at, False, took)
            self.last_ok_at = at
            self.failed = 0
        else:
            self.pulse.beat(at, True, took)
            self.failed += 1
            self.last_error = attempt.error or outcome
            self.last_error_at = at

    def served(self, request: RequestView) -> None:
        state, took = request.state, request.duration_ms
        self.outcomes[state] += 1
        if request.ttft_ms is not None:
            self.pulse.firsts.append(request.ttft_ms)
        self.pulse.beat(request.started_at + (took or 0.0) / 1000, state == "failed", took)

    def condition(self, at: float) -> tuple[Condition, str]:
        """As the last attempts, and those of late, showed it, and why."""
        if self.failed >= DOWN:
            return "down", self.last_error
        if self.last_error_at is not None and (self.last_ok_at or 0) < self.last_error_at:
            return "degraded", self.last_error
        requests, errors = self.pulse.late(at)
        if errors >= SHAKY and errors >= requests * SHAKY_PART:
            return "degraded", f"{errors} of {requests} attempts failed of late: {self.last_error}"
        return ("up", "") if self.last_ok_at is not None else ("unknown", NEVER)

    def p50_ms(self) -> float | None:
        return percentile(self.pulse.firsts, 0.5)

    def told(self, view: ServiceView, at: float) -> ServiceView:
        """The view with what went by of late."""
        pulse = self.pulse
        return msgspec.structs.replace(
            view,
            p95_ms=percentile(pulse.firsts, 0.95),
            took_p50_ms=percentile(pulse.wholes, 0.5),
            took_p95_ms=percentile(pulse.wholes, 0.95),
            history=pulse.history(at),
        )

    # ── over a restart ────────────────────────────────────────────────────────────────────────────

    def changed(self) -> bool:
        """Whether something went by since `kept` was last asked."""
        return self.requests != self._kept

    def kept(self) -> str:
        self._kept = self.requests
        pulse = self.pulse
        kept = _Kept(
            [(number, requests, errors) for number, requests, errors in pulse.spans],
            [round(one, 1) for one in pulse.firsts],
            [round(one, 1) for one in pulse.wholes],
            self.last_ok_at,
            self.last_error,
            self.last_error_at,
            self.simulated,
        )
        return msgspec.json.encode(kept).decode()


def restored(data: str) -> Passed | None:
    """From what `kept` gave; None where another version wrote something else."""
    try:
        kept = _decoder.decode(data)
    except msgspec.DecodeError:
        return None
    passed = Passed(kept.simulated)
    passed.pulse.spans.extend([*span] for span in kept.spans)
    passed.pulse.firsts.extend(kept.firsts)
    passed.pulse.wholes.extend(kept.wholes)
    passed.last_ok_at = kept.last_ok_at
    passed.last_error, passed.last_error_at = kept.last_error, kept.last_error_at
    return passed


def of_key(provider: str, slot: int) -> str:
    """The name under which what went by of one of a provider's keys is known."""
    return f"{provider}\n{slot}"
