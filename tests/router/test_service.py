"""Reloads that overlap, and what is said of roles whose ports are off."""

from __future__ import annotations

import asyncio
import threading
import time

import httpx
import pytest

from console.link import Link
from router.contract import Arrival
from router.outgoing import _shown
from router.settings import Generation
from router.transport.address import _start, parse
from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router import inside
from tests.stories.provider import configure, openai_body


async def test_a_slow_reload_puts_no_older_files_over_newer_ones(
    test_home: Home, upstream: FakeUpstream
) -> None:
    configure(test_home.config, upstream)
    async with inside.served(test_home) as (router, _):
        read = router._reload_from
        begun, go_on = threading.Event(), threading.Event()

        def slowly(number: int) -> Generation:
            made = read(number)
            if not begun.is_set():
                begun.set()
                go_on.wait(10)
            return made

        router._reload_from = slowly
        first = asyncio.create_task(router.reload())
        await asyncio.to_thread(begun.wait, 10)
        file = test_home.toml
        file.write_text(file.read_text() + "[retention]\ndays = 7\n")
        second = asyncio.create_task(router.reload())
        await asyncio.wait({second}, timeout=0.2)  # time enough, were it not to wait for the first
        go_on.set()
        assert tuple(await asyncio.gather(first, second)) == ("", "")
        assert router.generation.retention_days == 7
        assert router.generation.number == 3


async def test_a_reload_keeps_no_key_of_before(test_home: Home, upstream: FakeUpstream) -> None:
    """What is kept ready for the next request holds the provider's key, in the clear."""
    configure(test_home.config, upstream)
    ready = (_shown, _start, parse)
    async with inside.served(test_home) as (router, front), httpx.AsyncClient() as client:
        path = f"{front}/litellm/v1/chat/completions"
        assert (await client.post(path, content=openai_body("openai", "hi"))).status_code == 200
        assert all(each.cache_info().currsize for each in ready)
        file = test_home.config / "litellm-config.yaml"
        file.write_text(file.read_text().replace("a-provider-key", "another-key"))
        assert await router.reload() == ""
        assert not any(each.cache_info().currsize for each in ready)
        assert (await client.post(path, content=openai_body("openai", "hi"))).status_code == 200
    shown = [each.headers["authorization"] for each in upstream.requests]
    assert shown == ["Bearer a-provider-key", "Bearer another-key"]


async def test_a_role_that_listens_nowhere_has_no_address(test_home: Home) -> None:
    test_home.toml.write_text("[listen]\nport = 0\nlitellm_port = 0\nccr_port = 23456\n")
    async with inside.served(test_home) as (router, _):
        addresses = {each.name: each.address for each in router.services()}
    assert addresses["LiteLLM"] == ""
    assert addresses["CCR"] == "http://127.0.0.1:23456"


async def test_a_router_ends_in_peace_while_somebody_looks(
    test_home: Home, caplog: pytest.LogCaptureFixture
) -> None:
    """Whoever watches or visits hears an answer's end: each was an exception in the log."""
    link = Link(test_home, token="")
    told: list[object] = []

    async def watch(begun: asyncio.Event) -> None:
        async for change in link.watch():
            told.append(change)
            begun.set()

    async with inside.served(test_home):
        begun = asyncio.Event()
        watching = asyncio.create_task(watch(begun))
        visit = link.visit(Arrival("ssh:ana", "view", "192.0.2.7", "shell", time.time(), "token"))
        await visit.__aenter__()
        await asyncio.wait_for(begun.wait(), 10)
    await asyncio.wait_for(asyncio.wait({watching}), 10)
    await visit.__aexit__(None, None, None)
    await link.close()
    assert told
    assert [each.getMessage() for each in caplog.records if each.exc_info] == []


async def test_an_edit_that_waits_for_a_restart_says_so(test_home: Home) -> None:
    told = "[telemetry]: taken at the next start, `pointsman restart`"
    async with inside.served(test_home) as (router, _):
        assert await router.reload() == ""
        assert told not in {finding.detail for finding in router.findings()}
        table = '[telemetry]\nendpoint = "http://127.0.0.1:9"\nheaders = { a = "b" }\n'
        test_home.toml.write_text(table)
        for _ in range(2):  # one that is read again is the same
            assert await router.reload() == ""
        assert [f.detail for f in router.findings() if f.what == "edited"] == [told]
        test_home.toml.write_text("[listen]\nhosts = ['a.lan']\n")  # is in force at once
        assert await router.reload() == ""
        assert "edited" not in {finding.what for finding in router.findings()}
