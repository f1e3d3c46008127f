"""The error lines of the wire checklist (E01-E08), through a whole router: each says its id.

A provider fails in every way on both dialects; the client is told in its own dialect, and nothing
of ours or of the provider's credentials shows.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from typing import Any

import httpx
import msgspec
import pytest

from router.service import Router
from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.router import inside
from tests.stories.provider import anthropic_body, configure, openai_body

DOORS = {"openai": "/litellm/v1/chat/completions", "anthropic": "/litellm/v1/messages"}
KEY = "a-provider-key"
TOML = """
[litellm]
mode = "embedded"
[ccr]
mode = "embedded"
[retry]
retries = 1
backoff = 0.001
longest_wait = 0.01
cooldown = 0
[providers.gone]
base = "http://127.0.0.1:9/v1"
key = "k-1234"
"""
HTML = b"<html><body>Error at /srv/app/main.py</body></html>"
TRACE = msgspec.json.encode(
    {"error": {"message": f"bad key {KEY}\nTraceback (most recent call last):\n  File x"}}
)
Plane = tuple[Router, httpx.AsyncClient]


@pytest.fixture
async def plane(test_home: Home, upstream: FakeUpstream) -> AsyncIterator[Plane]:
    configure(test_home.config, upstream, TOML)
    async with (
        inside.served(test_home) as (router, front),
        httpx.AsyncClient(base_url=front, timeout=10) as http,
    ):
        yield router, http


def body_of(dialect: str, provider: str, **more: Any) -> bytes:
    return (openai_body if dialect == "openai" else anthropic_body)(provider, "hello", **more)


def error_of(dialect: str, answer: httpx.Response) -> dict[str, Any]:
    """E01: the error in the door's own shape, always JSON."""
    assert answer.headers["content-type"].startswith("application/json")
    body = answer.json()
    error: dict[str, Any] = body["error"]
    if dialect == "openai":
        assert set(body) == {"error"}
        assert set(error) >= {"message", "type", "param", "code"}
        assert isinstance(error["code"], str)
    else:
        assert body["type"] == "error"
        assert set(error) == {"type", "message"}
    assert error["message"]
    assert KEY not in answer.text
    assert "Traceback" not in answer.text
    assert "/srv/" not in answer.text
    return error


#: id, what the provider does, the status per door, Anthropic's type, attempts
TABLE: list[tuple[str, Behaviour, dict[str, int], str, int]] = [
    ("E02 400", Behaviour(status=400), {}, "invalid_request_error", 1),
    ("E02 401", Behaviour(status=401), {"openai": 502, "anthropic": 502}, "api_error", 1),
    ("E02 403", Behaviour(status=403), {"openai": 502, "anthropic": 502}, "api_error", 1),
    ("E02 404", Behaviour(status=404), {}, "not_found_error", 1),
    ("E02 408", Behaviour(status=408), {}, "api_error", 2),
    ("E02 413", Behaviour(status=413), {}, "request_too_large", 1),
    ("E02 429", Behaviour(status=429), {}, "rate_limit_error", 2),
    ("E02 500", Behaviour(status=500), {}, "api_error", 2),
    ("E02 503", Behaviour(status=503), {}, "api_error", 2),
    ("E06 529", Behaviour(status=529), {"openai": 503}, "overloaded_error", 2),
    ("E06 no retry", Behaviour(status=422), {}, "invalid_request_error", 1),
    ("E07 HTML", Behaviour(status=502, body=HTML), {}, "api_error", 2),
    ("E07 empty", Behaviour(status=500, body=b""), {}, "api_error", 2),
    ("E07 page for 200", Behaviour(body=HTML), {"openai": 502, "anthropic": 502}, "api_error", 2),
    ("E01 trace", Behaviour(status=500, body=TRACE), {}, "api_error", 2),
]


@pytest.mark.parametrize("provider", DOORS)
@pytest.mark.parametrize("dialect", DOORS)
async def test_E01_E02_E06_E07_each_failure_in_each_dialect(
    plane: Plane, upstream: FakeUpstream, provider: str, dialect: str
) -> None:
    _, http = plane
    for id, behaviour, statuses, type, attempts in TABLE:
        before = len(upstream.requests)
        upstream.default = behaviour
        answer = await http.post(DOORS[dialect], content=body_of(dialect, provider))
        assert answer.status_code == statuses.get(dialect, behaviour.status), id
        error = error_of(dialect, answer)
        if dialect == "anthropic":
            assert error["type"] == type, id
        if "401" in id or "403" in id:
            assert answer.headers["x-should-retry"] == "false", id
            assert "upstream provider" in error["message"], id
        assert len(upstream.requests) - before == attempts, id


