"""Policy: what a failure leads to, how long to wait, and who rests, over every order of events."""

from __future__ import annotations

import math

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from router.cooldowns import LONGEST, REMEMBERED, WINDOW, Cooldowns
from router.errors import Kind, UpstreamError
from router.policy import ANSWERS, Course, GiveUp, Step, Try, Wait
from router.rules.plan import Candidate
from router.settings import RetryPolicy
from tests.router.rules.cases import provider

A, B, C = (Candidate(provider(name), "m", f"reason {name}") for name in "abc")
POLICY = RetryPolicy(retries=2, backoff=0.5, longest_wait=8.0, allowed_fails=100, cooldown=5.0)
#: how long a probe that does not report keeps others out: as long as a first byte may take
PROBE = A.provider.timeouts.first_byte
EAGER = RetryPolicy(retries=0, allowed_fails=0, cooldown=5.0)


def error(kind: Kind, *, retry_after: float | None = None, again: str = "") -> UpstreamError:
    headers = (("X-Should-Retry", again),) if again else ()
    return UpstreamError(
        f"it was {kind}", kind=kind, status=500, retry_after=retry_after, headers=headers
    )


def walk(
    course: Course, failures: list[UpstreamError], jitter: float = 0.0
) -> tuple[list[tuple[str, str]], list[float], Step]:
    """Lets attempt after attempt fail. Returns who was tried and why, the waits, and the end."""
    now = 100.0
    tried: list[tuple[str, str]] = []
    waits: list[float] = []
    pending = iter(failures)
    while True:
        step = course.next(now)
        if isinstance(step, Wait):
            waits.append(step.seconds)
            now += step.seconds
        elif isinstance(step, Try):
            assert step.number == len(tried) + 1
            tried.append((step.candidate.provider.name, step.reason))
            failure = next(pending, None)
            if failure is None:
                return tried, waits, step
            course.failed(failure, now, jitter)
        else:
            return tried, waits, step


def who(step: Step) -> str:
    """The name of the provider to call; "" when nobody is."""
    return step.candidate.provider.name if isinstance(step, Try) else ""


def course(*candidates: Candidate, policy: RetryPolicy = POLICY) -> Course:
    return Course(candidates or (A, B), policy, Cooldowns())


@pytest.mark.parametrize(
    ("failure", "attempts", "then"),
    [
        (error("connect"), 3, "b"),
        (error("overload"), 3, "b"),
        (error("quota"), 3, "b"),
        (error("upstream"), 3, "b"),
        (error("timeout"), 2, "b"),
        (error("credential"), 1, "b"),
        (error("missing"), 1, "b"),
        (error("too_long"), 1, "b"),
        (error("caller"), 1, "b"),
        (error("cancelled"), 1, ""),
        (error("ours"), 1, ""),
        (error("overload", again="false"), 1, "b"),
        (error("overload", again="true"), 3, "b"),
        (error("quota", retry_after=8.0), 3, "b"),
        (error("quota", retry_after=8.1), 1, "b"),
        (UpstreamError("no credit", kind="quota", status=402), 1, "b"),
    ],
    ids=lambda value: value.kind if isinstance(value, UpstreamError) else None,
)
def test_what_a_failure_leads_to(failure: UpstreamError, attempts: int, then: str) -> None:
    tried, _, end = walk(course(), [failure] * attempts)
    assert [name for name, _ in tried] == ["a"] * attempts + [then] * bool(then)
    assert isinstance(end, Try if then else GiveUp)
    kind = failure.kind
    assert [why for _, why in tried[:3]] == [
        "reason a",
        *(f"retry {n} after {kind}" for n in range(1, attempts)),
        *["reason b"] * bool(then),
    ][:3]


def test_what_can_be_left_out_is_asked_once_more_at_once() -> None:
    """E06: a 400 is not retried; what it refused is not sent again."""
    mended = error("caller")
    mended.mended = True
    tried, waits, end = walk(course(policy=EAGER), [mended, mended])
    assert tried[:2] == [("a", "reason a"), ("a", "without what it refused")]
    assert (waits, who(end)) == ([], "b")


def test_every_kind_has_an_answer() -> None:
    assert set(ANSWERS) == set(Kind.__args__)  # type: ignore[attr-defined]


