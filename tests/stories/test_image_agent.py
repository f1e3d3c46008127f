"""forceUseImageAgent: each picture is described once, and the describing has its own row."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import httpx

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import running
from tests.router.rules.cases import IMAGE

OTHER = {"type": "image", "source": {"type": "url", "url": "https://h.test/p.png"}}
KEY = "a key of our own"


async def test_pictures_become_words_once(tmp_path: Path, upstream: FakeUpstream) -> None:
    folder = tmp_path / ".claude-code-router"
    folder.mkdir()
    provider = {
        "name": "p",
        "api_base_url": upstream.url("/v1/chat/completions"),
        "api_key": "sk",
        "models": ["blind", "seeing"],
    }
    own: dict[str, Any] = {
        "APIKEY": KEY,
        "Providers": [provider],
        "Router": {"default": "p,blind", "image": "p,seeing"},
        "forceUseImageAgent": True,
    }
    (folder / "config.json").write_text(json.dumps(own))
    (tmp_path / "pointsman.toml").write_text("[retry]\nretries = 0\ncooldown = 0\n")
    upstream.behave("seeing", Behaviour(words=("a red ", "square")))
    turns: list[dict[str, Any]] = [
        {"role": "user", "content": [IMAGE, {"type": "text", "text": "what is it"}]},
        {
            "role": "assistant",
            "content": [{"type": "tool_use", "id": "t", "name": "R", "input": {}}],
        },
        {
            "role": "user",
            "content": [{"type": "tool_result", "tool_use_id": "t", "content": [OTHER, IMAGE]}],
        },
    ]
    with running(tmp_path) as router:
        async with httpx.AsyncClient(headers={"x-api-key": KEY}, timeout=30) as client:

            async def ask(count: int, model: str = "claude-x") -> httpx.Response:
                body = {"model": model, "max_tokens": 9, "messages": turns[:count]}
                headers = {"x-claude-code-session-id": "s1"}
                return await client.post(f"{router.ccr}/v1/messages", json=body, headers=headers)

            assert (await ask(1)).status_code == 200
            assert [seen.model for seen in upstream.requests] == ["seeing", "blind"]
            assert "image_url" in upstream.requests[0].body.decode()
            told = upstream.requests[1].json["messages"]
            assert told[0]["content"].startswith("[Image #1: a red square]")

            assert (await ask(3)).status_code == 200
            assert [seen.model for seen in upstream.requests[2:]] == ["seeing", "blind"], (
                "once each"
            )
            again = upstream.requests[-1].json["messages"]
            assert again[: len(told)] == told, "the same words in every turn"
            assert "image_url" not in upstream.requests[-1].body.decode()
            assert again[-1]["content"] == "[Image #2: a red square]\n\n[Image #1: a red square]"

            assert (await ask(1, "p,seeing")).status_code == 200
            assert "image_url" in upstream.requests[-1].body.decode(), "who sees, sees"

            upstream.behave("seeing", Behaviour(status=500))
            new = {"type": "url", "url": "https://h.test/other.png"}
            turns[0]["content"][0] = {"type": "image", "source": new}
            answer = await ask(1)
            assert answer.headers["x-pointsman-problem"].startswith("image agent: ")
        socket = str(router.ready["listeners"][-1]["address"])  # type: ignore[index]
        async with httpx.AsyncClient(transport=httpx.AsyncHTTPTransport(uds=socket)) as control:
            recent = (await control.get("http://router/snapshot")).json()["recent"]
    agents = [(row["agent"], row["session"], row["model"]) for row in recent]
    assert agents.count(("image-agent", "s1", "seeing")) == 3