@pytest.mark.parametrize("dialect", DOORS)
async def test_E03_what_a_provider_says_of_its_limits_reaches_the_client(
    plane: Plane, upstream: FakeUpstream, dialect: str
) -> None:
    _, http = plane
    said = {
        "retry-after": "17",
        "x-should-retry": "false",
        "anthropic-ratelimit-requests-remaining": "0",
        "x-ratelimit-remaining-tokens": "0",
    }
    upstream.default = Behaviour(status=429, headers={**said, "set-cookie": "a=b"})
    answer = await http.post(DOORS[dialect], content=body_of(dialect, "anthropic"))
    assert {name: answer.headers[name] for name in said} == said
    assert "set-cookie" not in answer.headers
    assert len(upstream.requests) == 1, "x-should-retry: false is obeyed"
    upstream.default = Behaviour(status=429, headers={"x-ratelimit-reset-requests": "1m30s"})
    answer = await http.post(DOORS[dialect], content=body_of(dialect, "openai"))
    assert answer.headers["retry-after"] == "90"


@pytest.mark.parametrize("provider", DOORS)
@pytest.mark.parametrize("dialect", DOORS)
async def test_E04_an_overflow_is_told_so_that_claude_code_compacts(
    plane: Plane, upstream: FakeUpstream, provider: str, dialect: str
) -> None:
    _, http = plane
    words = "This model's maximum context length is 4096 tokens, however you requested 5000 tokens"
    body = msgspec.json.encode({"error": {"message": words, "type": "invalid_request_error"}})
    upstream.default = Behaviour(status=400, body=body)
    answer = await http.post(DOORS[dialect], content=body_of(dialect, provider))
    assert answer.status_code == 400
    error = error_of(dialect, answer)
    if dialect == "anthropic":
        assert error["message"] == "prompt is too long: 5000 tokens > 4096 maximum"
        assert error["type"] == "invalid_request_error"
    else:
        assert error["code"] == "context_length_exceeded"
        assert "ContextWindowExceededError" in error["message"]


@pytest.mark.parametrize("dialect", DOORS)
async def test_E05_who_cannot_be_reached_is_named(plane: Plane, dialect: str) -> None:
    _, http = plane
    answer = await http.post(DOORS[dialect], content=body_of(dialect, "gone,m"))
    assert answer.status_code == 502
    assert "gone" in error_of(dialect, answer)["message"]


@pytest.mark.parametrize("dialect", DOORS)
async def test_E05_a_deadline_is_a_504(plane: Plane, upstream: FakeUpstream, dialect: str) -> None:
    _, http = plane
    upstream.default = Behaviour(stall="headers")
    body = body_of(dialect, "openai", timeout=0.05)
    answer = await http.post(DOORS[dialect], content=body)
    assert answer.status_code == 504
    assert "0.05 s" in error_of(dialect, answer)["message"]


@pytest.mark.parametrize("dialect", DOORS)
async def test_E08_what_rests_is_a_429_with_the_earliest_return(
    test_home: Home, upstream: FakeUpstream, dialect: str
) -> None:
    toml = TOML.replace("cooldown = 0", "cooldown = 5")
    configure(test_home.config, upstream, toml)
    upstream.default = Behaviour(status=429, headers={"retry-after": "30"})
    async with (
        inside.served(test_home) as (_, front),
        httpx.AsyncClient(base_url=front, timeout=10) as http,
    ):
        body = body_of(dialect, "openai")
        first, second = [await http.post(DOORS[dialect], content=body) for _ in range(2)]
    assert (first.status_code, second.status_code) == (429, 429)
    assert len(upstream.requests) == 1
    assert 25 <= int(second.headers["retry-after"]) <= 30
    assert "Try again in" in error_of(dialect, second)["message"]


async def test_V10_fields_that_a_provider_has_no_place_for_are_named(
    plane: Plane, upstream: FakeUpstream
) -> None:
    _, http = plane
    body = body_of("openai", "anthropic", seed=3, logit_bias={"1": 2}, n=1)
    answer = await http.post(DOORS["openai"], content=body)
    assert answer.status_code == 200
    assert set(answer.headers["x-pointsman-dropped"].split(", ")) == {"seed", "logit_bias", "n"}
    assert not {"seed", "logit_bias", "n"} & set(upstream.requests[-1].json)
    same = await http.post(DOORS["openai"], content=body_of("openai", "openai", seed=3))
    assert "x-pointsman-dropped" not in same.headers
