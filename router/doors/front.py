"""The front door's own addresses: the landing page and its files, health, what is not there."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import pages
from router.doors.call import Call
from router.doors.callers import admitted, key_of
from router.doors.health import health, livez, readyz
from router.doors.landing import landing
from router.doors.metrics import metrics
from router.doors.site import at_path, by_path
from router.guards.host import is_loopback

if TYPE_CHECKING:
    from router.service import Router


async def front(router: Router, call: Call) -> None:
    site = at_path(router, call.path)
    reads = call.method in ("GET", "HEAD")
    # a path that only leads to a name takes no more: an SDK's POST /chat/completions is no page
    if site is not None and (reads or not site.host):
        await by_path(router, call, site)
        return
    if not reads:
        await _nothing(call)
        return
    match call.path:
        case "" | "/":
            await landing(router, call, _known(router, call))
        case "/health" | "/metrics" if not _known(router, call):
            await _closed(call)
        case "/health":
            await health(router, call)
        case "/livez":
            await livez(call)
        case "/readyz":
            await readyz(router, call)
        case "/metrics":
            await metrics(router, call)
        case path if path.startswith("/assets/") and await pages.asset(call, path[8:]):
            pass
        case _:
            await _nothing(call)


def _known(router: Router, call: Call) -> bool:
    """On this machine alone everybody may see the figures; beyond it, who has a client's key."""
    generation = router.generation
    if is_loopback(generation.listen.host):
        return True
    return admitted(key_of(call.headers), (*generation.litellm.keys, *generation.ccr.keys))


async def _closed(call: Call) -> None:
    """What a stranger learns: that something answers here."""
    words = "figures are told to those who show a client's key, as `Authorization: Bearer`"
    await call.json(401, {"error": {"message": words, "type": "authentication_error"}})


async def _nothing(call: Call) -> None:
    await pages.notice(
        call,
        404,
        f"there is nothing at {call.path[:300]}",
        "The APIs are at `/litellm/v1`, `/ccr/v1`, `/claude-code/v1`, `/ollama` and `/gemini`.",
    )
