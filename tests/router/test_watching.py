"""A console that does not keep up: bounded in the router, and told what it missed."""

from __future__ import annotations

import asyncio

import msgspec

from router.contract import Change, Dropped, Reloaded
from router.live import QUEUE
from storage.home import Home
from tests.fakes.upstream import FakeUpstream
from tests.router import inside
from tests.stories.provider import configure

_DECODER: msgspec.json.Decoder[Change] = msgspec.json.Decoder(Change)
TOLD = 5_000


async def test_a_slow_watcher_is_told_what_it_missed(
    test_home: Home, upstream: FakeUpstream
) -> None:
    configure(test_home.config, upstream)
    async with inside.served(test_home) as (router, _):
        reader, writer = await asyncio.open_unix_connection(str(test_home.socket), limit=16_384)
        writer.write(b"GET /watch HTTP/1.1\r\nhost: router\r\n\r\n")
        await reader.readline()
        (watcher,) = router.live._watchers
        for number in range(TOLD):
            router.live.tell(Reloaded(number, "x" * 1_000))
            assert len(watcher._changes) <= QUEUE
            await asyncio.sleep(0)
        router.live.tell(Reloaded(TOLD, "the last"))
        changes: list[Change] = []
        async with asyncio.timeout(10):
            while not any(isinstance(c, Reloaded) and c.error == "the last" for c in changes):
                line = (await reader.readline()).strip()
                if line.startswith(b"{"):  # not a chunk's size, nor a header
                    changes.append(_DECODER.decode(line))
        dropped = sum(change.count for change in changes if isinstance(change, Dropped))
        reloaded = [change.generation for change in changes if isinstance(change, Reloaded)]
        beats = len(changes) - len(reloaded)
        assert dropped > 0
        assert TOLD + 1 <= dropped + len(reloaded) <= TOLD + 1 + beats + 5
        assert reloaded == sorted(reloaded)
        writer.close()
