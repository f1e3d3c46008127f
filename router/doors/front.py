"""The front door's own addresses: the landing page and its files, health, what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import pages
from router.doors.call import Call
from router.doors.health import health, livez, readyz
from router.doors.landing import landing
from router.doors.site import at_path, by_path

if TYPE_CHECKING:
    from router.service import Router


async def front(router: Router, call: Call) -> None:
    site = at_path(router, call.path)
    if site is not None:
        await by_path(router, call, site)
        return
    if call.method not in ("GET", "HEAD"):
        await _nothing(call)
        return
    match call.path:
        case "" | "/":
            await landing(router, call)
        case "/health":
            await health(router, call)
        case "/livez":
            await livez(call)
        case "/readyz":
            await readyz(router, call)
        case path if path.startswith("/assets/") and await pages.asset(call, path[8:]):
            pass
        case _:
            await _nothing(call)


async def _nothing(call: Call) -> None:
    await pages.notice(
        call,
        404,
        f"there is nothing at {call.path[:300]}",
        "The APIs are at `/litellm/v1`, `/ccr/v1` and `/claude-code/v1`.",
    )
