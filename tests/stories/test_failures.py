"""What a client sees, and what a provider is spared, when a provider fails or is too slow."""

from __future__ import annotations

import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, closing

import httpx
import pytest

from router.contract import RequestDetail
from router.service import Router
from storage.home import Home
from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router import inside
from tests.router.formats.grammar import check_anthropic, check_openai
from tests.stories.provider import anthropic_body, configure, openai_body

CHAT, MESSAGES = "/litellm/v1/chat/completions", "/litellm/v1/messages"
BASE = """
[litellm]
mode = "embedded"
[ccr]
mode = "embedded"
[retry]
backoff = 0.01
"""
PATIENT = "retries = 1\nlongest_wait = 2\ncooldown = 0\n"


class Kept:
    """The newest request, as the ledger has it."""

    def __init__(self, router: Router, front: str) -> None:
        self.router = router
        self.front = front

    async def newest(self) -> RequestDetail:
        assert self.router.ledger.flush(5)
        archive = Archive(self.router.home.ledger)
        try:
            detail = await archive.request(self.router.live.recent[0].id)
        finally:
            await archive.close()
        assert detail is not None
        return detail


@asynccontextmanager
async def served(home: Home, upstream: FakeUpstream, toml: str) -> AsyncIterator[Kept]:
    configure(home.config, upstream, BASE + toml)
    async with inside.served(home) as (router, front):
        yield Kept(router, front)


@pytest.fixture
async def http() -> AsyncIterator[httpx.AsyncClient]:
    async with httpx.AsyncClient(timeout=10) as client:
        yield client


SLOW = {"retry-after": "60"}


@pytest.mark.parametrize("path", [CHAT, MESSAGES])
@pytest.mark.parametrize("stream", [True, False])
@pytest.mark.parametrize(
    ("group", "behaviours", "models", "status"),
    [
        # a request that one refused is not sent there again
        ("openai", [Behaviour(status=400)], ["openai"], 400),
        ("openai-weak", [Behaviour(status=400), Behaviour()], ["openai-weak", "anthropic"], 200),
        ("anthropic", [Behaviour(status=401)], ["anthropic"], 502),
        # trouble may pass
        ("openai", [Behaviour(status=500), Behaviour()], ["openai"] * 2, 200),
        ("anthropic", [Behaviour(status=529)] * 2, ["anthropic"] * 2, 529),
        ("openai", [Behaviour(cut="first"), Behaviour()], ["openai"] * 2, 200),
        (
            "anthropic-weak",
            [Behaviour(status=503)] * 2 + [Behaviour()],
            ["anthropic-weak"] * 2 + ["openai"],
            200,
        ),
        # not before it said
        ("openai", [Behaviour(status=429, headers={"retry-after": "0.2"}), Behaviour()], [], 200),
        # it asked for more than is waited
        ("openai-weak", [Behaviour(status=429, headers=SLOW), Behaviour()], ["openai-weak"], 200),
        ("openai", [Behaviour(status=429, headers=SLOW)], ["openai"], 429),
        # all failed: the first one's words
        (
            "openai-weak",
            [Behaviour(status=400), Behaviour(status=404)],
            ["openai-weak", "anthropic"],
            400,
        ),
    ],
)
async def test_again_or_elsewhere_before_the_first_byte(
    test_home: Home,
    upstream: FakeUpstream,
    http: httpx.AsyncClient,
    path: str,
    stream: bool,
    group: str,
    behaviours: list[Behaviour],
    models: list[str],
    status: int,
) -> None:
    upstream.then(*behaviours)
    body = (openai_body if path == CHAT else anthropic_body)(group, "hello", stream=stream)
    async with served(test_home, upstream, PATIENT) as kept:
        answer = await http.post(kept.front + path, content=body)
        detail = await kept.newest()
    expected = {529: 503}.get(status, status) if path == CHAT else status  # OpenAI has no 529
    assert answer.status_code == expected
    seen = [one.model for one in upstream.requests]
    assert len(seen) == len(behaviours)
    assert seen[: len(models)] == models
    assert [attempt.model for attempt in detail.attempts] == seen
    if status == 200:
        assert answer.text.count("eight") == 1
        assert detail.request.state == "done"
        wait = behaviours[0].headers.get("retry-after")
        if wait == "0.2":
            first, second = detail.attempts
            assert second.started_at - first.started_at >= 0.2
            assert second.reason == "retry 1 after quota"
    else:
        error = answer.json()["error"]
        assert error["type"]
        assert str(behaviours[0].status) in error["message"] or status == 502
        assert detail.request.state == "failed"
        assert detail.request.cost == 0
        if status == 429:
            assert answer.headers["retry-after"] == "60"


