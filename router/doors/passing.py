"""Passing a request on to another program as it is, and its answer back as it comes: HTTP, streams
and WebSockets, both ways.

One rule: nothing is kept and nothing is understood; only what belongs to the hop itself is replaced
(RFC 9110, 7.6.1). Ends with the client: one that leaves closes the way upstream, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import quote, urlsplit

from msgspec import Struct

from router.cycle import Leaving
from router.doors.call import Call
from router.errors import CallerError, UpstreamError
from router.guards.tunnel import Tunnel
from router.settings import Timeouts
from router.transport import Upgraded, Upload

if TYPE_CHECKING:
    from router.service import Router

#: headers of the hop itself, and those that the next hop sets anew
HOP = frozenset(
    {
        *("connection", "keep-alive", "te", "trailer", "transfer-encoding", "upgrade", "expect"),
        *("proxy-authenticate", "proxy-authorization", "proxy-connection"),
        *("host", "content-length", "accept-encoding", "x-pointsman"),
    }
)
#: who may say where a request came from is the one that it came to: us
_FORWARDED = frozenset(
    {
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        *("x-forwarded-port", "x-forwarded-prefix", "x-real-ip"),
    }
)
#: said by us on every answer
_OURS = frozenset(("content-type", "date"))
#: bytes of the body of a refused handshake that are shown
REFUSAL = 64 * 1024


class Onward(Struct, frozen=True):
    """Where a request goes on to. `path` is asked of `base`; `prefix` is what was taken off the
    path the client knows, put before the places it is redirected to. `host`: what the program is
    called by; "": its own address."""

    name: str
    base: str
    path: str
    prefix: str = ""
    host: str = ""
    timeouts: Timeouts = Timeouts()


async def pass_on(router: Router, call: Call, onward: Onward) -> None:
    """Raises UpstreamError where no answer came, or it was cut short; CallerError."""
    if ".." in onward.path.split("/"):
        raise CallerError("a path may not climb", status=400)
    leaving: Leaving = call.scope["leaving"]
    task = asyncio.current_task()
    assert task is not None

    def left() -> None:
        task.cancel()

    leaving.then(left)
    try:
        if (tunnel := call.scope.get("tunnel")) is not None:
            await _websocket(router, call, onward, tunnel)
        else:
            await _http(router, call, onward)
    except asyncio.CancelledError:
        if not leaving.gone:
            raise  # the router is stopping
        task.uncancel()


# ── HTTP ──────────────────────────────────────────────────────────────────────────────────────────


async def _http(router: Router, call: Call, onward: Onward) -> None:
    response = await router.transport.send(
        call.method,
        _url(call, onward),
        _headers(call, onward),
        _body(call),
        timeouts=onward.timeouts,
        provider=onward.name,
        host=onward.host,
    )
    try:
        if not 200 <= response.status < 600:
            raise UpstreamError(
                f"provider {onward.name} answered with the status {response.status}",
                kind="upstream",
                status=502,
            )
        back = list(_back(response.headers, onward))
        if "x-request-id" in response.headers:
            call.id = None  # it names its answers itself
        # one that names no kind is left to be guessed by the client, as it is without us
        await call.begin(response.status, response.headers.get("content-type", ""), back)
        if call.method != "HEAD":
            while chunk := await response.read():
                await call.more(chunk)
        await call.end()
    finally:
        response.abort()


def _body(call: Call) -> bytes | Upload:
    length = call.headers.get("content-length")
    if length is None and "transfer-encoding" not in call.headers:
        return b""
    if length == "0":
        return b""
    return Upload(_pieces(call), None if length is None else int(length))


async def _pieces(call: Call) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await call.receive()
        if message["type"] != "http.request":
            raise ConnectionError("the client left")
        more = message.get("more_body", False)
        yield message.get("body", b"")


def _url(call: Call, onward: Onward) -> str:
    query = call.scope["query_string"].decode("latin-1")
    # as it came where nothing was taken off but a prefix: an escaped slash is not a slash
    raw: str = call.scope.get("raw_path", b"").decode("latin-1")
    path = raw.removeprefix(onward.prefix) if raw.startswith(onward.prefix) else ""
    if not path.startswith("/"):  # `/tool%2f@elsewhere` must not go on in the name of the host
        path = quote(onward.path)
    return onward.base + (path or "/") + (f"?{query}" if query else "")


def _headers(call: Call, onward: Onward) -> list[tuple[str, str]]:
    named = call.headers.get("connection", "").lower()  # those are this hop's, too
    left = {each.strip() for each in named.split(",")} if named else ()
    kept = [
        (n, v)
        for n, v in call.headers.items()
        if n not in HOP and n not in _FORWARDED and n not in left
    ]
    client = call.scope.get("client")
    kept.append(("x-forwarded-for", client[0] if client else "127.0.0.1"))
    kept.append(("x-forwarded-host", call.headers.get("host", "")))
    kept.append(("x-forwarded-proto", "http"))
    if onward.prefix:
        kept.append(("x-forwarded-prefix", onward.prefix))
    return kept


def _back(headers: dict[str, str], onward: Onward) -> list[tuple[str, str]]:
    """What the client may see. Which web pages may read an answer is for us to say: LiteLLM and CCR
    say "any"."""
    told: list[tuple[str, str]] = []
    for name, value in headers.items():
        if name == "set-cookie":
            told += [(name, each) for each in value.split("\n")]
        elif name == "location":
            told.append((name, _moved(value, onward)))
        elif name == "content-length" or (
            name not in HOP and name not in _OURS and not name.startswith("access-control-")
        ):
            told.append((name, value))
    return told


def _moved(location: str, onward: Onward) -> str:
    """A place of the program's own, as the client can reach it."""
    parts = urlsplit(location)
    hosts = {urlsplit(onward.base).netloc, onward.host}
    if parts.netloc and parts.netloc not in hosts:
        return location
    if parts.netloc:
        location = location.partition(parts.netloc)[2] or "/"
    prefix = onward.prefix
    if not prefix or not location.startswith("/") or location == prefix:
        return location
    return location if location.startswith(f"{prefix}/") else prefix + location


