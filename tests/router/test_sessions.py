"""What a session has shown puts the next decision right: C02, and the price of a warm cache."""

from __future__ import annotations

from typing import Any

import msgspec
import pytest

from router.caller import Caller
from router.contract import Facts
from router.formats.anthropic_messages.parse import parse_request
from router.messages import Finish, Start, Usage, UsageSeen
from router.record import Attempt, Record
from router.rules import decide
from router.rules.plan import Candidate
from router.sessions import REMEMBERED, Sessions, switch_cost
from router.settings import Price, Routes
from router.situation import Means, situation
from router.tally import Tally
from tests.router.rules.cases import PROVIDERS, ROUTES, generation, names, provider, routes

PRICED = Price(input=3_000, output=15_000, cache_read=300, cache_write=3_750)
ME = Caller("ccr", "ccr", {}, session="s1")


async def answered(
    sessions: Sessions,
    counted: int,
    usage: Usage,
    *,
    caller: Caller = ME,
    at: float = 1_000.0,
    **facts: Any,
) -> None:
    """One answer of anth,claude-x went by."""
    record = Record("r", caller, "anthropic_messages", "chat", at, 0.0, 0.5)
    record.facts = Facts(**{"tokens": counted, "tokens_exact": True, **facts})
    attempt = Attempt(1, Candidate(PROVIDERS["anth"], "claude-x", ""), "", at, 0.0)
    attempt.outcome, attempt.answered, attempt.price = "ok", True, PRICED
    attempt.tally = Tally(counted)
    for event in (Start("m", "claude-x"), UsageSeen(usage), Finish("end_turn")):
        attempt.tally.feed(event)
    record.attempts.append(attempt)
    sessions.learn(record, at)


def words(count: int) -> str:
    return "alpha beta gamma delta epsilon " * (count // 5)


def body(text: str) -> bytes:
    return msgspec.json.encode(
        {"model": "claude-x-1", "max_tokens": 9, "messages": [{"role": "user", "content": text}]}
    )


async def test_C02_the_sessions_own_ratio_corrects_the_count() -> None:
    """The provider found 1.3 tokens for each of ours: 50,000 of ours are then over 60,000."""
    means, request = Means(), parse_request(body(words(50_000)))
    plain = await situation(means, request, ME, generation())
    assert (plain.facts.counted, decide(plain).rule) == (0, "default")
    await answered(means.sessions, 10_000, Usage(input=1_000, cache_read=12_000))
    case = await situation(means, request, ME, generation())
    counted = case.facts.counted
    assert 49_000 < counted < 51_500
    assert case.facts.tokens == round(counted * 1.3)
    assert decide(case).rule == "longContext"
    other = Caller("ccr", "ccr", {}, session="s2")
    assert (await situation(means, request, other, generation())).facts.tokens == counted
    strict = generation(routes=routes(Routes(targets=ROUTES.targets), strict=True))
    assert (await situation(means, request, ME, strict)).facts.tokens < 51_500


@pytest.mark.parametrize(
    ("counted", "usage", "facts"),
    [
        (900, Usage(input=1_300), {}),  # too short to tell
        (10_000, Usage(input=40_000), {}),  # no tokenizer differs so much
        (10_000, Usage(input=100), {}),  # a provider that counts only the uncached part
        (10_000, Usage(input=13_000), {"tokens_exact": False}),  # our side was a guess
        (10_000, Usage(input=13_000), {"side_call": "title"}),  # another prompt
        (10_000, Usage(input=13_000, estimated=True), {}),  # theirs was one
    ],
)
async def test_C02_what_tells_nothing_changes_nothing(
    counted: int, usage: Usage, facts: dict[str, Any]
) -> None:
    sessions = Sessions()
    await answered(sessions, counted, usage, **facts)
    seen = sessions.get("s1")
    assert seen is None or seen.ratio == 1.0


async def test_a_ratio_outlives_an_answer_that_tells_none() -> None:
    sessions = Sessions()
    await answered(sessions, 10_000, Usage(input=12_000))
    await answered(sessions, 500, Usage(input=650))
    seen = sessions.get("s1")
    assert seen is not None
    assert seen.ratio == pytest.approx(1.2)


async def test_the_memory_is_bounded_and_agents_have_their_own() -> None:
    sessions = Sessions()
    agent = Caller("ccr", "ccr", {}, session="s1", agent="a1")
    await answered(sessions, 10_000, Usage(input=12_000), caller=agent)
    assert sessions.get("s1") is None
    assert sessions.get("s1", "a1") is not None
    for number in range(REMEMBERED):
        caller = Caller("ccr", "ccr", {}, session=f"n{number}")
        await answered(sessions, 10_000, Usage(input=12_000), caller=caller)
    assert sessions.get("s1", "a1") is None
    assert len(sessions.under("everywhere")) == REMEMBERED


async def test_leaving_a_warm_cache_says_what_it_costs() -> None:
    """30,000 tokens at $0.30 per million would be read anew at $2: $0.051 more."""
    means = Means()
    dear = provider("gem", "g", prices={"g": Price(input=2_000, output=1)})
    config = generation(providers={**PROVIDERS, "gem": dear})
    await answered(means.sessions, 30_000, Usage(input=10, cache_read=29_000, cache_write=1_000))

    async def looks(model: str, at: float) -> list[str]:
        request = parse_request(body("hi").replace(b"claude-x-1", model.encode()))
        plan = decide(await situation(means, request, ME, config, at=at))
        assert names(plan) == [model]
        return [f"{x.value}: {x.note}" for x in plan.looks if x.rule == "warm cache"]

    assert await looks("gem,g", 1_100.0) == [
        "30,000 tokens at anth,claude-x: the switch reads them anew: about $0.0510 more"
    ]
    assert await looks("maxtok,m1", 1_100.0) == [
        "30,000 tokens at anth,claude-x: the switch reads them anew: what that costs is not known"
    ]
    assert await looks("anth,claude-x", 1_100.0) == []
    assert await looks("gem,g", 1_301.0) == []  # cold after five minutes
    await answered(means.sessions, 30_000, Usage(cache_read=29_000, cache_write_1h=1_000))
    assert await looks("gem,g", 1_301.0) != []  # but after an hour


async def test_an_override_meets_the_sessions_of_its_scope() -> None:
    sessions = Sessions()
    for session, agent, key in (("s1", "", "k1"), ("s1", "a1", "k1"), ("s2", "", "k2")):
        caller = Caller("ccr", "ccr", {}, session=session, agent=agent, key=key)
        await answered(sessions, 10_000, Usage(input=12_000), caller=caller)
    scopes = {"everywhere": 3, "session:s1": 2, "key:k2": 1, "scenario:think": 0, "scenario:": 3}
    assert {scope: len(sessions.under(scope)) for scope in scopes} == scopes


async def test_what_a_switch_costs() -> None:
    sessions = Sessions()
    await answered(sessions, 30_000, Usage(input=10, cache_read=1_000))
    seen = sessions.get("s1")
    assert seen is not None
    assert switch_cost(seen, Price(input=100)) == 0  # cheaper new than warm
    assert switch_cost(seen, Price(input=500)) == 200_000
    assert switch_cost(seen, Price(input=500, cache_write=800)) == 500_000
    assert switch_cost(seen, Price()) is None
