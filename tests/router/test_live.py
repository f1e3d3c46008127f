"""When consoles are told: a request that comes alone at once, many of them at the usual beat."""

from __future__ import annotations

import asyncio

import msgspec

from router.caller import Caller
from router.contract import Beat, Change, Totals
from router.live import FEW, Live, Watcher
from router.record import Record

LONG = 3_600.0
_DECODER: msgspec.json.Decoder[Change] = msgspec.json.Decoder(Change)


def opened(live: Live, *ids: str) -> None:
    for id in ids:
        live.open(Record(id, Caller("ccr", "ccr", {}), "openai_chat", "chat", 0.0, 0.0, 0.5))


async def told(watcher: Watcher) -> set[str]:
    async with asyncio.timeout(10):
        (line,) = (await watcher.get()).splitlines()
    beat = _DECODER.decode(line)
    assert isinstance(beat, Beat)
    return {request.id for request in beat.requests}


async def test_a_lone_request_does_not_wait_for_the_beat_and_a_crowd_does() -> None:
    live = Live(lambda: 0.0, lambda: 0.0, Totals())
    watcher = live.watch()
    pulse = asyncio.create_task(live.pulse(LONG, soon=0.0))
    opened(live, "first")
    assert await told(watcher) == {"first"}
    crowd = [f"r{number}" for number in range(FEW)]
    opened(live, *crowd)
    assert await told(watcher) == {"first", *crowd}
    opened(live, "late")
    for _ in range(20):
        await asyncio.sleep(0)
    assert not watcher._changes
    pulse.cancel()
