"""A session with thinking that is switched between providers which each check signatures.

K01, K02 and K07 where all of them speak one dialect and the client's own bytes would pass: what one
provider signed another refuses, so it is not sent there, and its own is not lost.
"""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import httpx
import pytest

from router.service import Router
from router.signers import Signers
from storage.home import Home
from tests.fakes.signing import Signing
from tests.fakes.upstream import Behaviour
from tests.router import inside
from tests.router.formats.grammar import check_anthropic
from tests.router.formats.responses_grammar import check_responses

JSON = dict[str, Any]
PATHS = {"anthropic": "/v1/messages", "chat": "/v1/chat/completions", "responses": "/v1/responses"}
LOOK = {"name": "look", "input_schema": {"type": "object", "properties": {}}}


class Session:
    """One conversation, which its client sends whole in every turn."""

    def __init__(self, http: httpx.AsyncClient, router: Router, stream: bool) -> None:
        self.http, self.router, self.stream = http, router, stream
        self.said: list[JSON] = []

    async def anthropic(self, provider: str, *content: JSON, **more: Any) -> JSON:
        """A turn at a provider; its answer stands in the conversation then."""
        self.said.append({"role": "user", "content": list(content) or [text("go on")]})
        body = {
            "model": f"{provider},m",
            "max_tokens": 9000,
            "messages": self.said,
            "tools": [LOOK],
            "stream": self.stream,
            "thinking": {"type": "adaptive"},
            **more,
        }
        answer = await self.http.post("/ccr/v1/messages", json=body)
        assert answer.status_code == 200, answer.text
        told: JSON = check_anthropic(answer.content) if self.stream else answer.json()
        assert "error" not in told
        self.said.append({"role": "assistant", "content": told["content"]})
        return told

    async def responses(self, provider: str) -> None:
        self.said.append({"role": "user", "content": "go on"})
        body = {"model": provider, "input": self.said, "stream": self.stream, "store": False}
        answer = await self.http.post("/litellm/v1/responses", json=body)
        assert answer.status_code == 200, answer.text
        told = check_responses(answer.content) if self.stream else answer.json()
        self.said += told["output"]


def text(words: str) -> JSON:
    return {"type": "text", "text": words}


@asynccontextmanager
async def switched(home: Home, stream: bool, **dialects: str) -> AsyncIterator[Any]:
    """Providers by name and the dialect that each speaks, and a session."""
    async with AsyncExitStack() as stack:
        fakes = {name: await stack.enter_async_context(Signing(name)) for name in dialects}
        providers: list[JSON] = []
        models: list[JSON] = []
        for name, dialect in dialects.items():
            url = fakes[name].url(PATHS[dialect])
            one: JSON = {"name": name, "api_base_url": url, "api_key": "k", "models": ["m"]}
            if dialect == "anthropic":
                one["transformer"] = {"use": ["Anthropic"]}
            providers.append(one)
            base = {"api_base": fakes[name].base, "api_key": "k"}
            models.append(
                {"model_name": name, "litellm_params": base | {"model": f"openai/responses/{name}"}}
            )
        config = {"Providers": providers, "Router": {"default": f"{next(iter(dialects))},m"}}
        home.ccr_json.write_text(json.dumps(config))
        home.litellm_yaml.write_text(json.dumps({"model_list": models}))
        home.toml.write_text("[retry]\nretries = 0\ncooldown = 0\n")
        router, front = await stack.enter_async_context(inside.served(home))
        http = await stack.enter_async_context(httpx.AsyncClient(base_url=front, timeout=20))
        yield fakes, Session(http, router, stream)


def thoughts(fake: Signing) -> list[str]:
    """Of the newest request that it was sent: whose thoughts were in it."""
    blocks = [
        b for m in fake.requests[-1].json["messages"] for b in m["content"] if type(b) is dict
    ]
    return [b["thinking"] for b in blocks if b["type"] == "thinking"]


streams = pytest.mark.parametrize("stream", [True, False], ids=["stream", "whole"])


async def test_K01_K02_each_is_sent_its_own_thoughts(test_home: Home) -> None:
    dialects = {"a": "anthropic", "b": "anthropic", "o": "chat"}
    async with switched(test_home, True, **dialects) as (fakes, session):
        for name in "aoabaoba":
            await session.anthropic(name)
        assert [fake.refused for fake in fakes.values()] == [[], [], []]
        assert thoughts(fakes["a"]) == ["thoughts of a"] * 3
        assert thoughts(fakes["b"]) == ["thoughts of b"]


@pytest.mark.parametrize(
    ("thinking", "stream"),
    [({"type": "adaptive"}, True), ({"type": "enabled", "budget_tokens": 2000}, False)],
    ids=["adaptive", "budget"],
)
async def test_K02_K03_a_tool_loop_may_be_switched_in_its_middle(
    test_home: Home, thinking: JSON, stream: bool
) -> None:
    async with switched(test_home, stream, a="anthropic", b="anthropic") as (fakes, session):
        calls = Behaviour(words=["I look"], thinking="hm", tool={"name": "look", "input": {}})
        done = Behaviour(words=["done"], thinking="so")
        fakes["a"].answers = [calls, calls, calls, done]
        fakes["b"].answers = [calls, done]
        content = [text("begin")]
        for name in "aabba":
            told = await session.anthropic(name, *content, thinking=thinking)
            content = [
                {"type": "tool_result", "tool_use_id": block["id"], "content": "seen"}
                for block in told["content"]
                if block["type"] == "tool_use"
            ] or [text("and now?")]
        assert [fake.refused for fake in fakes.values()] == [[], []]
        assert len(thoughts(fakes["a"])) == 2


async def test_K01_a_router_that_was_restarted_learns_it_from_one_refusal(test_home: Home) -> None:
    """What it has not seen signed goes on as it came. The refusal is mended, not told."""
    async with switched(test_home, True, a="anthropic", b="anthropic") as (fakes, session):
        await session.anthropic("a")
        session.router.signers = Signers()
        for name in "bbab":
            await session.anthropic(name)
        assert (len(fakes["b"].refused), fakes["a"].refused) == (1, [])
        detail = session.router.live.recent[3]
        assert (detail.state, detail.attempts) == ("done", 2)


@streams
async def test_K07_sealed_reasoning_goes_back_to_who_sealed_it(
    test_home: Home, stream: bool
) -> None:
    async with switched(test_home, stream, p="responses", q="responses") as (fakes, session):
        for name in "pqpqq":
            await session.responses(name)
        assert [fake.refused for fake in fakes.values()] == [[], []]
        for fake in fakes.values():
            sealed = [
                i["encrypted_content"]
                for i in fake.requests[-1].json["input"]
                if i.get("encrypted_content")
            ]
            assert sealed
            assert set(sealed) <= fake.issued