async def test_one_that_fails_often_rests(
    test_home: Home, upstream: FakeUpstream, http: httpx.AsyncClient
) -> None:
    upstream.default = Behaviour(status=429, headers={"retry-after": "500"})
    toml = "retries = 0\nallowed_fails = 1\ncooldown = 600\n"
    async with served(test_home, upstream, toml) as kept:
        body = openai_body("openai", "hello")
        told = [await http.post(kept.front + CHAT, content=body) for _ in range(3)]
        assert [answer.status_code for answer in told] == [429] * 3
        # until then it is spared, though nobody stands in for it: it named the time itself
        assert 490 < int(told[2].headers["retry-after"]) <= 500
        assert len(upstream.requests) == 1
        detail = await kept.newest()
        assert detail.attempts == ()
        assert detail.request.state == "failed"
        # one that only fails is asked again: refusing what might succeed helps nobody
        upstream.default = Behaviour(status=500)
        body = openai_body("openai-dark", "hello")
        told = [await http.post(kept.front + CHAT, content=body) for _ in range(3)]
        assert [answer.status_code for answer in told] == [500] * 3
        # a group with somewhere else to go is not held up by it
        upstream.default = Behaviour()
        upstream.behave("openai-weak", Behaviour(status=500))
        body = openai_body("openai-weak", "hello")
        served_by = [await http.post(kept.front + CHAT, content=body) for _ in range(3)]
        assert [answer.status_code for answer in served_by] == [200] * 3
        # …and its row says that the first choice was not even asked
        view = (await kept.newest()).request
        assert (view.attempts, view.passed.partition(",")[2]) == (1, "openai-weak")
    assert [one.model for one in upstream.requests[4:]] == [
        *("openai-weak", "anthropic", "openai-weak", "anthropic", "anthropic")
    ]


@pytest.mark.parametrize("door", ["/ccr/v1/chat/completions", "/ccr/v1/messages"])
@pytest.mark.parametrize(
    ("limit", "behaviour", "words"),
    [
        ("connect = 0.1", None, "no connection to"),
        ("first_byte = 0.1", Behaviour(stall="headers"), "did not answer within 0.1 s"),
        ("idle = 0.1", Behaviour(stall="middle"), "fell silent for 0.1 s"),
        ("total = 0.3", Behaviour(drip=0.05), "took longer than 0.3 s in all"),
    ],
)
async def test_each_deadline_ends_in_its_own_words(
    test_home: Home,
    upstream: FakeUpstream,
    http: httpx.AsyncClient,
    door: str,
    limit: str,
    behaviour: Behaviour | None,
    words: str,
) -> None:
    chat = door.endswith("completions")
    upstream.default = behaviour or Behaviour()
    with closing(socket.socket()) as deaf, closing(socket.socket()) as first:
        # a listener whose queue is full lets nobody in, and says nothing
        deaf.bind(("127.0.0.1", 0))
        deaf.listen(0)
        first.connect(deaf.getsockname())
        url = upstream.base if behaviour else f"http://127.0.0.1:{deaf.getsockname()[1]}/v1"
        toml = (
            f'retries = 0\n[providers.slow]\nbase = "{url}"\nkey = "a-provider-key"\n'
            f"timeouts = {{ {limit} }}\n"
        )
        async with served(test_home, upstream, toml) as kept:
            body = (openai_body if chat else anthropic_body)("slow,m", "hello", stream=True)
            answer = await http.post(kept.front + door, content=body)
            detail = await kept.newest()
    if "idle" in limit or "total" in limit:
        assert answer.status_code == 200
        error = (check_openai if chat else check_anthropic)(answer.content)["error"]
        assert detail.request.tokens.output > 0
    else:
        assert answer.status_code == 504
        error = answer.json()["error"]
    assert words in error["message"]
    (attempt,) = detail.attempts
    assert attempt.outcome == ("connect" if behaviour is None else "timeout")
    assert words in attempt.error
    assert detail.request.state == "failed"
