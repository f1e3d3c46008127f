"""From a port and a path to a door: the mounts, and the guards that stand before all of them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import lru_cache
from typing import TYPE_CHECKING

from router.asgi import Receive, Scope, Send
from router.call import Call
from router.doors.ccr import ccr, claude_code
from router.doors.console import console
from router.doors.front import front
from router.doors.gemini import gemini
from router.doors.litellm import litellm
from router.doors.ollama import ollama
from router.doors.refusing import refused
from router.doors.site import at_host
from router.errors import CallerError
from router.guards import check, origin, proxied

if TYPE_CHECKING:
    from router.service import Router

Door = Callable[["Router", Call], Awaitable[None]]

#: below these paths of the front door
MOUNTS: dict[str, Door] = {
    "litellm": litellm,
    "ccr": ccr,
    "claude-code": claude_code,
    "console": console,
    "ollama": ollama,
    "gemini": gemini,
}


class App:
    """The ASGI application of all listeners. `roots`: port → the door at its root."""

    def __init__(self, router: Router, roots: dict[int, Door]) -> None:
        self._router = router
        self._roots = roots
        #: the same few are asked for again and again
        self._door = lru_cache(maxsize=256)(self._found)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http":
            return
        server = scope["server"]
        door, path = self._door(scope["path"], server[1] if server else 0)
        router = self._router
        generation = router.generation
        call = Call(scope, receive, send, path)
        try:
            site = check(scope, call.headers, generation)
        except CallerError as error:
            refused(router, call, error.status, error.noted)
            body = {"error": {"message": error.message, "type": "permission_error"}}
            await call.json(error.status, body, error.headers)
            return
        if proxied.HEADER in call.headers and not router.came_for:
            router.came_through(call.headers[proxied.HEADER])
        origins = generation.listen.origins
        if origins:
            call.cors = origin.cors(call.headers.get("origin", ""), origins)
            allowed = origin.preflight(call.method, call.headers, origins)
            if allowed is not None:
                await call.preflight(allowed)
                return
        if site is None or scope["server"][1] in self._roots:
            await door(router, call)
        elif site.door:
            call.path = scope["path"]
            await MOUNTS[site.door](router, call)
        else:
            await at_host(router, call, site)

    def _found(self, path: str, port: int) -> tuple[Door, str]:
        """The door at a path of a port, and the path behind it."""
        door = self._roots.get(port)
        if door is not None:
            return door, "/" + path.lstrip("/")
        first, _, rest = path.lstrip("/").partition("/")
        mounted = MOUNTS.get(first)
        # a base that ends in a slash, put before a path that begins with one, is what many write
        return (front, path) if mounted is None else (mounted, "/" + rest.lstrip("/"))