def test_waits_double_spread_by_jitter_and_never_undercut_what_was_asked() -> None:
    many = RetryPolicy(retries=6, backoff=0.5, longest_wait=3.0, allowed_fails=100)
    down = [error("overload")] * 7
    assert walk(course(A, policy=many), down)[1] == [0.25, 0.5, 1.0, 1.5, 1.5, 1.5]
    most = walk(course(A, policy=many), down, jitter=1.0)[1]
    assert most == [0.5, 1.0, 2.0, 3.0, 3.0, 3.0]
    asked = [error("quota", retry_after=2.5)] * 7
    assert all(wait >= 2.5 for wait in walk(course(A, policy=many), asked)[1])
    moved = walk(course(A, B), [error("quota", retry_after=60.0)])
    assert (moved[1], moved[0][-1][0]) == ([], "b"), "moving on takes no time"


def test_the_client_is_told_what_the_first_candidate_said_last() -> None:
    failures = [error("overload"), error("upstream", again="false"), error("credential")]
    _, _, end = walk(course(A, B), failures)
    assert end == GiveUp(failures[1])
    stopped = error("cancelled")
    _, _, end = walk(course(A, B), [error("missing"), stopped])
    assert end == GiveUp(stopped)


def test_too_long_moves_on_only_to_more_room() -> None:
    small, less, more, unknown = (
        Candidate(provider(name, context={"": room} if room else {}), "m", name)
        for name, room in (("small", 8), ("less", 8), ("more", 9), ("unknown", 0))
    )
    tried, _, _ = walk(course(small, less, more), [error("too_long")])
    assert [name for name, _ in tried] == ["small", "more"]
    tried, _, _ = walk(course(small, less, unknown), [error("too_long")])
    assert [name for name, _ in tried] == ["small", "unknown"]
    tried, _, end = walk(course(small, less), [error("too_long")])
    assert ([name for name, _ in tried], type(end)) == (["small"], GiveUp)


def test_failing_too_often_rests_and_others_pass_by() -> None:
    cooldowns = Cooldowns()
    policy = RetryPolicy(retries=0, allowed_fails=2, cooldown=5.0)

    def fails(now: float, failure: UpstreamError) -> list[str]:
        way, tried = Course((A, A), policy, cooldowns), []
        step = way.next(now)
        if isinstance(step, Try):
            tried.append(step.candidate.provider.name)
            way.failed(failure, now, 0.0)
        return tried

    assert [fails(t, error("upstream")) for t in (0.0, 1.0)] == [["a"], ["a"]]
    assert cooldowns.resting(A, 1.0) == 0
    assert fails(2.0, error("upstream")) == ["a"]
    assert cooldowns.resting(A, 2.0) == 5.0
    assert cooldowns.until("a", 2.0) == 7.0
    assert fails(3.0, error("upstream")) == []
    step = Course((A, B), policy, cooldowns).next(3.0)
    assert isinstance(step, Try)
    assert step.candidate is B
    # neither what the client did wrong nor a refused key speaks of a provider's health
    healthy = Cooldowns()
    for kind in ("caller", "credential", "missing", "too_long"):
        healthy.failed(A, error(kind), EAGER, 0.0)
    assert healthy.resting(A, 0.0) == 0
    # failures that are long ago do not add up
    slow = Cooldowns()
    for at in range(9):
        slow.failed(A, error("upstream"), RetryPolicy(allowed_fails=1), at * WINDOW)
    assert slow.resting(A, 8 * WINDOW) == 0
    # and nothing rests where cooldowns are switched off
    off = Cooldowns()
    off.failed(A, error("quota", retry_after=60.0), RetryPolicy(allowed_fails=0, cooldown=0), 0.0)
    assert off.resting(A, 0.0) == 0


def test_when_all_rest_the_client_is_told_the_earliest_return() -> None:
    cooldowns = Cooldowns()
    cooldowns.failed(A, error("quota", retry_after=30.0), EAGER, 0.0)
    cooldowns.failed(B, error("quota", retry_after=12.0), EAGER, 0.0)
    step = Course((A, B), EAGER, cooldowns).next(2.0)
    assert isinstance(step, GiveUp)
    told = step.error
    assert isinstance(told, UpstreamError)
    assert (told.kind, told.status, told.retry_after) == ("quota", 429, 10.0)
    assert dict(told.headers) == {"retry-after": "10"}
    assert told.provider == "b"


def test_after_a_rest_exactly_one_request_probes() -> None:
    cooldowns = Cooldowns()
    cooldowns.failed(A, error("upstream"), EAGER, 0.0)
    first, second, third = (Course((A, B), EAGER, cooldowns) for _ in range(3))
    assert who(first.next(5.0)) == "a"
    assert who(second.next(5.0)) == "b"
    first.failed(error("upstream"), 6.0, 0.0)
    assert cooldowns.resting(A, 6.0) == 5.0, "the probe failed: it rests again"
    assert who(third.next(11.0)) == "a"
    third.succeeded(12.0)
    assert all(who(Course((A, B), EAGER, cooldowns).next(12.0)) == "a" for _ in range(3))


