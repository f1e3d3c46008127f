"""The front door's own addresses: the landing page and its files, health, what is not there.

One rule: they are at the names of this machine, and at those that were configured. A name below
`localhost` reaches us without anybody's doing, so one that is nobody's is a mistake to be told.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from router import pages
from router.call import Call
from router.caller import admitted
from router.doors.border import guarded
from router.doors.health import health, livez, readyz
from router.doors.landing import landing
from router.doors.metrics import metrics
from router.doors.refusing import refused
from router.doors.site import at_path, by_path
from router.guards.host import is_loopback, name_of

if TYPE_CHECKING:
    from router.service import Router


_READ = frozenset({"/health", "/livez", "/readyz", "/metrics"})


async def front(router: Router, call: Call) -> None:
    await guarded(router, call, router.formats["openai_chat"], _route(router, call))


async def _route(router: Router, call: Call) -> None:
    if _misdirected(router, call):
        await _nobody(router, call)
        return
    site = at_path(router, call.path)
    reads = call.method in ("GET", "HEAD")
    # a path that only leads to a name takes no more: an SDK's POST /chat/completions is no page
    if site is not None and (reads or not site.host):
        await by_path(router, call, site)
        return
    if not reads:
        await (_only_read if call.path in _READ else _nothing)(router, call)
        return
    match call.path:
        case "" | "/":
            await landing(router, call, _known(router, call))
        case "/health" | "/metrics" if not _known(router, call):
            await _closed(router, call)
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
            await _nothing(router, call)


async def _only_read(router: Router, call: Call) -> None:
    words = f"{call.method} is not served here: use GET"
    refused(router, call, 405, words)
    body = {"error": {"message": words, "type": "invalid_request_error"}}
    await call.json(405, body, (("allow", "GET, HEAD"),))


def _known(router: Router, call: Call) -> bool:
    """On this machine alone everybody may see the figures; beyond it, who has a client's key."""
    generation = router.generation
    if is_loopback(generation.listen.host):
        return True
    return admitted(call.key, (*generation.litellm.keys, *generation.ccr.keys))


async def _closed(router: Router, call: Call) -> None:
    """What a stranger learns: that something answers here."""
    words = "figures are told to those who show a client's key, as `Authorization: Bearer`"
    refused(router, call, 401, words)
    await call.json(401, {"error": {"message": words, "type": "authentication_error"}})


def _misdirected(router: Router, call: Call) -> bool:
    """Whether the client looks for a program by a local name that no program has. The assets are
    what the notice about it is drawn with."""
    name = _name(call)
    if not name.endswith(".localhost") or call.path.startswith("/assets/"):
        return False
    return name not in (host.lower() for host in router.generation.listen.hosts)


def _name(call: Call) -> str:
    return name_of(call.headers.get("host", ""))


async def _nobody(router: Router, call: Call) -> None:
    sites = router.generation.hosts if _known(router, call) else {}
    names = ["`localhost` (Pointsman)", *(f"`{host}` ({s.title})" for host, s in sites.items())]
    title = f"nothing here is called {_name(call)[:300]}"
    refused(router, call, 404, title)
    await pages.notice(
        call,
        404,
        title,
        f"The names here are {', '.join(names)}.",
        "In pointsman.toml, `host` under `[neighbours.NAME]` gives a program a name, and `hosts`"
        " under `[listen]` gives this router one.",
    )


async def _nothing(router: Router, call: Call) -> None:
    title = f"there is nothing at {call.path[:300]}"
    refused(router, call, 404, title)
    await pages.notice(
        call,
        404,
        title,
        "The APIs are at `/litellm/v1`, `/ccr/v1`, `/claude-code/v1`, `/ollama` and `/gemini`.",
    )
