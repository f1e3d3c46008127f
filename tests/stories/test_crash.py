"""kill -9, of a router under load and of the consoles that watch it: what is lost, what is not."""

from __future__ import annotations

import asyncio
import sqlite3
import subprocess
import sys
import time
from contextlib import closing
from pathlib import Path

import httpx

from console.link import Link
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running
from tests.stories.provider import Book, configure, home_of, openai_body, served

PATH = "/litellm/v1/chat/completions"
#: what a killed router may lose, in seconds
LOSS = 1.0


async def _asks(router: Running, name: str, answered: dict[str, float]) -> None:
    """Asks and asks; notes when each answer was read, until the router is gone."""
    async with httpx.AsyncClient(timeout=10) as http:
        for number in range(100_000):
            body = openai_body("openai", f"{name} {number}", stream=number % 2 == 0)
            try:
                answer = await http.post(router.front + PATH, content=body)
            except httpx.TransportError:
                return
            answered[answer.headers["x-litellm-call-id"]] = time.monotonic()


def _older(answered: dict[str, float], now: float) -> list[str]:
    return [one for one, at in answered.items() if at < now - LOSS]


async def test_a_killed_router_loses_no_row_older_than_a_second(tmp_path: Path) -> None:
    answered: dict[str, float] = {}
    async with FakeUpstream() as upstream:
        configure(tmp_path / "home", upstream)
        book = Book(upstream)
        for mark in ("mark-1", "mark-2"):
            book.plan(mark, Behaviour(stall="middle"))
        async with served(tmp_path / "home") as router, httpx.AsyncClient(timeout=10) as http:
            warm = openai_body("openai", "the first one waits for what is loaded late")
            assert (await http.post(router.front + PATH, content=warm)).status_code == 200
            body = openai_body("openai", "mark-1", stream=True)
            dark = openai_body("openai-dark", "mark-2", stream=True)
            async with (
                http.stream("POST", router.front + PATH, content=body) as held,
                http.stream("POST", router.front + PATH, content=dark) as unpriced,
            ):
                crowd = [
                    asyncio.create_task(_asks(router, f"client {n}", answered)) for n in range(4)
                ]
                while len(_older(answered, time.monotonic())) < 30:
                    await asyncio.wait(crowd, timeout=0.1)
                await asyncio.to_thread(router.kill)
                killed = time.monotonic()
                await asyncio.gather(*crowd)
                with closing(sqlite3.connect(home_of(router).ledger)) as db:
                    assert db.execute("PRAGMA integrity_check").fetchone() == ("ok",)
                    rows = dict(db.execute("SELECT id, state FROM request").fetchall())
                id = held.headers["x-litellm-call-id"]
                other = unpriced.headers["x-litellm-call-id"]
        old = _older(answered, killed)
        assert [one for one in old if rows.get(one) != "done"] == []
        assert rows[id] == rows[other] == "running"
        async with served(tmp_path / "home") as again:
            link = Link(home_of(again))
            detail = await link.archive.request(id)
            await link.close()
        assert detail is not None
        assert detail.request.state == "interrupted"
        assert detail.request.tokens.output == detail.attempts[0].tokens.output > 0
        assert detail.request.cost


_WATCHER = """
import asyncio, sys
from console.link import Link
from storage.home import home
async def main():
    async for _ in Link(home()).watch():
        print("beat", flush=True)
asyncio.run(main())
"""


async def test_killed_consoles_cost_no_request(tmp_path: Path) -> None:
    async with FakeUpstream() as upstream:
        configure(tmp_path / "home", upstream)
        async with served(tmp_path / "home") as router, httpx.AsyncClient(timeout=10) as http:
            consoles = []
            for _ in range(2):
                console = await asyncio.to_thread(
                    subprocess.Popen,
                    [sys.executable, "-c", _WATCHER],
                    stdout=subprocess.PIPE,
                    env=router.env,
                )
                consoles.append(console)
            upstream.behave("openai", Behaviour(stall="middle"))
            body = openai_body("openai", "hello", stream=True)

            async def ask() -> bytes:
                return (await http.post(router.front + PATH, content=body)).content

            asked = [asyncio.create_task(ask()) for _ in range(4)]
            await upstream.arrived(4)
            for console in consoles:
                assert console.stdout is not None
                assert await asyncio.to_thread(console.stdout.readline) == b"beat\n"
                console.kill()
                await asyncio.to_thread(console.wait)
                console.stdout.close()
            upstream.release.set()
            for answer in await asyncio.gather(*asked):
                assert answer.endswith(b"data: [DONE]\n\n")