# ── WebSocket ─────────────────────────────────────────────────────────────────────────────────────


async def _websocket(router: Router, call: Call, onward: Onward, tunnel: Tunnel) -> None:
    upgraded = await router.transport.upgrade(
        _url(call, onward),
        _headers(call, onward),
        timeouts=onward.timeouts,
        provider=onward.name,
        host=onward.host,
    )
    try:
        if upgraded.status != 101:
            await _refused(call, upgraded)
            return
        tunnel.take()
        try:
            await tunnel.write(upgraded.head)
            await _both_ways(tunnel, upgraded)
        finally:
            tunnel.close()
    finally:
        upgraded.close()


async def _both_ways(tunnel: Tunnel, upgraded: Upgraded) -> None:
    """Until either side ends."""
    up = asyncio.create_task(_up(tunnel, upgraded.writer))
    down = asyncio.create_task(_down(upgraded.reader, tunnel))
    try:
        await asyncio.wait({up, down}, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for way in (up, down):
            way.cancel()
        await asyncio.gather(up, down, return_exceptions=True)


async def _up(tunnel: Tunnel, writer: asyncio.StreamWriter) -> None:
    while data := await tunnel.read():
        writer.write(data)
        await writer.drain()


async def _down(reader: asyncio.StreamReader, tunnel: Tunnel) -> None:
    while data := await reader.read(65536):
        await tunnel.write(data)


async def _refused(call: Call, upgraded: Upgraded) -> None:
    """A server's "no" to a handshake, as a plain answer: after it the connection is closed."""
    body = b""
    try:
        async with asyncio.timeout(1.0):
            while len(body) < REFUSAL and (data := await upgraded.reader.read(REFUSAL)):
                body += data
    except TimeoutError:  # it keeps the connection: what it said so far is all
        pass
    status = upgraded.status if 400 <= upgraded.status < 600 else 502
    await call.answer(status, body[:REFUSAL], "text/plain; charset=utf-8")
