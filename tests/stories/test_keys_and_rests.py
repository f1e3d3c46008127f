"""Several keys of one provider, and when a provider that asked for rest is asked again."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import AsyncIterator

import httpx
import pytest

from storage.home import Home
from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.router import inside

MESSAGES = "/ccr/v1/messages"
BODY = {"model": "many,m", "max_tokens": 9, "messages": [{"role": "user", "content": "hi"}]}
OWN = """
[litellm]
mode = "embedded"
[ccr]
mode = "embedded"
[retry]
backoff = 0.01
[providers.many]
base = "%s"
keys = ["first-key", { key = "second-key", weight = 3 }, "third-key"]
"""
CCR = """{"Providers": [{"name": "many", "api_base_url": "%s/chat/completions", "models": ["m"],
 "api_key": "first-key", "api_keys": [{"key": "second-key", "weight": 3}, "third-key"]}],
 "Router": {"default": "many,m"}}"""


def key_of(seen: Seen) -> str:
    return seen.headers["authorization"].removeprefix("Bearer ")


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


def configure(home: Home, upstream: FakeUpstream, dialect: str = "own") -> None:
    home.config.mkdir(parents=True, exist_ok=True)
    if dialect == "ccr":
        home.ccr_json.parent.mkdir(parents=True, exist_ok=True)
        home.ccr_json.write_text(CCR % upstream.base)
    else:
        home.toml.write_text(OWN % upstream.base)


@pytest.mark.parametrize("dialect", ["own", "ccr"])
async def test_keys_share_the_load_by_weight(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient, dialect: str
) -> None:
    configure(test_home, upstream, dialect)
    async with inside.served(test_home) as (router, front):
        chances = iter(step / 50 for step in range(50))
        router.chance = lambda: next(chances, 0.0)
        for _ in range(50):
            assert (await http.post(front + MESSAGES, json=BODY)).status_code == 200
    used = Counter(key_of(seen) for seen in upstream.requests)
    assert used == {"first-key": 10, "second-key": 30, "third-key": 10}


async def test_a_key_that_is_refused_or_spent_gives_way_to_the_next_and_rests_alone(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient
) -> None:
    configure(test_home, upstream)
    refused = Behaviour(status=401), Behaviour(status=429, headers={"retry-after": "40"})

    def script(seen: Seen) -> Behaviour | None:
        return {"first-key": refused[0], "second-key": refused[1]}.get(key_of(seen))

    upstream.script = script
    async with inside.served(test_home) as (router, front):
        router.chance = lambda: 0.0
        answers = [await http.post(front + MESSAGES, json=BODY) for _ in range(3)]
        assert [answer.status_code for answer in answers] == [200] * 3
        tried = [key_of(seen) for seen in upstream.requests]
        assert tried == ["first-key", "second-key", *["third-key"] * 3]
        assert router.live.recent[-1].attempts == 3
        assert router.ledger.flush(5)
        archive = Archive(test_home.ledger)
        detail = await archive.request(router.live.recent[-1].id)
        await archive.close()
        assert detail is not None
        assert [attempt.reason for attempt in detail.attempts] == [
            "rule model, key 1",
            "retry 1 after credential, key 2",
            "retry 2 after quota, key 3",
        ]
        # when all of them rest, the client is told when the first is back
        upstream.script = lambda seen: refused[1]
        spent = await http.post(front + MESSAGES, json=BODY)
        waits = await http.post(front + MESSAGES, json=BODY)
    assert (spent.status_code, waits.status_code) == (429, 429)
    assert len(upstream.requests) == 6, "nobody was asked that asked for rest"
    assert 0 < int(waits.headers["retry-after"]) <= 5, "the refused key is back first"


async def test_after_a_rest_exactly_one_of_many_asks(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient
) -> None:
    configure(test_home, upstream)
    upstream.default = Behaviour(status=429, headers={"retry-after": "40"})
    async with inside.served(test_home) as (router, front):
        await http.post(front + MESSAGES, json=BODY)
        assert len(upstream.requests) == 3
        real, past = router.now, 41.0
        router.now = lambda: real() + past
        upstream.default = Behaviour(stall="headers")
        waiting = [asyncio.create_task(http.post(front + MESSAGES, json=BODY)) for _ in range(12)]
        await upstream.arrived(6)
        done, _ = await asyncio.wait(waiting, return_when=asyncio.FIRST_COMPLETED)
        while len(done) < 9:
            more, _ = await asyncio.wait(set(waiting) - done, return_when=asyncio.FIRST_COMPLETED)
            done |= more
        told = {(task.result().status_code, task.result().headers["retry-after"]) for task in done}
        assert told == {(429, "1")}, "a probe may end at any moment"
        assert len(upstream.requests) == 6, "one probe for each key"
        upstream.release.set()
        answers = await asyncio.gather(*waiting)
        assert sorted(answer.status_code for answer in answers) == [200] * 3 + [429] * 9
        assert (await http.post(front + MESSAGES, json=BODY)).status_code == 200


@pytest.mark.parametrize(
    ("headers", "least", "most"),
    [
        ({"retry-after": "300"}, 299, 300),
        ({"x-ratelimit-reset-requests": "5m0s"}, 299, 300),
        (
            {
                "date": "Sun, 22 Nov 2026 12:00:00 GMT",
                "retry-after": "Sun, 22 Nov 2026 12:05:00 GMT",
            },
            299,
            300,
        ),
        ({"retry-after": "999999999"}, 3599, 3600),
    ],
)
async def test_e03_a_named_return_is_believed_in_every_form_up_to_an_hour(
    test_home: Home,
    upstream: FakeUpstream,
    http: httpx.AsyncClient,
    headers: dict[str, str],
    least: int,
    most: int,
) -> None:
    test_home.config.mkdir(parents=True, exist_ok=True)
    test_home.toml.write_text(
        (OWN % upstream.base).replace(
            'keys = ["first-key", { key = "second-key", weight = 3 }, "third-key"]',
            'key = "k-1234"',
        )
    )
    upstream.default = Behaviour(status=429, headers=headers)
    async with inside.served(test_home) as (_, front):
        await http.post(front + MESSAGES, json=BODY)
        told = await http.post(front + MESSAGES, json=BODY)
    assert told.status_code == 429
    assert least <= int(told.headers["retry-after"]) <= most
    assert len(upstream.requests) == 1
