"""Which deployments are to rest, for all requests: a pure state machine, the clock handed in.

A deployment is a provider's model under one of its keys. A rest is never shortened, and after it
exactly one request probes; the others wait for what it learns.
"""

from __future__ import annotations

from dataclasses import dataclass

from router.errors import Kind, UpstreamError
from router.rules.plan import Candidate
from router.settings import RetryPolicy

#: failures that speak of a deployment's health; a refused body says nothing about it
ILL: frozenset[Kind] = frozenset({"connect", "overload", "quota", "timeout", "upstream"})
#: failures after which a deployment rests at once where another can stand in for it: its rate is
#: used up, its key is refused. LiteLLM does so too.
AT_ONCE: frozenset[Kind] = frozenset({"quota", "credential"})
#: seconds after which a failure is forgotten
WINDOW = 60.0
#: the longest rest that a provider's word can bring, in seconds: then one probe asks again
LONGEST = 3600.0
#: deployments remembered before those that neither rest nor failed of late are let go
REMEMBERED = 1_000


@dataclass(slots=True)
class _Rest:
    """State of one deployment. `until` 0: it never rested since it last answered."""

    failures: list[tuple[float, Kind]]
    until: float = 0.0
    #: the part of `until` that the provider itself asked for
    asked_until: float = 0.0
    probing_until: float = 0.0


class Cooldowns:
    """Which provider and model rests, and until when. Holds only those that failed of late."""

    def __init__(self) -> None:
        self._rests: dict[tuple[str, str, int], _Rest] = {}

    def __len__(self) -> int:
        """Deployments that are remembered."""
        return len(self._rests)

    def resting(self, candidate: Candidate, now: float, *, alone: bool = False) -> float:
        """Seconds until this candidate may be tried; 0 when it may be now.

        One that is `alone`, with nobody to stand in for it, rests only as long as its provider
        asked for: refusing what might succeed helps nobody.
        """
        rest = self._rests.get(_key(candidate))
        if rest is None or not rest.until or (alone and not rest.asked_until):
            return 0.0
        return max(self.returns(candidate, now, alone=alone), rest.probing_until - now)

    def returns(self, candidate: Candidate, now: float, *, alone: bool = False) -> float:
        """Seconds until its rest is over, as `resting`, but a probe that runs counts for nothing:
        it may bring the candidate back at any moment."""
        rest = self._rests.get(_key(candidate))
        if rest is None:
            return 0.0
        return max(0.0, (rest.asked_until if alone else rest.until) - now)

    def until(self, provider: str, now: float, slot: int | None = None) -> float | None:
        """When the last resting model of a provider, or of one of its keys, returns, on the
        caller's clock; None: all are in service."""
        ends = [
            rest.until
            for (name, _, key), rest in self._rests.items()
            if name == provider and slot in (None, key)
        ]
        latest = max(ends, default=0.0)
        return latest if latest > now else None

    def of(self, provider: str) -> list[tuple[str, int, float]]:
        """(model, number of the key, end on the caller's clock) of each that rests or is probed."""
        return [
            (model, key, rest.until)
            for (name, model, key), rest in self._rests.items()
            if name == provider and rest.until
        ]

    def clear(self, provider: str) -> int:
        """All models of a provider may be tried again. Returns how many rested or had failed."""
        found = [key for key in self._rests if key[0] == provider]
        for key in found:
            del self._rests[key]
        return len(found)

    def begin(self, candidate: Candidate, now: float, *, alone: bool = False) -> bool:
        """An attempt starts, after a rest as its probe. False when the candidate rests."""
        if not self._rests:
            return True
        if self.resting(candidate, now, alone=alone) > 0:
            return False
        rest = self._rests.get(_key(candidate))
        if rest is not None and rest.until:
            rest.probing_until = now + candidate.provider.timeouts.first_byte
        return True

    def succeeded(self, candidate: Candidate) -> None:
        """It answered, or began to: it is in service again."""
        if self._rests:
            self._rests.pop(_key(candidate), None)

    def left(self, candidate: Candidate) -> None:
        """An attempt ended without telling anything: a probe is free for another."""
        rest = self._rests.get(_key(candidate))
        if rest is not None:
            rest.probing_until = 0.0

    def failed(
        self,
        candidate: Candidate,
        error: UpstreamError,
        policy: RetryPolicy,
        now: float,
        *,
        others: bool = False,
    ) -> None:
        """Puts a deployment to rest that failed more often than is allowed, whose probe failed, or
        that named the time of its return itself. `others`: something can stand in for it."""
        kind = error.kind
        at_once = others and kind in AT_ONCE
        if kind not in ILL and not at_once and kind not in policy.fails_by:
            self.left(candidate)
            return
        rest = self._rests.setdefault(_key(candidate), _Rest([]))
        rest.failures = [(at, k) for at, k in rest.failures if now - at < WINDOW] + [(now, kind)]
        rest.probing_until = 0.0
        deployment = candidate.deployment
        own = deployment.cooldown if deployment is not None else None
        cooldown = policy.cooldown if own is None else own
        asked = min(error.retry_after or 0.0, LONGEST)
        if asked <= policy.longest_wait and not at_once:
            asked = 0.0  # short enough to be waited for
        if cooldown > 0 and (asked or at_once or rest.until or _too_often(rest, kind, policy)):
            rest.until = max(rest.until, now + cooldown, now + asked)
            if asked:
                rest.asked_until = max(rest.asked_until, now + asked)
        if len(self._rests) > REMEMBERED:
            self._rests = {
                key: rest
                for key, rest in self._rests.items()
                if rest.until > now or now - rest.failures[-1][0] < WINDOW
            }


def _too_often(rest: _Rest, kind: Kind, policy: RetryPolicy) -> bool:
    allowed = policy.fails_by.get(kind)
    if allowed is None:
        return len(rest.failures) > policy.allowed_fails
    return sum(other == kind for _, other in rest.failures) > allowed


def _key(candidate: Candidate) -> tuple[str, str, int]:
    return candidate.provider.name, candidate.model, candidate.provider.slot