def test_a_probe_that_never_reports_back_does_not_lock_the_others_out() -> None:
    cooldowns = Cooldowns()
    cooldowns.failed(A, error("upstream"), EAGER, 0.0)
    lost, behind = Course((A, B), EAGER, cooldowns), Course((A, B), EAGER, cooldowns)
    assert who(lost.next(5.0)) == "a"
    assert who(behind.next(4.9 + PROBE)) == "b"
    left = Course((A, B), EAGER, cooldowns)
    assert who(left.next(5.0 + PROBE)) == "a"
    left.left()
    left.left()
    assert who(Course((A, B), EAGER, cooldowns).next(5.0 + PROBE)) == "a"


def test_an_attempt_that_tells_nothing_of_health_frees_the_probe() -> None:
    """What the client did wrong ends a probe without a word on the provider: the next one asks."""
    cooldowns = Cooldowns()
    assert (cooldowns.returns(A, 0.0), cooldowns.of("a"), cooldowns.clear("a")) == (0.0, [], 0)
    cooldowns.failed(A, error("upstream"), EAGER, 0.0)
    cooldowns.failed(C, error("upstream"), POLICY, 0.0)  # once too few to rest
    assert [cooldowns.of(name) for name in "abc"] == [[("m", A.provider.slot, 5.0)], [], []]
    slots = (None, A.provider.slot, A.provider.slot + 1)
    assert [cooldowns.until("a", 0.0, slot) for slot in slots] == [5.0, 5.0, None]
    assert cooldowns.until("b", 0.0, A.provider.slot) is None
    assert (cooldowns.clear("c"), len(cooldowns)) == (1, 1)
    assert who(Course((A, B), EAGER, cooldowns).next(5.0)) == "a"
    assert cooldowns.resting(A, 5.0) == PROBE
    assert cooldowns.resting(A, 5.0, alone=True) == 0.0, "nobody named a time: it need not wait"
    cooldowns.failed(A, error("caller"), EAGER, 6.0)
    assert cooldowns.resting(A, 6.0) == 0.0
    assert (cooldowns.clear("a"), len(cooldowns)) == (1, 0)
    # a rate that is used up rests at once where another stands in, as long as was asked for
    patient = RetryPolicy(allowed_fails=100, cooldown=5.0, longest_wait=20.0)
    cooldowns.failed(A, error("quota", retry_after=12.0), patient, 0.0)
    assert cooldowns.resting(A, 0.0) == 0.0, "short enough to be waited for"
    cooldowns.failed(A, error("quota", retry_after=12.0), patient, 0.0, others=True)
    assert cooldowns.resting(A, 0.0) == cooldowns.resting(A, 0.0, alone=True) == 12.0
    cooldowns.failed(B, error("quota"), patient, 0.0, others=True)
    assert cooldowns.resting(B, 0.0) == 5.0, "nothing was asked for: the policy's own"
    assert cooldowns.resting(B, 0.0, alone=True) == 0.0
    # failures within a window add up at any hour
    short = RetryPolicy(allowed_fails=1, cooldown=0.5)
    for at in (1_000.0, 999.0 + WINDOW):
        cooldowns.failed(C, error("upstream"), short, at)
    assert cooldowns.resting(C, 999.0 + WINDOW) == 0.5


def test_one_that_is_alone_rests_only_as_long_as_its_provider_asked() -> None:
    """Refusing what might succeed helps nobody; but a return that was named is believed."""
    cooldowns = Cooldowns()
    cooldowns.failed(A, error("upstream"), EAGER, 0.0)
    assert who(Course((A, B), EAGER, cooldowns).next(1.0)) == "b"
    assert who(Course((A,), EAGER, cooldowns).next(1.0)) == "a"
    cooldowns.failed(A, error("quota", retry_after=30.0), EAGER, 2.0)
    step = Course((A,), EAGER, cooldowns).next(12.0)
    assert isinstance(step, GiveUp)
    assert isinstance(step.error, UpstreamError)
    assert (step.error.status, dict(step.error.headers)) == (429, {"retry-after": "20"})
    first, second = Course((A,), EAGER, cooldowns), Course((A,), EAGER, cooldowns)
    assert who(first.next(32.0)) == "a"
    assert who(second.next(32.0)) == "", "one probe after a return that was named"
    # a word that would close a provider for days is believed for an hour, then one asks
    cooldowns.failed(A, error("quota", retry_after=1e9), EAGER, 100.0)
    assert cooldowns.resting(A, 100.0) == LONGEST


