"""How often, when and whether again: a pure state machine, with the clock and chance handed in.

A Course leads one request over its candidates until the first byte reached the client (then its
caller simply asks no more). Neighbours of one leg (the keys of a provider, the deployments of a
group) stand for one another: a retry goes to the next of them at once, else it waits.
"""

from __future__ import annotations

from collections.abc import Sequence
from itertools import groupby
from typing import Literal

from msgspec import Struct

from router.cooldowns import Cooldowns
from router.errors import Kind, RequestError, UpstreamError
from router.loads import TIMED_OUT, Loads
from router.rules.guard import context_of
from router.rules.plan import Candidate
from router.settings import Deployment, RetryPolicy
from router.wishes import NO_WISHES, Wishes

Answer = Literal["again", "other", "next", "stop"]

#: what a failure leads to: the same leg again (later, or at another of it), only another of the
#: same leg, the next leg, or the end.
#: "caller" moves on because two servers seldom refuse the same body: LiteLLM and CCR do so too.
ANSWERS: dict[Kind, Answer] = {
    "connect": "again",
    "overload": "again",
    "quota": "again",
    "timeout": "again",
    "upstream": "again",
    "credential": "other",
    "missing": "other",
    "too_long": "other",
    "refused": "next",
    "caller": "next",
    "cancelled": "stop",
    "ours": "stop",
}
#: a deadline already cost its whole time: it is not spent more than twice on one leg
MOST_TIMEOUTS = 2
#: seconds until a full deployment is looked at again although nothing on it has ended
MOST_PATIENCE = 60.0


class Try(Struct, frozen=True):
    """Call this candidate now. `number` counts attempts of the request from 1."""

    candidate: Candidate
    number: int
    reason: str


class Wait(Struct, frozen=True):
    """Ask again after so many seconds; where a deployment is `full`, when it has a place."""

    seconds: float
    full: Deployment | None = None


class GiveUp(Struct, frozen=True):
    error: RequestError


Step = Try | Wait | GiveUp


