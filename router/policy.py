"""How often, when and whether again: pure state machines, with the clock and chance handed in.

A Course leads one request over its candidates until the first byte reached the client (then its
caller simply asks no more). Cooldowns remember, for all requests, which deployments are to rest.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal

from msgspec import Struct

from router.errors import Kind, RequestError, UpstreamError
from router.rules.guard import context_of
from router.rules.plan import Candidate
from router.settings import RetryPolicy

Answer = Literal["again", "next", "stop"]

#: what a failure leads to: the same candidate again (later), the next one, or the end.
#: "caller" moves on because two servers seldom refuse the same body: LiteLLM and CCR do so too.
ANSWERS: dict[Kind, Answer] = {
    "connect": "again",
    "overload": "again",
    "quota": "again",
    "timeout": "again",
    "upstream": "again",
    "credential": "next",
    "missing": "next",
    "too_long": "next",
    "caller": "next",
    "cancelled": "stop",
    "ours": "stop",
}
#: a deadline already cost its whole time: it is not spent more than twice on one candidate
MOST_TIMEOUTS = 2
#: failures that speak of a deployment's health; a refused key or body says nothing about it
ILL: frozenset[Kind] = frozenset({"connect", "overload", "quota", "timeout", "upstream"})
#: seconds after which a failure is forgotten
WINDOW = 60.0
#: seconds for which a probe keeps others out; a stream may take long to report back, or never do so
PROBE = 10.0
#: deployments remembered before those that neither rest nor failed of late are let go
REMEMBERED = 1_000


class Try(Struct, frozen=True):
    """Call this candidate now. `number` counts attempts of the request from 1."""

    candidate: Candidate
    number: int
    reason: str


class Wait(Struct, frozen=True):
    """Ask again after so many seconds."""

    seconds: float


class GiveUp(Struct, frozen=True):
    error: RequestError


Step = Try | Wait | GiveUp


# ── deployments that rest ─────────────────────────────────────────────────────────────────────────


@dataclass(slots=True)
class _Rest:
    """State of one deployment. `until` 0: it never rested since it last answered."""

    failures: list[float]
    until: float = 0.0
    probing_until: float = 0.0


class Cooldowns:
    """Which provider and model rests, and until when. Holds only those that failed of late.

    After a rest exactly one request may probe; the others wait for what it learns.
    """

    def __init__(self) -> None:
        self._rests: dict[tuple[str, str], _Rest] = {}

    def __len__(self) -> int:
        """Deployments that are remembered."""
        return len(self._rests)

    def resting(self, candidate: Candidate, now: float) -> float:
        """Seconds until this candidate may be tried; 0 when it may be now."""
        rest = self._rests.get(_key(candidate))
        if rest is None or not rest.until:
            return 0.0
        return max(0.0, rest.until - now, rest.probing_until - now)

    def until(self, provider: str, now: float) -> float | None:
        """When the last resting model of a provider returns, on the caller's clock; None: all are
        in service."""
        ends = [r.until for (name, _), r in self._rests.items() if name == provider]
        latest = max(ends, default=0.0)
        return latest if latest > now else None

    def clear(self, provider: str) -> int:
        """All models of a provider may be tried again. Returns how many rested or had failed."""
        found = [key for key in self._rests if key[0] == provider]
        for key in found:
            del self._rests[key]
        return len(found)

    def begin(self, candidate: Candidate, now: float) -> bool:
        """An attempt starts, after a rest as its probe. False when the candidate rests."""
        if self.resting(candidate, now) > 0:
            return False
        rest = self._rests.get(_key(candidate))
        if rest is not None and rest.until:
            rest.probing_until = now + PROBE
        return True

    def succeeded(self, candidate: Candidate) -> None:
        self._rests.pop(_key(candidate), None)

    def left(self, candidate: Candidate) -> None:
        """An attempt ended without telling anything: a probe is free for another."""
        rest = self._rests.get(_key(candidate))
        if rest is not None:
            rest.probing_until = 0.0

    def failed(
        self, candidate: Candidate, error: UpstreamError, policy: RetryPolicy, now: float
    ) -> None:
        """Puts a deployment to rest that failed more often than is allowed, whose probe failed, or
        that named the time of its return itself. A rest is never shortened."""
        if error.kind not in ILL:
            self.left(candidate)
            return
        rest = self._rests.setdefault(_key(candidate), _Rest([]))
        rest.failures = [at for at in rest.failures if now - at < WINDOW] + [now]
        rest.probing_until = 0.0
        asked = error.retry_after or 0.0
        too_often = len(rest.failures) > policy.allowed_fails
        if policy.cooldown > 0 and (too_often or rest.until or asked > policy.longest_wait):
            rest.until = max(rest.until, now + policy.cooldown, now + asked)
        if len(self._rests) > REMEMBERED:
            self._rests = {
                key: rest
                for key, rest in self._rests.items()
                if rest.until > now or now - rest.failures[-1] < WINDOW
            }


def _key(candidate: Candidate) -> tuple[str, str]:
    return candidate.provider.name, candidate.model


# ── one request ───────────────────────────────────────────────────────────────────────────────────


class Course:
    """One request's way over its candidates: `next` says what to do, `failed` what came of it."""

    def __init__(
        self, candidates: Sequence[Candidate], policy: RetryPolicy, cooldowns: Cooldowns
    ) -> None:
        self._candidates = candidates
        self._policy = policy
        self._cooldowns = cooldowns
        self._place = 0
        self._here = 0  # attempts on this candidate
        self._number = 0  # attempts of this request
        self._not_before = 0.0
        self._running = False
        self._last: UpstreamError | None = None
        #: what the client is told in the end: the last words of the candidate first tried
        self._error: UpstreamError | None = None
        self._first: Candidate | None = None
        self._over = False

    def next(self, now: float) -> Step:
        """What to do now. Call it after each `failed`, and again after each Wait."""
        while not self._over and self._place < len(self._candidates):
            candidate = self._candidates[self._place]
            if now < self._not_before:
                return Wait(self._not_before - now)
            if self._cooldowns.begin(candidate, now):
                return self._try(candidate)
            self._move_on()
        return GiveUp(self._error or self._all_rest(now))

    def _try(self, candidate: Candidate) -> Try:
        self._here += 1
        self._number += 1
        self._running = True
        self._first = self._first or candidate
        if self._here > 1 and self._last is not None:
            return Try(candidate, self._number, f"retry {self._here - 1} after {self._last.kind}")
        return Try(candidate, self._number, candidate.reason)

    def failed(self, error: UpstreamError, now: float, jitter: float) -> None:
        """The attempt failed before its first byte reached the client. `jitter` in [0, 1)."""
        candidate = self._candidates[self._place]
        self._running = False
        self._last = error
        if candidate is self._first:
            self._error = error
        self._cooldowns.failed(candidate, error, self._policy, now)
        answer = ANSWERS[error.kind]
        if answer == "stop":
            self._error = error
            self._over = True
        elif answer == "again" and self._again(error):
            self._not_before = now + self._delay(error, jitter)
        else:
            self._move_on()
            if error.kind == "too_long":
                self._skip_smaller(candidate)

    def succeeded(self, now: float) -> None:
        """The attempt answered."""
        self._running = False
        self._cooldowns.succeeded(self._candidates[self._place])

    def left(self) -> None:
        """The request ended otherwise: its client left, or the operator stopped it. Idempotent."""
        if self._running:
            self._running = False
            self._cooldowns.left(self._candidates[self._place])

    def _again(self, error: UpstreamError) -> bool:
        """Whether the same candidate is worth another attempt."""
        most = self._policy.retries
        if error.kind == "timeout":
            most = min(most, MOST_TIMEOUTS - 1)
        if self._here > most or (error.retry_after or 0.0) > self._policy.longest_wait:
            return False
        return ("x-should-retry", "false") not in {(k.lower(), v.lower()) for k, v in error.headers}

    def _delay(self, error: UpstreamError, jitter: float) -> float:
        """Seconds: doubling, spread over the upper half by jitter; never less than was asked."""
        backoff = min(self._policy.longest_wait, self._policy.backoff * 2.0 ** (self._here - 1))
        return max(error.retry_after or 0.0, backoff * (0.5 + jitter / 2))

    def _move_on(self) -> None:
        self._place += 1
        self._here = 0
        self._not_before = 0.0

    def _skip_smaller(self, failed: Candidate) -> None:
        """Past candidates that are known to hold no more than the one that could not."""
        room = context_of(failed)
        while room is not None and self._place < len(self._candidates):
            other = context_of(self._candidates[self._place])
            if other is None or other > room:
                break
            self._place += 1

    def _all_rest(self, now: float) -> UpstreamError:
        rests = [(self._cooldowns.resting(c, now), c) for c in self._candidates]
        seconds, soonest = min(rests, key=lambda rest: rest[0])
        seconds = max(seconds, 0.001)
        name = f"{soonest.provider.name},{soonest.model}"
        who = name if len(rests) == 1 else f"all {len(rests)} candidates"
        return UpstreamError(
            f"{who} failed too often and rests: try again in {max(1, round(seconds))} s",
            kind="quota",
            status=429,
            provider=soonest.provider.name,
            model=soonest.model,
            retry_after=seconds,
            headers=(("retry-after", str(max(1, -int(-seconds // 1)))),),
        )
