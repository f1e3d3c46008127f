"""A router that runs on while its files, its overrides and its own process change."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path

import httpx

from console.link import Link
from router.contract import (
    ClearOverride,
    Done,
    Refused,
    Reload,
    Reloaded,
    SetOverride,
)
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import Running
from tests.stories.provider import anthropic_body, configure, home_of, served
from tests.waiting import until

PATH = "/ccr/v1/messages"


def route(folder: Path, default: object) -> None:
    file = folder / ".claude-code-router" / "config.json"
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(json.dumps({"Router": {"default": default}}, indent=1))


async def asked(http: httpx.AsyncClient, router: Running, text: str = "hello") -> str:
    """The model that a request got."""
    answer = await http.post(router.front + PATH, content=anthropic_body("claude-x", text))
    assert answer.status_code == 200, answer.text
    return answer.headers["x-pointsman-model"].partition(",")[2]


async def reloaded(link: Link, change: object) -> Reloaded:
    """Does the change once the watch has begun; the reload that follows it."""
    async with asyncio.timeout(10):
        async for told in link.watch():
            if isinstance(told, Reloaded):
                return told
            if callable(change):  # the first beat: we are watching
                change()
                change = None
    raise AssertionError("the router went")


async def test_an_edited_file_takes_new_requests_and_leaves_the_running_ones(
    tmp_path: Path,
) -> None:
    folder = tmp_path / "home"
    async with FakeUpstream() as upstream, httpx.AsyncClient(timeout=10) as http:
        configure(folder, upstream)
        route(folder, "litellm-internal,openai")
        upstream.then(Behaviour(stall="middle"))
        async with served(folder) as router:
            link = Link(home_of(router))
            body = anthropic_body("claude-x", "hello", stream=True)
            async with http.stream("POST", router.front + PATH, content=body) as running:
                assert running.headers["x-pointsman-model"].endswith(",openai")
                told = await reloaded(link, lambda: route(folder, "litellm-internal,anthropic"))
                assert told == Reloaded(2, "")
                assert await asked(http, router) == "anthropic"

                # a broken file changes nothing, and says where it is broken
                told = await reloaded(link, lambda: route(folder, ["not", "a", "route"]))
                error = (await link.snapshot()).config_error
                assert told == Reloaded(2, error)
                assert (
                    f"{folder / '.claude-code-router' / 'config.json'}:3: Router.default" in error
                )
                assert isinstance(await link.act(Reload()), Refused)
                assert await asked(http, router) == "anthropic"

                route(folder, "litellm-internal,openai-dark")
                await asyncio.gather(*(link.act(Reload()) for _ in range(4)))
                assert (await link.snapshot()).config_error == ""
                assert await asked(http, router) == "openai-dark"

                # one that is broken beside them counts once it is mended, too
                config, more = folder / "litellm-config.yaml", folder / "more.yaml"
                more.write_text("model_list: 3\n")
                config.write_text("include: [more.yaml]\n" + config.read_text())

                async def told_of(beginning: str) -> None:
                    async def holds() -> bool:
                        error = (await link.snapshot()).config_error
                        return error.startswith(beginning) if beginning else not error

                    await until(holds)

                for line in range(1, 5):  # an edit of the file before may be seen late
                    await told_of(f"{more}:{line}: model_list: ")
                    more.write_text("\n" * line + f"model_list: {[] if line == 4 else 3}\n")
                await told_of("")

                # so does one that it names before it is there, and its folder
                late = folder / "later" / "still" / "late.yaml"
                config.write_text(config.read_text().replace("more.yaml", f"more.yaml, {late}"))
                await told_of(f"{config}:1: include[1]: ")
                late.parent.mkdir(parents=True)
                late.write_text("model_list: []\n")
                await told_of("")

                upstream.release.set()
                assert (await running.aread()).decode().rstrip().endswith("}")
            await link.close()
            assert [seen.model for seen in upstream.requests] == [
                *("openai", "anthropic", "anthropic", "openai-dark")
            ]


async def test_overrides_are_set_expire_are_cleared_and_outlive_a_restart(tmp_path: Path) -> None:
    folder = tmp_path / "home"
    async with FakeUpstream() as upstream, httpx.AsyncClient(timeout=10) as http:
        configure(folder, upstream)
        route(folder, "litellm-internal,openai")
        async with served(folder) as router:
            link = Link(home_of(router))
            brief = SetOverride("everywhere", "litellm-internal,anthropic", seconds=1.5)
            assert isinstance(await link.act(brief), Done)
            assert await asked(http, router) == "anthropic"

            async def expired() -> bool:
                return not (await link.snapshot()).overrides

            await until(expired)
            assert await asked(http, router) == "openai"

            odd = await link.act(SetOverride("key:nobody", "litellm-internal,openai-drak"))
            assert isinstance(odd, Done)
            assert odd.warning == "litellm-internal lists no 'openai-drak': is openai-dark meant?"
            assert odd.override is not None
            await link.act(ClearOverride(odd.override.id))
            done = await link.act(SetOverride("everywhere", "litellm-internal,openai-dark"))
            assert isinstance(done, Done)
            assert done.override is not None
            lasting = await link.act(
                SetOverride("scenario:default", "litellm-internal,anthropic", seconds=600, by="me")
            )
            assert isinstance(lasting, Done)
            assert await asked(http, router) in ("anthropic", "openai-dark")
            assert isinstance(await link.act(ClearOverride(done.override.id)), Done)
            assert isinstance(await link.act(ClearOverride(done.override.id)), Refused)
            assert await asked(http, router) == "anthropic"
            before = (await link.snapshot()).overrides
            await link.close()
        async with served(folder) as router:
            link = Link(home_of(router))
            after = (await link.snapshot()).overrides
            assert after == before
            assert after[0].set_by == "me"
            assert await asked(http, router) == "anthropic"
            assert (await link.snapshot()).overrides[0].served == before[0].served + 1
            await link.act(ClearOverride("all"))
            assert await asked(http, router) == "openai"
            await link.close()
        async with served(folder) as router:
            assert await asked(http, router) == "openai"