class Course:
    """One request's way over its candidates: `next` says what to do, `failed` what came of it."""

    _leg = 0
    _at = 0  # where in the leg the next attempt looks first
    _tried = 0  # attempts on this leg
    _moved = 0  # of them, those that only led to another of the leg
    _number = 0  # attempts of this request
    _not_before = 0.0
    _running: Candidate | None = None
    _began = 0.0
    _last: UpstreamError | None = None
    #: what the client is told in the end: the last words of the leg first tried
    _error: UpstreamError | None = None
    _first = -1
    _over = False
    _mended = False

    def __init__(
        self,
        candidates: Sequence[Candidate],
        policy: RetryPolicy,
        cooldowns: Cooldowns,
        loads: Loads | None = None,
        wishes: Wishes = NO_WISHES,
    ) -> None:
        self._legs = _legs(candidates)
        self._policy = policy
        self._cooldowns = cooldowns
        self._loads = loads
        self._wishes = wishes
        self._alone = len(candidates) == 1
        if wishes.fails_with is not None:
            self._feign(wishes.fails_with)

    def next(self, now: float) -> Step:
        """What to do now. Call it after each `failed`, and again after each Wait."""
        while not self._over and self._leg < len(self._legs):
            if now < self._not_before:
                return Wait(self._not_before - now)
            full = None
            for candidate in self._in_turn() if self._at else self._legs[self._leg]:
                deployment = candidate.deployment
                if deployment is not None and deployment.counted and self._loads is not None:
                    if self._loads.spent(deployment, now) > 0:
                        continue
                    if self._loads.full(deployment):
                        resting = self._cooldowns.resting(candidate, now)
                        full = deployment if full is None and not resting else full
                        continue
                if self._cooldowns.begin(candidate, now, alone=self._alone):
                    return self._try(candidate, now)
            if full is not None:
                return Wait(MOST_PATIENCE, full)
            self._leave("quota")
        return GiveUp(self._error or self._all_rest(now))

    def failed(self, error: UpstreamError, now: float, jitter: float) -> None:
        """The attempt failed before its first byte reached the client. `jitter` in [0, 1)."""
        candidate, leg = self._ended(now, timed_out=error.kind == "timeout"), self._legs[self._leg]
        # kept: its way up leads past who runs this course, which would be a ring for the collector
        error.__traceback__ = None
        self._last = error
        if self._leg == self._first:
            self._error = error
        if error.mended and not self._mended:
            self._mended = True
            self._moved += 1
            self._cooldowns.left(candidate)
            return  # the same one, at once
        others = len(leg) > 1
        self._cooldowns.failed(candidate, error, self._policy, now, others=others)
        answer = ANSWERS[error.kind]
        most = self._most(candidate, error)
        if answer == "stop":
            self._error = error
            self._over = True
        elif (answer == "again" or most is not None) and self._again(candidate, error, most):
            self._at = (self._at + 1) % len(leg)
            awake = [one for one in leg if not self._cooldowns.resting(one, now)] if others else []
            if others and not awake:
                self._leave(error.kind, candidate)
            elif not others or awake == [candidate] or self._tried % len(leg) == 0:
                self._not_before = now + self._delay(error, jitter)
        elif answer == "other" and self._tried < len(leg):
            self._moved += 1
            self._at += 1
            if error.kind == "too_long" and not self._roomier(leg, candidate):
                self._leave(error.kind, candidate)
        else:
            self._leave(error.kind, candidate)

    def succeeded(self, now: float, tokens: int = 0, seconds: float | None = None) -> None:
        """The attempt answered; `seconds` to its first token, where it streamed."""
        candidate = self._ended(now, tokens, seconds)
        self._cooldowns.succeeded(candidate)

    def left(self, now: float = 0.0) -> None:
        """The request ended otherwise: its client left, or the operator stopped it. Idempotent."""
        if self._running is not None:
            self._cooldowns.left(self._ended(now, told=False))

    # ── within a leg ──────────────────────────────────────────────────────────────────────────

    def _in_turn(self) -> Sequence[Candidate]:
        leg = self._legs[self._leg]
        at = self._at % len(leg)
        return leg[at:] + leg[:at]

    def _try(self, candidate: Candidate, now: float) -> Try:
        if not self._alone:
            leg = self._legs[self._leg]
            self._at = next(place for place, one in enumerate(leg) if one is candidate)
        self._tried += 1
        self._number += 1
        self._running, self._began = candidate, now
        if self._first < 0:
            self._first = self._leg
        if candidate.deployment is not None and candidate.deployment.counted and self._loads:
            self._loads.began(candidate.deployment, now)
        reason = candidate.reason
        if self._tried > 1 and self._last is not None:
            again = f"retry {self._tried - 1} after {self._last.kind}"
            reason = "without what it refused" if self._last.mended else again
        if candidate.provider.slot:
            reason += f", key {candidate.provider.slot}"
        return Try(candidate, self._number, reason)

    def _ended(
        self,
        now: float,
        tokens: int = 0,
        seconds: float | None = None,
        *,
        told: bool = True,
        timed_out: bool = False,
    ) -> Candidate:
        candidate, self._running = self._running, None
        assert candidate is not None
        deployment = candidate.deployment
        if deployment is not None and deployment.counted and self._loads is not None:
            pace = TIMED_OUT if timed_out else None
            if told and tokens:
                pace = seconds if seconds is not None else (now - self._began) / tokens
            self._loads.ended(deployment, now, tokens, pace)
        return candidate

    def _most(self, candidate: Candidate, error: UpstreamError) -> int | None:
        """Retries that were configured for this kind of failure; None: nothing was said of it. A
        request that asks for none is obeyed, as LiteLLM does."""
        policy, wished = self._policy, _wishes(candidate, self._wishes).retries
        if (not policy.retries_by and not policy.group_retries_by) or wished == 0:
            return None
        return policy.group_retries_by.get(candidate.group, policy.retries_by).get(error.kind)

    def _again(self, candidate: Candidate, error: UpstreamError, most: int | None) -> bool:
        """Whether the same leg is worth another attempt."""
        deployment = candidate.deployment
        if most is None:
            most = _wishes(candidate, self._wishes).retries
        if most is None and deployment is not None:
            most = deployment.retries
        if most is None:
            most = self._policy.retries
        others = len(self._legs[self._leg]) > 1
        if error.kind == "timeout" and not others:
            most = min(most, MOST_TIMEOUTS - 1)
        if self._tried - self._moved > most:
            return False
        if others:
            return True
        if error.status == 402 or (error.retry_after or 0.0) > self._policy.longest_wait:
            return False  # an account without money has none a moment later
        return ("x-should-retry", "false") not in {(k.lower(), v.lower()) for k, v in error.headers}

    def _roomier(self, leg: Sequence[Candidate], failed: Candidate) -> bool:
        """Whether the rest of the leg may hold more; goes to where it does."""
        while self._at < len(leg) and not _holds_more(leg[self._at], failed):
            self._at += 1
        return self._at < len(leg)

    def _delay(self, error: UpstreamError, jitter: float) -> float:
        """Seconds: doubling, spread over the upper half by jitter; never less than was asked."""
        policy = self._policy
        backoff = min(policy.longest_wait, policy.backoff * 2.0 ** (self._tried - 1))
        return max(min(error.retry_after or 0.0, policy.longest_wait), backoff * (0.5 + jitter / 2))

    # ── from leg to leg ───────────────────────────────────────────────────────────────────────

    def _leave(self, kind: Kind, failed: Candidate | None = None) -> None:
        """To the leg that this failure leads to: the branch made for it, else the next of its own
        branch, for a prompt that was too long one with more room."""
        here = self._legs[self._leg][0]
        own = f"{kind}:{here.group}"
        places = [p for p, leg in enumerate(self._legs) if here.group and leg[0].branch == own]
        if not places:
            places = [
                place
                for place in range(self._leg + 1, len(self._legs))
                if self._legs[place][0].branch == here.branch
                and (kind != "too_long" or not failed or _holds_more(self._legs[place][0], failed))
            ]
        self._leg = places[0] if places else len(self._legs)
        self._at = self._tried = self._moved = 0
        self._not_before = 0.0

    def _feign(self, kind: Kind) -> None:
        """As if the first leg had failed so: LiteLLM's mock_testing_fallbacks."""
        words = f"a failure of the first model group ({kind}) was asked for by mock_testing"
        status = {"upstream": 500, "quota": 429}.get(kind, 400)
        self._error = UpstreamError(words, kind=kind, status=status)
        self._first = 0
        self._leave(kind)

    def _all_rest(self, now: float) -> UpstreamError:
        """Nobody may be asked: 429, with the earliest return."""
        candidates = [candidate for leg in self._legs for candidate in leg]
        rests = [(self._until(c, now), place) for place, c in enumerate(candidates)]
        seconds, place = min(rests)
        soonest = candidates[place]
        whole = max(1, -int(-seconds // 1))
        name = f"{soonest.provider.name},{soonest.model}"
        who = name if self._alone else f"all {len(rests)} candidates"
        words = f"{who} failed too often and rests: try again in {whole} s"
        if soonest.group:
            words = (  # LiteLLM's own: clients match on them
                f"No deployments available for selected model, Try again in {whole} seconds. "
                f"Passed model={candidates[0].group}."
            )
        return UpstreamError(
            words,
            kind="quota",
            status=429,
            provider=soonest.provider.name,
            model=soonest.model,
            retry_after=max(seconds, 0.001),
            headers=(("retry-after", str(whole)),),
        )

    def _until(self, candidate: Candidate, now: float) -> float:
        seconds = self._cooldowns.returns(candidate, now, alone=self._alone)
        if candidate.deployment is not None and self._loads is not None:
            seconds = max(seconds, self._loads.spent(candidate.deployment, now))
        return seconds


def _legs(candidates: Sequence[Candidate]) -> tuple[tuple[Candidate, ...], ...]:
    """Neighbours of one leg together; a candidate without one stands for itself."""
    if len(candidates) == 1:
        return ((candidates[0],),)
    legs: list[tuple[Candidate, ...]] = []
    for (leg, _), found in groupby(candidates, lambda one: (one.leg, one.branch)):
        members = tuple(found)
        legs += [members] if leg else [(one,) for one in members]
    return tuple(legs)


def _wishes(candidate: Candidate, of_request: Wishes) -> Wishes:
    return of_request if candidate.other is None else candidate.other.wishes


def _holds_more(candidate: Candidate, than: Candidate) -> bool:
    """Whether it may hold what the other could not: known to hold more, or not known, or asked
    otherwise."""
    room, other = context_of(than), context_of(candidate)
    return room is None or other is None or other > room or candidate.other is not None
