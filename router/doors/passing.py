"""Passing a request on to another program as it is, and its answer back as it comes: HTTP, streams
and WebSockets, both ways.

One rule: nothing is kept and nothing is understood; only what belongs to the hop itself is replaced
(RFC 9110, 7.6.1). Ends with the client: one that leaves closes the way upstream, too.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING
from urllib.parse import quote

import httptools

from router.call import Call
from router.cycle import Leaving
from router.doors.homeward import HOP, Onward, homeward
from router.errors import CallerError, UpstreamError
from router.guards.origin import scheme
from router.guards.tunnel import Tunnel
from router.headers import read
from router.transport import Upgraded, Upload

if TYPE_CHECKING:
    from router.service import Router

#: who may say where a request came from is the one that it came to: us
_FORWARDED = frozenset(
    {
        *("forwarded", "x-forwarded-for", "x-forwarded-host", "x-forwarded-proto"),
        *("x-forwarded-port", "x-forwarded-prefix", "x-real-ip"),
    }
)
#: may be asked again: nothing changes by it (RFC 9110, 9.2.1)
_SAFE = frozenset(("GET", "HEAD", "OPTIONS"))
#: bytes of the body of a refused handshake that are shown
REFUSAL = 64 * 1024


async def pass_on(router: Router, call: Call, onward: Onward) -> None:
    """Raises UpstreamError where no answer came, or it was cut short; CallerError."""
    if ".." in onward.path.split("/"):
        raise CallerError("a path may not hold `..`", status=400)
    if call.method == "TRACE":  # it would read a browser's cookies back
        raise CallerError("the method TRACE would show what a browser keeps to itself", status=405)
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
        _headers(router, call, onward),
        _body(call),
        timeouts=onward.timeouts,
        provider=onward.name,
        host=onward.host,
        codings=call.headers.get("accept-encoding", ""),
    )
    try:
        if not 200 <= response.status < 600:
            raise UpstreamError(
                f"provider {onward.name} answered with the status {response.status}",
                kind="upstream",
                status=502,
            )
        await _begin(call, response.status, response.headers, onward)
        if call.method != "HEAD":
            while chunk := await response.read():
                await call.more(chunk)
        await call.end()
    finally:
        response.abort()


async def _begin(call: Call, status: int, headers: dict[str, str], onward: Onward) -> None:
    back = list(homeward(headers, onward))
    if "x-request-id" in headers:
        call.id = None  # it names its answers itself
    # one that names no kind is left to be guessed by the client, as it is without us
    await call.begin(status, headers.get("content-type", ""), back)


def _body(call: Call) -> bytes | Upload:
    length = call.headers.get("content-length")
    if length in (None, "0") and "transfer-encoding" not in call.headers:
        # what changes something is never sent twice, not even where nothing came back
        return b"" if call.method in _SAFE else Upload(_nothing(), 0)
    call.scope["moved"] = False
    return Upload(_pieces(call), None if length is None else int(length))


async def _pieces(call: Call) -> AsyncIterator[bytes]:
    more = True
    while more:
        message = await call.receive()
        if message["type"] != "http.request":
            raise ConnectionError("the client left")
        more = message.get("more_body", False)
        # the connection's deadline is for the next piece (guards/connection.py)
        call.scope["moved"] = True
        yield message.get("body", b"")


async def _nothing() -> AsyncIterator[bytes]:
    return
    yield  # makes it an iterator


def _url(call: Call, onward: Onward) -> str:
    query = call.scope["query_string"].decode("latin-1")
    # as it came where nothing was taken off but a prefix: an escaped slash is not a slash
    raw: str = call.scope.get("raw_path", b"").decode("latin-1")
    path = raw.removeprefix(onward.prefix) if raw.startswith(onward.prefix) else ""
    if not path.startswith("/"):  # `/tool%2f@elsewhere` must not go on in the name of the host
        path = quote(onward.path)
    return onward.base + (path or "/") + (f"?{query}" if query else "")


def _headers(router: Router, call: Call, onward: Onward) -> list[tuple[str, str]]:
    named = call.headers.get("connection", "").lower()  # those are this hop's, too
    left = {each.strip() for each in named.split(",")} if named else ()
    kept = [
        (n, v)
        for n, v in call.headers.items()
        if n not in HOP and n not in _FORWARDED and n not in left
    ]
    client = call.scope.get("client")
    kept.append(("x-forwarded-for", client[0] if client else "127.0.0.1"))
    host = call.headers.get("host", "")
    kept.append(("x-forwarded-host", host))
    kept.append(("x-forwarded-proto", scheme(host, router.generation.listen.origins)))
    if onward.prefix:
        kept.append(("x-forwarded-prefix", onward.prefix))
    return kept


# ── WebSocket ─────────────────────────────────────────────────────────────────────────────────────


async def _websocket(router: Router, call: Call, onward: Onward, tunnel: Tunnel) -> None:
    upgraded = await router.transport.upgrade(
        _url(call, onward),
        _headers(router, call, onward),
        timeouts=onward.timeouts,
        provider=onward.name,
        host=onward.host,
    )
    try:
        if upgraded.status != 101:
            await _refused(call, upgraded, onward)
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


async def _refused(call: Call, upgraded: Upgraded, onward: Onward) -> None:
    """A server's "no" to a handshake, as it is; after it the connection is closed."""
    refusal = _Refusal()
    parser = httptools.HttpResponseParser(refusal)
    try:
        async with asyncio.timeout(1.0):
            data = upgraded.head
            while data and not refusal.whole and len(refusal.body) < REFUSAL:
                parser.feed_data(data)
                data = b"" if refusal.whole else await upgraded.reader.read(REFUSAL)
    except (OSError, httptools.HttpParserError):
        pass  # in time, uncut and in order: what it said so far is all
    found = read(refusal.headers) | {"content-length": str(len(refusal.body))}
    status = upgraded.status if 200 <= upgraded.status < 600 else 502
    await _begin(call, status, found, onward)
    await call.end(refusal.body)


class _Refusal:
    """What httptools finds in an answer."""

    def __init__(self) -> None:
        self.headers: list[tuple[bytes, bytes]] = []
        self.body = b""
        self.whole = False

    def on_header(self, name: bytes, value: bytes) -> None:
        self.headers.append((name.lower(), value))

    def on_body(self, data: bytes) -> None:
        self.body += data

    def on_message_complete(self) -> None:
        self.whole = True
