"""The real opencode from npm runs a tool through a whole router, in each dialect that it speaks.

Its SDKs (Vercel's AI SDK) are other code than the vendors' own; it checks what they do not.
"""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import pytest

from tests.fakes.upstream import FakeUpstream
from tests.stories.agents import LAST, between, calls_once
from tests.stories.installed import from_npm, ran
from tests.stories.provider import served

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(400)]

#: its package for a dialect → (the router's path, the model it asks for there): always the other
#: dialect than the provider's, or one that no provider here speaks
CLIENTS = {
    "openai-compatible": ("/litellm/v1", "claude-there"),
    "openai": ("/litellm/v1", "claude-there"),
    "anthropic": ("/claude-code/v1", "litellm-internal,gpt-there"),
    "google": ("/gemini/v1beta", "gpt-there"),
}
#: it would else ask its makers for models, updates and plugins
QUIET = {
    f"OPENCODE_DISABLE_{what}": "true"
    for what in ("MODELS_FETCH", "AUTOUPDATE", "DEFAULT_PLUGINS", "LSP_DOWNLOAD")
}


@pytest.fixture(scope="session")
def opencode(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    return from_npm(pytestconfig.cache, "opencode-ai", "1.18.33", "opencode", "OPENCODE_PATH")


@pytest.mark.parametrize("package", CLIENTS)
async def test_a_turn_with_a_tool(
    package: str, opencode: Path, upstream: FakeUpstream, tmp_path: Path
) -> None:
    path, model = CLIENTS[package]
    run = {"command": "echo from-$((40+2))", "description": "say it"}
    calls_once(upstream, {"name": "bash", "input": run}, mark=b"from-42")
    home = await asyncio.to_thread(between, tmp_path / "home", upstream)
    work = tmp_path / "work"
    work.mkdir()
    async with served(home) as router:
        provider = {
            "npm": f"@ai-sdk/{package}",
            "name": "ours",
            "options": {"baseURL": router.front + path, "apiKey": "k"},
            "models": {model: {"name": "there"}},
        }
        own = {
            "provider": {"ours": provider},
            "model": f"ours/{model}",
            "small_model": f"ours/{model}",
            "autoupdate": False,
            "share": "disabled",
            "permission": {"bash": "allow"},
        }
        (work / "opencode.json").write_text(json.dumps(own))
        turn = await ran(opencode, "run", "do something", at=work, env=QUIET)
    assert turn.code == 0, turn.errors
    assert LAST in turn.out
    offered = [seen for seen in upstream.requests if seen.json.get("tools")]
    assert len(offered) == 2
    assert all(seen.json["stream"] for seen in offered)
    assert {seen.model for seen in upstream.requests} == {model.rpartition(",")[2]}
