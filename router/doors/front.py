"""The front door's own addresses: the landing page and its files, health, what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import pages
from router.doors.call import Call
from router.doors.health import health, livez, readyz
from router.doors.landing import landing

if TYPE_CHECKING:
    from router.service import Router


#: pages of the usage guide that are other programs' own
_NEIGHBOURS = {
    "chat": "A chat page such as OpenWebUI runs on its own and takes `/litellm/v1` as its API.",
    "n8n": "n8n runs on its own and takes `/litellm/v1` as its API.",
}


async def front(router: Router, call: Call) -> None:
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
        *filter(None, [_NEIGHBOURS.get(call.path.split("/")[1])]),
    )
