"""A router killed while hundreds ask at the edge of a budget: the budget holds after it, too."""

from __future__ import annotations

import asyncio
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Any

import httpx
import pytest

from storage.home import Home
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running
from tests.router.spending.test_keys import ANSWER, CONFIG, MASTER, TOML, bearer, chat
from tests.stories.provider import home_of, served

CHAT = "/litellm/v1/chat/completions"
AT_ONCE = 200
#: what one request may cost at most, as it is held back
HELD = 0.003 * 40 + 8 * 0.002
LIMIT = 12 * HELD


async def _crowd(router: Running, key: str, **more: Any) -> list[asyncio.Task[int]]:
    """All of them at once; each task's result is the status, of a stream its head's."""
    http = httpx.AsyncClient(base_url=router.front, timeout=30, limits=httpx.Limits())

    async def ask() -> int:
        try:
            answer = await http.post(CHAT, json=chat(**more), headers=bearer(key))
        except httpx.TransportError:
            return 0
        return answer.status_code

    tasks = [asyncio.create_task(ask()) for _ in range(AT_ONCE)]
    asyncio.gather(*tasks).add_done_callback(lambda _: asyncio.ensure_future(http.aclose()))
    return tasks


def _running(home: Home) -> int:
    with closing(sqlite3.connect(home.ledger)) as db:
        found = db.execute("SELECT COUNT(*) FROM request WHERE state = 'running' AND cost > 0")
        return int(found.fetchone()[0])


@pytest.mark.long
@pytest.mark.timeout(120)
async def test_M05_a_budget_holds_over_kill_9_in_the_middle_of_two_hundred(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    folder.mkdir()
    async with FakeUpstream() as upstream:
        (folder / "litellm-config.yaml").write_text(CONFIG % (upstream.base, upstream.base))
        (folder / "pointsman.toml").write_text(TOML)
        async with served(folder) as router, httpx.AsyncClient(timeout=30) as http:
            made = await http.post(
                f"{router.front}/litellm/key/generate", json={"max_budget": LIMIT}, headers=MASTER
            )
            key = made.json()["key"]
            for _ in range(3):
                answer = await http.post(router.front + CHAT, json=chat(), headers=bearer(key))
                assert answer.status_code == 200
            upstream.behave("gpt-4o", Behaviour(stall="middle"))
            crowd = await _crowd(router, key, stream=True)
            refused = 0
            while refused + len(upstream.requests) - 3 < AT_ONCE:
                done, _ = await asyncio.wait(crowd, timeout=0.1)
                refused = sum(task.result() == 429 for task in done)
            begun = len(upstream.requests) - 3
            assert 0 < begun < AT_ONCE
            async with asyncio.timeout(4):
                while await asyncio.to_thread(_running, home_of(router)) < begun:  # noqa: ASYNC110
                    await asyncio.sleep(0.05)
            await asyncio.to_thread(router.kill)
            left = [await task for task in crowd]
            assert left.count(0) == begun
        upstream.behave("gpt-4o", Behaviour())
        before = len(upstream.requests)
        async with served(folder) as again, httpx.AsyncClient(timeout=30) as http:
            codes = [await task for task in await _crowd(again, key)]
            after = len(upstream.requests) - before
            # 429: what runs holds the rest; 400, as LiteLLM's: it is spent
            assert 200 in codes
            assert set(codes) <= {200, 400, 429}
            assert codes.count(200) == after
            told = await http.get(
                f"{again.front}/litellm/key/info", params={"key": key}, headers=MASTER
            )
        input, output = upstream.billed
        billed = input * 0.001 + output * 0.002
        # what was cut off is an estimate, of the prompt above all: the bill is not above it
        assert LIMIT - HELD <= told.json()["info"]["spend"] < LIMIT + HELD
        assert billed < LIMIT + HELD
        assert billed > (3 + after) * ANSWER
