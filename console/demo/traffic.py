"""Traffic of every kind for `pointsman demo`: each scenario, streams, tools, errors, overrides.

One rule: it is bounded (how many at once, how many in all), its dice have a seed, and it goes in by
the router's own doors, as anybody's traffic would.

`python -m console.demo.traffic URL` sends until its stdin closes: it never outlives the console.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import sys
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

import httpx

from console.link import Link, RouterDownError
from console.process.stopping import StopError, stop_router
from router.contract import ClearOverride, SetOverride
from storage.home import Home, home

#: requests in flight at once, requests in all, mean seconds between two
WIDE = 4
MOST = 5_000
PAUSE = 0.6
#: seconds between two changes of an override
SWITCH = 12.0
SEED = 7

QUESTIONS = (
    "Why does this test pass alone and fail in the suite?",
    "Name three ways to make this loop simpler.",
    "What does a 529 answer mean, and who should wait?",
    "Write a function that parses ISO 8601 durations.",
    "Explain write-ahead logging to a colleague.",
    "Rename these variables so that a stranger understands them.",
)
#: a picture of one pixel
PIXEL = (
    "iVBORw0KGgoAAAANSUhEUgAAAAEAAAABCAYAAAAfFcSJ"
    "AAAADUlEQVR42mNk+M9QDwADhgGAWjR9awAAAABJRU5ErkJggg=="
)
BASH = {
    "name": "Bash",
    "description": "Run a shell command",
    "input_schema": {
        "type": "object",
        "properties": {"command": {"type": "string"}},
        "required": ["command"],
    },
}
MAIN = "claude-opus-5-5"
MESSAGES, CHAT = "/claude-code/v1/messages", "/litellm/v1/chat/completions"

Body = dict[str, Any]


@dataclass(frozen=True, slots=True)
class Scene:
    """One kind of request. `leaves`: the client goes away in the middle of the answer."""

    weight: float
    path: str
    body: Callable[[random.Random], Body]
    stream: bool = False
    leaves: bool = False


def asked(dice: random.Random, **more: Any) -> Body:
    body: Body = {
        "model": MAIN,
        "max_tokens": 1024,
        "messages": [{"role": "user", "content": dice.choice(QUESTIONS)}],
    }
    return body | more


def _said(content: Any, **more: Any) -> Callable[[random.Random], Body]:
    return lambda dice: asked(dice, messages=[{"role": "user", "content": content}], **more)


def _with(**more: Any) -> Callable[[random.Random], Body]:
    return lambda dice: asked(dice, **more)


def long_conversation(dice: random.Random) -> Body:
    """Some 70,000 tokens, of words that do not repeat."""
    words = " ".join(f"{dice.choice('abcdefgh')}{dice.randrange(10_000)}" for _ in range(24_000))
    return asked(dice, messages=[{"role": "user", "content": f"Summarise this log.\n{words}"}])


def tool_result(dice: random.Random) -> Body:
    call = {"type": "tool_use", "id": "toolu_demo", "name": "Bash", "input": {"command": "ls"}}
    answer = {"type": "tool_result", "tool_use_id": "toolu_demo", "content": "README.md\nsrc"}
    turns = [
        {"role": "user", "content": "What is in this folder?"},
        {"role": "assistant", "content": [call]},
        {"role": "user", "content": [answer]},
    ]
    return asked(dice, messages=turns, tools=[BASH])


_IMAGE = [
    {"type": "image", "source": {"type": "base64", "media_type": "image/png", "data": PIXEL}},
    {"type": "text", "text": "What does this picture show?"},
]
_SEARCH = {"type": "web_search_20250305", "name": "web_search", "max_uses": 3}
_TITLE = {"type": "json_schema", "schema": {"type": "object", "properties": {"title": {}}}}

SCENES: tuple[Scene, ...] = (
    Scene(6, MESSAGES, asked, stream=True),
    Scene(3, MESSAGES, _with(tools=[BASH]), stream=True),
    Scene(2, MESSAGES, tool_result, stream=True),
    Scene(2, MESSAGES, _with(thinking={"type": "enabled", "budget_tokens": 31_999}), stream=True),
    Scene(2, MESSAGES, _with(model="claude-haiku-5-5", max_tokens=64)),
    Scene(1, MESSAGES, _with(output_config={"format": _TITLE}, max_tokens=64)),
    Scene(1, MESSAGES, _with(tools=[_SEARCH])),
    Scene(1, MESSAGES, _said(_IMAGE), stream=True),
    Scene(0.4, MESSAGES, long_conversation, stream=True),
    Scene(0.5, MESSAGES + "/count_tokens", asked),
    Scene(2, "/ccr/v1/messages", _with(context="coder"), stream=True),
    Scene(2, "/ccr/v1/messages", _with(model="deepseek,deepseek-coder")),
    Scene(1, "/ccr/v1/messages", _said("/model openrouter,claude-3-5-sonnet Plan the migration")),
    Scene(3, CHAT, _with(model="claude-3-5-sonnet-20241022"), stream=True),
    Scene(1, CHAT, _with(model="gpt-4o-mini")),
    Scene(1, CHAT, _with(model="ccr-claude-sonnet")),
    Scene(1, "/litellm/v1/embeddings", lambda dice: {
        "model": "text-embedding-3-small",
        "input": dice.choice(QUESTIONS),
    }),
    Scene(0.7, "/ccr/v1/messages", _with(model="deepseek,simulate-429")),
    Scene(0.5, "/ccr/v1/messages", _with(model="openrouter,simulate-529"), stream=True),
    Scene(0.4, "/ccr/v1/messages", _with(model="deepseek,simulate-cut"), stream=True),
    Scene(0.4, CHAT, _with(model="no-such-model")),
    Scene(0.6, MESSAGES, asked, stream=True, leaves=True),
)  # fmt: skip


async def send(client: httpx.AsyncClient, scene: Scene, dice: random.Random) -> None:
    """One request; what goes wrong is what the demo is there to show."""
    session = f"demo-{dice.randrange(4)}"
    headers = {"authorization": "Bearer demo", "x-claude-code-session-id": session}
    headers["user-agent"] = (
        "claude-cli/2.1.330 (external, cli)" if scene.path.startswith(MESSAGES) else "demo/1"
    )
    body = scene.body(dice)
    if scene.stream:
        body["stream"] = True
    with suppress(httpx.HTTPError):
        async with client.stream("POST", scene.path, json=body, headers=headers) as response:
            read = 0
            async for chunk in response.aiter_bytes():
                read += len(chunk)
                if scene.leaves and read > 400:
                    return


async def switches(here: Home, dice: random.Random) -> None:
    """Now and then an operator sends something elsewhere for a while."""
    link = Link(here)
    try:
        while True:
            await asyncio.sleep(SWITCH)
            targets = (await link.snapshot()).targets
            if targets and dice.random() < 0.7:
                scope = dice.choice(("scenario:think", "session:demo-1", "scenario:background"))
                seconds = dice.choice((30.0, 90.0))
                await link.act(SetOverride(scope, dice.choice(targets), seconds, by="demo"))
            else:
                await link.act(ClearOverride("all", by="demo"))
    except RouterDownError:
        return
    finally:
        await link.close()


async def traffic(here: Home, url: str, most: int = MOST) -> None:
    """Sends to the front door at `url` until `most` requests were sent or it is cancelled."""
    dice = random.Random(SEED)  # noqa: S311 nothing depends on its being unguessable
    room = asyncio.Semaphore(WIDE)
    weights = [scene.weight for scene in SCENES]
    async with (
        httpx.AsyncClient(base_url=url, timeout=60.0, trust_env=False) as client,
        asyncio.TaskGroup() as group,
    ):
        operator = group.create_task(switches(here, dice))

        async def one(scene: Scene) -> None:
            try:
                await send(client, scene, dice)
            finally:
                room.release()

        first = list(SCENES)  # every kind once, so that a first look sees them all
        for number in range(most):
            await room.acquire()
            scene = first[number] if number < len(first) else dice.choices(SCENES, weights)[0]
            group.create_task(one(scene))
            await asyncio.sleep(0.05 if number < len(first) else dice.expovariate(1 / PAUSE))
        operator.cancel()


def settings_text() -> str:
    """pointsman.toml of a demo: it plays both roles itself, whatever else runs on this machine."""
    return '[litellm]\nmode = "embedded"\n\n[ccr]\nmode = "embedded"\n'


def bare(env: Mapping[str, str], folder: str) -> dict[str, str]:
    """`env` for a router that must find nothing real: no keys, no addresses of providers."""
    kept = {
        name: value
        for name, value in env.items()
        if not name.endswith(("_API_KEY", "_BASE_URL", "_API_BASE", "_AUTH_TOKEN"))
        and not name.startswith("OLLAMA_")
    }
    return kept | {"POINTSMAN_HOME": folder, "LOCAL": ""}


async def _until_stdin_closes(work: asyncio.Task[None]) -> None:
    await asyncio.to_thread(lambda: os.read(0, 1))
    work.cancel()


async def _main(url: str) -> None:
    """Traffic until the demo ends. However it ends, its terminal closed or killed, its router and
    its folder go with it: a console without a terminal ends at once, and can see to neither."""
    here = home()
    work = asyncio.create_task(traffic(here, url))
    watch = asyncio.create_task(_until_stdin_closes(work))
    with suppress(asyncio.CancelledError):
        await work
    await watch
    with suppress(RouterDownError, StopError):
        await stop_router(here, "demo")
    shutil.rmtree(here.config, ignore_errors=True)


if __name__ == "__main__":
    asyncio.run(_main(sys.argv[1]))
