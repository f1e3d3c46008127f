"""Other programs' pages behind the front door: under a path, or under a host name of their own.

One rule: whoever asks for a program that is not there gets a page that says which one it is, where
it was looked for, and how to start it.
"""

from __future__ import annotations

from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from router.call import Call
from router.doors.border import guarded
from router.doors.console import moved
from router.doors.homeward import Onward
from router.doors.passing import pass_on
from router.doors.refusing import refused
from router.errors import CallerError, RequestError
from router.guards.body import ClientGoneError
from router.guards.host import is_loopback, without_port
from router.guards.origin import scheme
from router.pages import AGAIN, notice
from router.settings import Site

if TYPE_CHECKING:
    from router.service import Router


def at_path(router: Router, path: str) -> Site | None:
    """The site with the longest path that `path` lies under."""
    found = [s for s in router.generation.sites if s.path and _under(path, s.path)]
    return max(found, key=lambda site: len(site.path), default=None)


async def by_path(router: Router, call: Call, site: Site) -> None:
    rest = call.path[len(site.path) :]
    query = call.scope["query_string"].decode("latin-1")
    query = f"?{query}" if query else ""
    if stands_in(router, site):
        up = "../" * (call.path.count("/") - 1)
        await moved(call, f"{up}console/", site.stand_in)
    elif site.host:
        await _to_host(router, call, site, (rest or "/") + query)
    elif not rest:
        await call.answer(307, b"", "text/plain", [("location", f"{site.path}/{query}")])
    else:
        path, prefix = (rest, site.path) if site.strip else (call.path, "")
        await _serve(router, call, site, path, prefix)


def stands_in(router: Router, site: Site) -> bool:
    """Whether the console takes the place of a program that nobody has set up here."""
    missing = not (site.configured or site.name in router.children)
    return bool(site.stand_in) and missing and not router.health.probes.recognised(site)


async def at_host(router: Router, call: Call, site: Site) -> None:
    work = _serve(router, call, site, call.scope["path"], "")
    await guarded(router, call, router.formats["openai_chat"], work)


async def _to_host(router: Router, call: Call, site: Site, rest: str) -> None:
    """A path that leads to a name: as long as the client can reach names of that kind."""
    asked = call.headers.get("host", "")
    here = without_port(asked)
    if is_loopback(site.host) and not is_loopback(here):
        await notice(
            call,
            421,
            f"{site.title} cannot live under a path",
            f"It is served as `{site.host}`, which only this machine itself can reach.",
            f"Give it a name that leads here, such as `{site.name}.{here}`, in pointsman.toml:"
            f" `[neighbours.{site.name}]` with `host`.",
        )
        return
    port = asked.rpartition(":")[2]
    place = f"{site.host}:{port}" if port.isdecimal() else site.host
    where = f"{scheme(asked, router.generation.listen.origins)}://{place}{rest}"
    await call.answer(307, b"", "text/plain", [("location", where)])


async def _serve(router: Router, call: Call, site: Site, path: str, prefix: str) -> None:
    if not (site.configured or is_loopback(router.generation.listen.host)):
        title = f"{site.title} is not offered to other machines"
        refused(router, call, 403, title)
        await notice(
            call,
            403,
            title,
            f"It was found, not configured. To offer it, name it in pointsman.toml:"
            f" `[neighbours.{site.name}]` with `url`.",
            kind="permission_error",
        )
        return
    if not (site.configured or router.health.probes.recognised(site)):
        await _absent(router, call, site, f"no {site.title} answers there")
        return
    # a program here is asked by the name that the client used, as its own links and checks expect
    near = is_loopback(urlsplit(site.url).hostname or "")
    host = call.headers.get("host", "") if near else ""
    onward = Onward(site.title, site.url, path, prefix, host, site.timeouts)
    try:
        await pass_on(router, call, onward)
    except ClientGoneError:
        pass
    except CallerError as error:
        words = f"{error.message[:1].upper()}{error.message[1:]}."
        kind = "invalid_request_error"
        refused(router, call, error.status, error.message)
        await notice(call, error.status, "This is not passed on", words, kind=kind)
    except RequestError as error:
        # the transport's words are for providers, which this is not
        words = error.message.removeprefix(f"provider {site.title}").removeprefix(": ").strip()
        if call.started:
            # an answer that is left unfinished closes its connection
            router.log.warning("site", f"an answer of {site.name} was cut: it {words}")
        elif error.kind == "connect":
            await _absent(router, call, site, words)
        else:
            failed = f"`{site.url}` {words}."
            refused(router, call, error.status, f"{site.title} failed: {words}")
            await notice(call, error.status, f"{site.title} failed", failed, kind="api_error")


async def _absent(router: Router, call: Call, site: Site, why: str) -> None:
    child = router.children.get(site.name)
    if child is not None and child.state in ("starting", "running"):
        words = ["It is starting. This page looks again by itself."]
    else:
        words = [site.hint or "Start it, and this page leads there by itself."]
        if child is not None and child.trouble:
            words.append(f"It was started: {child.trouble}")
    title = f"{site.title} does not run"
    why = why.removeprefix(f"no connection to {urlsplit(site.url).netloc}: ")
    words.insert(0, f"It was looked for at `{site.url}`: {why}.")
    if "text/html" not in call.headers.get("accept", ""):  # a page asks again every few seconds
        refused(router, call, 502, f"{title}: {why}")
    await notice(call, 502, title, *words, again=AGAIN, kind="api_error")


def _under(path: str, base: str) -> bool:
    return path == base or path.startswith(base + "/")
