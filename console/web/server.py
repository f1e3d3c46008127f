"""What a browser is answered: the page's few files, and the socket for who shows a ticket.

Its rule: nobody is known by anything that a browser sends of its own accord (no cookie): the page
itself shows its ticket, in the handshake, and only a page that came from us (Origin) may.
"""

from __future__ import annotations

import asyncio
import base64
import mimetypes
import secrets
from http import HTTPStatus
from importlib import resources
from typing import NamedTuple
from urllib.parse import parse_qs, urlsplit

from websockets.asyncio.server import ServerConnection
from websockets.datastructures import Headers
from websockets.exceptions import ConnectionClosed
from websockets.http11 import Request, Response

from console.link import Link, RouterDownError
from console.remote import log
from console.remote.nursery import Nursery
from console.remote.options import Options
from console.web.seat import Seat, SeatError
from router.contract import Invitation, Redeem

#: bytes of one message: a paste
LARGEST = 1 << 20
SUBPROTOCOL = "pointsman"
#: consoles at once; and browsers that are remembered so that they may come back
SEATS = 8
REMEMBERED = 64

_FILES = {
    "/": "index.html",
    **{
        f"/{name}": name
        for name in (
            *("console.css", "console.js", "xterm.css", "xterm.js"),
            *("addon-fit.js", "addon-unicode11.js", "LICENSE.xterm"),
        )
    },
}
#: xterm.js writes its colours into a <style> of its own; scripts are ours alone
_POLICY = (
    "default-src 'none'; script-src 'self'; style-src 'self' 'unsafe-inline'; connect-src 'self';"
    " img-src 'self' data:; base-uri 'none'; form-action 'none'; frame-ancestors 'none'"
)


class Browser(NamedTuple):
    """Who was let in; `token` lets the same page in again."""

    token: str
    invitation: Invitation
    seat: Seat | None


class Server:
    def __init__(self, options: Options) -> None:
        self._options = options
        self._nursery = Nursery()
        self._warmed = False
        self._browsers: dict[str, Browser] = {}
        #: one console is begun at a time: many that come at once are counted, too
        self._seating = asyncio.Lock()
        #: whom a handshake that is under way will be
        self._admitted: dict[ServerConnection, str] = {}

    async def close(self) -> None:
        seats = [each.seat for each in self._browsers.values() if each.seat is not None]
        await asyncio.gather(*(seat.end() for seat in seats))
        await self._nursery.close()

    # ── before the socket opens ───────────────────────────────────────────────────────────────────

    async def answer(self, connection: ServerConnection, request: Request) -> Response | None:
        """The answer to a plain request, or to a handshake that is refused; None opens it."""
        path = urlsplit(request.path).path
        if path == "/ws":
            return await self._admit(connection, request)
        name = _FILES.get(path)
        if name is None:
            return _refusal(HTTPStatus.NOT_FOUND, "there is nothing here")
        body = resources.files("console.web").joinpath("static", name).read_bytes()
        kind = mimetypes.guess_type(name)[0] or "text/plain"
        headers = Headers()
        for header, value in (
            ("Content-Type", f"{kind}; charset=utf-8"),
            ("Content-Length", str(len(body))),
            ("Content-Security-Policy", _POLICY),
            ("X-Content-Type-Options", "nosniff"),
            ("Referrer-Policy", "no-referrer"),
            ("Cache-Control", "no-cache"),
            ("Connection", "close"),
        ):
            headers[header] = value
        return Response(200, "OK", headers, body)

    async def _admit(self, connection: ServerConnection, request: Request) -> Response | None:
        origin = request.headers.get("Origin", "")
        host = request.headers.get("X-Forwarded-Host") or request.headers.get("Host", "")
        if not origin or urlsplit(origin).netloc.lower() != host.lower():
            return _refusal(HTTPStatus.FORBIDDEN, "only our own page may open the console")
        offered = [each.strip() for each in request.headers.get(_OFFERS, "").split(",")]
        if SUBPROTOCOL not in offered:
            return _refusal(HTTPStatus.BAD_REQUEST, "this is the console's socket")
        for each in offered:
            kind, _, value = each.partition(".")
            if kind == "again" and value in self._browsers:
                self._admitted[connection] = value
                return None
            # one we do not know may be of the front before us: the router tells
            shown = _shown("ticket" if kind == "again" else kind, value)
            if shown is not None and (token := await self._redeemed(shown)):
                self._admitted[connection] = token
                return None
        log.event("a browser was refused", "warning")
        return _refusal(HTTPStatus.UNAUTHORIZED, "`pointsman web` gives a ticket")

    async def _redeemed(self, shown: Redeem) -> str:
        link = Link(self._options.home, token="")
        try:
            found = await link.act(shown)
        except RouterDownError:
            return ""
        finally:
            await link.close()
        if not isinstance(found, Invitation):
            return ""
        token = found.again or secrets.token_urlsafe(24)
        self._browsers[token] = Browser(token, found, None)
        return token

    # ── the open socket ───────────────────────────────────────────────────────────────────────────

    async def talk(self, connection: ServerConnection) -> None:
        """Until the browser leaves, or the console ends: then 4000 and the exit code."""
        token = self._admitted.pop(connection)
        assert connection.request is not None
        query = parse_qs(urlsplit(connection.request.path).query)
        try:
            async with self._seating:
                seat = await self._seat(token, connection, query)
            await connection.send(f'{{"again": "{token}"}}')
            code = await seat.serve(connection)
            if code is not None:
                self._browsers[token] = self._browsers[token]._replace(seat=None)
                await connection.close(4000, f"the console ended with code {code}")
        except SeatError as error:
            await connection.close(4001, str(error))
        except ConnectionClosed:
            pass

    async def _seat(
        self, token: str, connection: ServerConnection, query: dict[str, list[str]]
    ) -> Seat:
        """The console that this browser left a moment ago, or a new one."""
        browser = self._browsers[token]
        if browser.seat is not None and not browser.seat.over:
            return browser.seat
        self._forget()
        if sum(b.seat is not None and not b.seat.over for b in self._browsers.values()) >= SEATS:
            raise SeatError(f"{SEATS} consoles are open in browsers already")
        if not self._warmed:
            self._warmed = True
            await self._nursery.open()
        peer = connection.request.headers.get("X-Forwarded-For", "") if connection.request else ""
        seat = Seat(self._options, browser.invitation, self._nursery)
        await seat.begin(peer, query)
        self._browsers[token] = browser._replace(seat=seat)
        return seat

    def _forget(self) -> None:
        """The oldest browsers without a console make room."""
        idle = [t for t, b in self._browsers.items() if b.seat is None or b.seat.over]
        for token in idle[: max(0, len(self._browsers) - REMEMBERED)]:
            del self._browsers[token]


_OFFERS = "Sec-WebSocket-Protocol"


def _shown(kind: str, value: str) -> Redeem | None:
    """A ticket as it is; a key as base64url, for not every key is a word that a header may hold."""
    if kind == "ticket":
        return Redeem(value)
    if kind != "key":
        return None
    try:
        key = base64.urlsafe_b64decode(value + "=" * (-len(value) % 4)).decode()
    except ValueError:
        return None
    return Redeem(key=key) if key else None


def _refusal(status: HTTPStatus, words: str) -> Response:
    body = (words + "\n").encode()
    headers = Headers()
    headers["Content-Type"] = "text/plain; charset=utf-8"
    headers["Content-Length"] = str(len(body))
    headers["Connection"] = "close"
    return Response(status.value, status.phrase, headers, body)
