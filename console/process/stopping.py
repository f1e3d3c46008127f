"""Ending a router.

One rule: it is asked to, and drains; nothing here kills it.
"""

from __future__ import annotations

import asyncio

from console.link import Link, RouterDownError
from console.process.presence import silence, silent_holder
from console.process.starting import GLANCE, reap
from router.contract import Refused, Stop
from storage.home import Home

#: seconds for requests in flight to be drained at a stop
STOP_PATIENCE = 60.0


class StopError(Exception):
    """The router is there, but did not end."""


async def stop_router(home: Home, by: str = "", *, again: bool = False) -> int:
    """Asks the router to drain and end, and waits until its process is gone. Returns its pid.
    `again`: another is started in its place, and sessions over SSH stay.

    Raises RouterDownError where none runs, StopError where it does not end.
    """
    link = Link(home)
    try:
        pid = (await link.snapshot()).pid
        result = await link.act(Stop(by=by, again=again))
    except RouterDownError:
        if words := silence(home):
            raise StopError(words) from None
        raise
    finally:
        await link.close()
    if isinstance(result, Refused):
        raise StopError(result.message)
    await _until_gone(home, pid)
    return pid


async def _until_gone(home: Home, pid: int) -> None:
    """The lock tells, not the pid: a router that outlived its parent may have nobody to reap it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STOP_PATIENCE
    while silent_holder(home):
        if loop.time() > deadline:
            raise StopError(
                f"the router (pid {pid}) still drains after {STOP_PATIENCE:.0f} s; "
                f"`kill {pid}` ends it at once"
            )
        await asyncio.sleep(GLANCE)
    reap(pid)
