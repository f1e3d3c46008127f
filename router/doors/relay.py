"""Towards a real LiteLLM or CCR that plays its own role: what is metered, what just passes."""

from __future__ import annotations

from typing import TYPE_CHECKING

from router.call import Call
from router.doors.homeward import Onward
from router.doors.passing import pass_on
from router.doors.refusing import refused
from router.errors import UpstreamError
from router.guards.host import is_loopback, without_port
from router.guards.origin import scheme
from router.pages import AGAIN, notice
from router.rules.plan import Candidate
from router.settings import Provider, Role

if TYPE_CHECKING:
    from router.service import Router

#: the client's key goes to the external tool: it is its own keys that it checks
_CREDENTIALS = ("authorization", "x-api-key", "api-key", "x-litellm-api-key", "user-agent")

#: where the pages of both begin
START = "/ui/"


def candidate(role: Role, call: Call, format: str) -> Candidate:
    """The external tool as the one provider of a request, so that it is metered as any other."""
    provider = Provider(
        name=role.name,
        format=format,
        url=role.url.rstrip("/") + call.path,
        base=role.url.rstrip("/") + "/v1",
        auth="none",
        kind="litellm",
        headers=tuple((n, call.headers[n]) for n in _CREDENTIALS if n in call.headers),
        source="external",
    )
    return Candidate(provider=provider, model="", reason="external")


async def relay(router: Router, call: Call, role: Role) -> None:
    """Passes one request on as it is. Not metered."""
    whole: str = call.scope["path"]
    prefix = whole.removesuffix(call.path) if whole.endswith(call.path) else whole
    try:
        await pass_on(router, call, Onward(role.name, role.url.rstrip("/"), call.path, prefix))
    except UpstreamError as error:
        if call.started or "text/html" not in call.headers.get("accept", ""):
            raise
        await _absent(router, call, role, error)


async def _absent(router: Router, call: Call, role: Role, error: UpstreamError) -> None:
    """For a person, who looks for its pages."""
    title = role.title
    why = error.message.removeprefix(f"provider {role.name}").removeprefix(": ").strip()
    refused(router, call, error.status, f"{title}: {why}")
    await notice(
        call,
        error.status,
        f"{title} does not run" if error.kind == "connect" else f"{title} failed",
        f"It was looked for at `{role.url}`: {why}.",
        f"Start it, and this page leads there by itself. Without `url` under `[{role.name}]` in"
        " pointsman.toml, this router plays it.",
        again=AGAIN if error.kind == "connect" else 0,
        kind="api_error",
    )


async def visited(router: Router, call: Call, role: Role) -> bool:
    """Answers a GET of a person's browser that opens a role's pages. False for every other."""
    if not _visit(call):
        return False
    if role.mode == "external":
        return await _lead(router, call, role)
    if call.scope["path"].startswith(f"/{role.name}"):
        return False  # behind the front door, the console opens there
    await _played_here(call, role)
    return True


async def _lead(router: Router, call: Call, role: Role) -> bool:
    """To the name that the pages of an external role work under. False where it is there already,
    or cannot reach that name."""
    generation = router.generation
    asked = call.headers.get("host", "")
    here = without_port(asked).lower()
    if here in generation.hosts:
        return False
    place = next((host for host, site in generation.hosts.items() if site.door == role.name), "")
    if not place or (is_loopback(place) and not is_loopback(here)):
        return False
    port = asked.rpartition(":")[2]
    where = f"{place}:{port}" if port.isdecimal() else place
    path = START if call.path in ("", "/") else call.path
    if query := call.scope["query_string"].decode("latin-1"):
        path += f"?{query}"
    where = f"{scheme(asked, generation.listen.origins)}://{where}{path}"
    await call.answer(307, b"", "text/plain", [("location", where)])
    return True


def _visit(call: Call) -> bool:
    """Whether a person's browser asks for a page."""
    top = call.path in ("", "/", "/ui") or call.path.startswith("/ui/")
    return top and "text/html" in call.headers.get("accept", "")


async def _played_here(call: Call, role: Role) -> None:
    await notice(
        call,
        200,
        f"This router plays {role.title}",
        "Its models, routes, costs and requests are in the console: `pointsman` in a terminal,"
        " here or over SSH.",
        f"A real one takes its place where pointsman.toml names it (`[{role.name}]` with `url`);"
        " its own pages are then behind this address.",
    )