def test_cooldowns_forget_what_no_longer_matters() -> None:
    cooldowns = Cooldowns()
    cooldowns.failed(A, error("quota", retry_after=LONGEST), POLICY, 0.0)
    lengths = []
    for second in range(1, REMEMBERED + 1):
        wild = Candidate(A.provider, f"made-up-{second}", "")
        cooldowns.failed(wild, error("upstream"), POLICY, float(second))
        lengths.append(len(cooldowns))
    # the last one is one too many: what rests stays, and what failed within the window
    assert lengths[-2:] == [REMEMBERED, 1 + WINDOW]
    assert cooldowns.resting(A, float(REMEMBERED)) == LONGEST - REMEMBERED
    assert [cooldowns.until("a", LONGEST - left) for left in (1.0, 0.0)] == [LONGEST, None]


KINDS = st.sampled_from(sorted(ANSWERS))


class Policies(RuleBasedStateMachine):
    """Requests come, fail, wait and end in any order; what must hold, holds after each step."""

    def __init__(self) -> None:
        super().__init__()
        self.now = 0.0
        self.cooldowns = Cooldowns()
        self.policy = RetryPolicy(retries=2, allowed_fails=1, cooldown=5.0)
        self.courses: list[tuple[Course, int]] = []  # with its attempts
        self.running: list[tuple[Course, int, Candidate]] = []
        self.rests: dict[str, float] = {}  # the latest return that was promised
        self.probed: dict[str, float] = {}

    @rule(seconds=st.floats(0.0, 20.0))
    def time_passes(self, seconds: float) -> None:
        self.now += seconds

    @precondition(lambda self: len(self.courses) + len(self.running) < 8)
    @rule(candidates=st.permutations([A, B, C]), many=st.integers(2, 3))
    def a_request_comes(self, candidates: list[Candidate], many: int) -> None:
        self.courses.append((Course(candidates[:many], self.policy, self.cooldowns), 0))

    @precondition(lambda self: self.courses)
    @rule()
    def it_asks_what_to_do(self) -> None:
        way, attempts = self.courses.pop(0)
        step = way.next(self.now)
        if isinstance(step, Wait):
            assert 0 < step.seconds <= self.policy.longest_wait
            self.courses.append((way, attempts))
        elif isinstance(step, Try):
            attempts += 1
            assert attempts == step.number <= 3 * (1 + self.policy.retries)
            name = step.candidate.provider.name
            promised = self.rests.get(name, -math.inf)
            assert self.now >= promised, "a rest was shortened"
            if promised > -math.inf:
                last = self.probed.get(name, -math.inf)
                assert last < promised or self.now >= last + PROBE, "two probes in one expiry"
                self.probed[name] = self.now
            self.running.append((way, attempts, step.candidate))
        else:
            assert isinstance(step.error, UpstreamError)
            if attempts == 0:
                assert step.error.kind == "quota"
                assert step.error.retry_after is not None
                assert step.error.retry_after > 0

    @precondition(lambda self: self.running)
    @rule(kind=KINDS, asked=st.none() | st.floats(0.0, 60.0), jitter=st.floats(0, 1))
    def its_attempt_fails(self, kind: Kind, asked: float | None, jitter: float) -> None:
        way, attempts, candidate = self.running.pop(0)
        way.failed(error(kind, retry_after=asked), self.now, jitter)
        name = candidate.provider.name
        rest = self.cooldowns.resting(candidate, self.now)
        if rest > 0:
            self.rests[name] = max(self.rests.get(name, -math.inf), self.now + rest - 1e-6)
        elif name in self.rests and ANSWERS[kind] != "again":
            self.probed[name] = -math.inf  # the probe is free again
        self.courses.append((way, attempts))

    @precondition(lambda self: self.running)
    @rule()
    def its_attempt_answers(self) -> None:
        way, _, candidate = self.running.pop(0)
        way.succeeded(self.now)
        self.rests.pop(candidate.provider.name, None)
        self.probed.pop(candidate.provider.name, None)

    @precondition(lambda self: self.running)
    @rule()
    def its_client_leaves(self) -> None:
        way, _, candidate = self.running.pop(0)
        way.left()
        if candidate.provider.name in self.probed:
            self.probed[candidate.provider.name] = -math.inf

    @invariant()
    def who_rests_is_seen_to_rest(self) -> None:
        for candidate in (A, B, C):
            until = self.rests.get(candidate.provider.name, -math.inf)
            if until > self.now:
                assert self.cooldowns.resting(candidate, self.now) >= until - self.now - 1e-3


TestPolicies = Policies.TestCase
TestPolicies.settings = settings(max_examples=60, stateful_step_count=40, deadline=None)
