"""A console's memory over a day of traffic, in minutes: `python bench/day.py`.

A real console process on a terminal of its own watches a scripted router that tells beat after
beat, each with requests that are new, as fast as the console takes them. What stands in memory is
read after each tenth.

    python bench/day.py [--beats 6000] [--requests 20]
"""

from __future__ import annotations

import argparse
import asyncio
import sys
import tempfile
from pathlib import Path

import msgspec

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))

from consoles import Looker

from router.contract import Beat
from storage.home import home
from tests.console import scene
from tests.console.fake_router import FakeRouter

#: seconds over which a console's CPU is looked at, and the CPU seconds of one that is at rest
LOOK, RESTING = 1.5, 0.05


async def day(beats: int, requests: int) -> None:
    with tempfile.TemporaryDirectory(prefix="pointsman-bench-") as folder:
        place = home({"POINTSMAN_HOME": folder})
        place.make()
        async with FakeRouter(scene.SNAPSHOT).serving(place) as router:
            looker = Looker(Path(folder), nice=0)
            try:
                await asyncio.to_thread(looker.live.wait, 30)
                print(f"{'requests':>9} {'PSS MB':>8} {'CPU ms a beat':>14}")
                for tenth in range(11):
                    print(
                        f"{tenth * beats // 10 * requests:9,} {looker.pss():8.1f}"
                        f" {looker.cpu() * 1000 / max(tenth * beats // 10, 1):14.1f}",
                        flush=True,
                    )
                    if tenth == 10:
                        break
                    for number in range(tenth * beats // 10, (tenth + 1) * beats // 10):
                        await router.tell(_beat(number, requests))
                    await _settled(looker)
            finally:
                looker.stop()


def _beat(number: int, requests: int) -> Beat:
    """Requests that nobody saw before, each of another session, of the kinds of the scene."""
    at = scene.NOW + number * 0.5
    new = []
    for place in range(requests):
        like = scene.REQUESTS[(number + place) % len(scene.REQUESTS)]
        new.append(
            msgspec.structs.replace(
                like,
                id=f"req_{number:06x}{place:04x}",
                session=f"{number:08x}",
                started_at=at + place / 100,
                state="done" if like.state == "running" else like.state,
                duration_ms=like.duration_ms or 900.0,
            )
        )
    return msgspec.structs.replace(scene.BEAT, at=at, requests=tuple(new))


async def _settled(looker: Looker) -> None:
    """Until it has taken in all that was told: its CPU stands still."""
    before = -1.0
    while looker.cpu() - before > RESTING:
        before = looker.cpu()
        await asyncio.sleep(LOOK)


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("--beats", type=int, default=6_000)
    parser.add_argument("--requests", type=int, default=20)
    given = parser.parse_args()
    asyncio.run(day(given.beats, given.requests))


if __name__ == "__main__":
    main()
