"""Policy over legs: neighbours that stand for one another, and where failures lead."""

from __future__ import annotations

import pytest

from router.cooldowns import Cooldowns
from router.errors import Kind, UpstreamError
from router.loads import Loads
from router.policy import Course, GiveUp, Try, Wait
from router.rules.plan import Candidate
from router.settings import Deployment, RetryPolicy, Target
from router.wishes import NO_WISHES, Wishes
from tests.router.rules.cases import provider

POLICY = RetryPolicy(retries=2, backoff=0.5, allowed_fails=100, cooldown=5.0)


def one(name: str, group: str = "g", branch: str = "", room: int = 0) -> Candidate:
    context = {"": room} if room else {}
    return Candidate(
        provider(name, context=context), "m", name, leg=group, branch=branch, group=group
    )


MAIN = (one("a"), one("b"), one("c"))
ALL = (
    *MAIN,
    one("next", "h"),
    one("big", "i", "too_long:g"),
    one("mild", "j", "refused:g"),
    one("milder", "k", "refused:g"),
)


def walk(
    candidates: tuple[Candidate, ...],
    kinds: list[Kind],
    policy: RetryPolicy = POLICY,
    wishes: Wishes = NO_WISHES,
) -> tuple[str, list[float]]:
    """Who is tried while attempts fail so, and the waits between."""
    course = Course(candidates, policy, Cooldowns(), None, wishes)
    now, tried, waits, failures = 100.0, "", [], iter(kinds)
    while True:
        match course.next(now):
            case Wait(seconds):
                waits.append(seconds)
                now += seconds
            case Try(candidate):
                tried += candidate.provider.name + " "
                kind = next(failures, None)
                if kind is None:
                    return tried.strip(), waits
                status = 429 if kind == "quota" else 500
                course.failed(UpstreamError("no", kind=kind, status=status), now, 0.0)
            case GiveUp():
                return tried.strip() + " end", waits


@pytest.mark.parametrize(
    ("kinds", "tried"),
    [
        # another of the leg at once, each in its turn; then the next leg
        (["upstream"] * 3, "a b c next"),
        (["quota"] * 3, "a b c next"),
        # a key that is refused costs no retry
        (["credential", "credential", "upstream"], "a b c c"),
        (["missing", "missing", "missing"], "a b c next"),
        # what another of the same would refuse too
        (["caller"], "a next"),
        # the branch that was made for it, and no way back
        (["too_long"], "a b"),
        (["too_long", "too_long", "too_long"], "a b c big"),
        (["refused"], "a mild"),
        (["refused", "refused"], "a mild milder"),
        (["refused", "refused", "refused"], "a mild milder end"),
        (["upstream"] * 3 + ["refused"], "a b c next end"),
        (["cancelled"], "a end"),
    ],
)
def test_where_a_failure_leads(kinds: list[Kind], tried: str) -> None:
    assert walk(ALL, kinds)[0] == tried


def test_a_retry_of_the_leg_waits_only_when_all_of_it_were_tried() -> None:
    policy = RetryPolicy(retries=4, backoff=1.0, allowed_fails=100)
    tried, waits = walk(MAIN, ["upstream"] * 4, policy)
    assert (tried, len(waits)) == ("a b c a b", 1)


def test_too_long_goes_only_to_more_room_within_a_leg() -> None:
    legs = (one("s", room=8), one("same", room=8), one("more", room=9))
    assert walk(legs, ["too_long"])[0] == "s more"
    assert walk(legs[:2], ["too_long"])[0] == "s end"


@pytest.mark.parametrize(
    ("policy", "wishes", "kind", "attempts"),
    [
        (RetryPolicy(retries=2), NO_WISHES, "upstream", 3),
        (RetryPolicy(retries=2), Wishes(retries=1), "upstream", 2),
        (RetryPolicy(retries=2, retries_by={"upstream": 4}), NO_WISHES, "upstream", 5),
        (RetryPolicy(retries=2, retries_by={"upstream": 4}), Wishes(retries=1), "upstream", 5),
        (RetryPolicy(retries=2, retries_by={"upstream": 4}), Wishes(retries=0), "upstream", 1),
        (RetryPolicy(retries=2, retries_by={"caller": 1}), NO_WISHES, "caller", 2),
        (RetryPolicy(retries=2, group_retries_by={"g": {"upstream": 0}}), NO_WISHES, "upstream", 1),
        (RetryPolicy(retries=2, group_retries_by={"h": {"upstream": 0}}), NO_WISHES, "upstream", 3),
    ],
)
def test_how_many_retries(policy: RetryPolicy, wishes: Wishes, kind: Kind, attempts: int) -> None:
    tried, _ = walk((one("a"),), [kind] * 9, policy, wishes)
    assert tried == " ".join(["a"] * attempts) + " end"


def test_allowed_fails_are_counted_by_kind_where_a_policy_says_so() -> None:
    policy = RetryPolicy(allowed_fails=0, fails_by={"upstream": 2, "caller": 0})
    cooldowns, a = Cooldowns(), one("a")

    def rests(kind: Kind) -> bool:
        cooldowns.failed(a, UpstreamError("no", kind=kind, status=500), policy, 1.0)
        return cooldowns.resting(a, 1.0) > 0

    assert [rests("upstream") for _ in range(3)] == [False, False, True]
    cooldowns.succeeded(a)
    assert rests("caller")
    own = Candidate(
        a.provider, "m", "", deployment=Deployment("g", Target("a", "m"), cooldown=77.0)
    )
    cooldowns.succeeded(a)
    cooldowns.failed(own, UpstreamError("no", kind="timeout", status=504), policy, 1.0)
    assert cooldowns.resting(own, 1.0) == 77.0


def test_bounds_free_up_with_the_minute_and_places_as_requests_end() -> None:
    loads = Loads()
    bounded = Deployment("g", Target("a", "m"), id="1", rpm=2, tpm=100, parallel=1, counted=True)
    loads.began(bounded, 30.0)
    assert (loads.full(bounded), loads.spent(bounded, 30.0)) == (True, 0.0)
    loads.ended(bounded, 31.0, 100, 0.01)
    assert (loads.full(bounded), loads.spent(bounded, 45.0)) == (False, 15.0)
    assert loads.spent(bounded, 60.0) == 0.0
    loads.began(bounded, 61.0)
    loads.ended(bounded, 61.0, 1, None)
    loads.began(bounded, 62.0)
    assert loads.spent(bounded, 90.0) == 30.0
    assert loads.pace(bounded) == 0.01
