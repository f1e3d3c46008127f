"""Reloads that overlap, and what is said of roles whose ports are off."""

from __future__ import annotations

import asyncio
import threading

from router.settings import Generation
from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router import inside
from tests.stories.provider import configure


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


async def test_a_role_that_listens_nowhere_has_no_address(test_home: Home) -> None:
    test_home.toml.write_text("[listen]\nport = 0\nlitellm_port = 0\nccr_port = 23456\n")
    async with inside.served(test_home) as (router, _):
        addresses = {each.name: each.address for each in router.services()}
    assert addresses["LiteLLM"] == ""
    assert addresses["CCR"] == "http://127.0.0.1:23456"
