"""LangChain's clients from PyPI through a whole router: words, a stream and a tool's call, in every
dialect it has a client for, over providers of either dialect."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.upstream import FakeUpstream
from tests.stories import langchain_turns
from tests.stories.agents import LAST, MODELS, between, calls_once
from tests.stories.installed import from_pypi, ran
from tests.stories.provider import served

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(400)]

CALL = {"name": "weather", "input": {"city": "Rome"}}


@pytest.fixture(scope="session")
def python(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    packages = [f"langchain-{name}" for name in ("openai", "anthropic", "ollama", "google-genai")]
    found = from_pypi(pytestconfig.cache, "langchain", *packages, named="LANGCHAIN_PATH")
    return found / "python"


@pytest.mark.parametrize("model", MODELS)
async def test_every_kind_of_turn(
    model: str, python: Path, upstream: FakeUpstream, tmp_path: Path
) -> None:
    calls_once(upstream, CALL, mark=b"sunny-42")
    home = await asyncio.to_thread(between, tmp_path / "home", upstream)
    async with served(home) as router:
        asked = (langchain_turns.__file__, router.front, model)
        run = await ran(python, *asked, at=tmp_path / "work", env={"LANGSMITH_TRACING": "false"})
    assert run.code == 0, run.errors
    for client, told in json.loads(run.out).items():
        check(client, told)
    assert {seen.model for seen in upstream.requests} == {model}


def check(client: str, told: dict[str, Any]) -> None:
    for turn in ("plain", "streamed"):
        assert (told[turn]["text"], told[turn]["calls"]) == ("Just words.", []), client
    for turn in ("called", "called, streamed"):
        assert told[turn]["calls"] == [{"name": "weather", "args": {"city": "Rome"}}], client
        assert told[turn]["text"] == "I will run it.", client
    assert told["after"]["text"] == LAST, client
    assert all(turn["tokens"] for turn in told.values()), (client, told)
