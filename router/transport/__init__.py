"""The way to a provider: the only importer of an HTTP client, which is our own.

An asyncio.Protocol on httptools, because the client is what limits a gateway: per request httpx
costs 1.5-5 ms of CPU, aiohttp 0.2 ms, this 0.03 ms. One rule: every wait has a deadline, and every
way out (read to the end, failed, aborted, cancelled) leaves no connection open that nobody owns.

    address.py   where a URL leads, and how a request begins
    dial.py      a connection to a name
    wire.py      one connection
    response.py  one answer, as it arrives
    proxy.py     HTTP_PROXY, HTTPS_PROXY, NO_PROXY
    upload.py    a body that is sent as it comes
    upgrade.py   a WebSocket's way
"""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Sequence

from router.errors import UpstreamError
from router.outbox import Outbox
from router.settings import Timeouts
from router.transport import address as addresses
from router.transport.address import Address
from router.transport.dial import Dial
from router.transport.proxy import Proxies, Proxy, tunnel
from router.transport.response import Response
from router.transport.upgrade import Upgraded, upgrade
from router.transport.upload import Upload
from router.transport.wire import Connection, Key

__all__ = ["Proxies", "Response", "Transport", "Upgraded", "Upload"]

#: idle connections kept per endpoint; more are closed as they come free
_KEPT = 256


class Transport:
    """Connections to all providers. One per process; belongs to one event loop.

    `tls` replaces the platform's own trust (ssl.create_default_context; honours SSL_CERT_FILE),
    `dial` how names are looked up.
    """

    def __init__(
        self,
        *,
        proxies: Proxies | None = None,
        tls: ssl.SSLContext | None = None,
        dial: Dial | None = None,
    ) -> None:
        self._names = dial or Dial()
        self._proxies = proxies or Proxies()
        self._tls = tls
        self._outbox: Outbox | None = None
        self._idle: dict[Key, list[Connection]] = {}
        self._open: set[Connection] = set()

    @property
    def open(self) -> int:
        """Connections that exist now, idle or not."""
        return len(self._open)

    async def send(
        self,
        method: str,
        url: str,
        headers: Sequence[tuple[str, str]],
        body: bytes | Upload,
        *,
        timeouts: Timeouts,
        provider: str,
        host: str = "",
        codings: str | None = None,
    ) -> Response:
        """Sends one request; returns when the status line and headers of the answer are here.

        Redirects are not followed. Headers that frame the message (host, content-length,
        accept-encoding, …) are ours: those in `headers` are left out. `host` is said in place of
        the address's own. `codings`: what Accept-Encoding says (""
        nothing), and the answer's body stays as it came; None: it is asked for plain, and what
        comes compressed all the same is undone. Raises UpstreamError of kind
        "connect" (nothing was sent), "timeout" or "upstream".
        A kept-alive connection that was closed as the request went out is replaced, once.
        """
        length = body.length if isinstance(body, Upload) else len(body)
        try:
            address = addresses.parse(url)
            proxy = self._proxies.choose(address)
            target = address.target
            if proxy is not None and not address.tls:
                target = address.absolute
                if proxy.credential:
                    headers = (*headers, ("proxy-authorization", proxy.credential))
            asked = "identity" if codings is None else codings
            head = addresses.head(method, target, host or address.authority, headers, length, asked)
        except ValueError as error:
            raise _unreachable(provider, str(error)) from None
        key = (address.tls, address.host, address.port, proxy)
        # a body that comes but once cannot be sent again if the connection turns out to be closed
        connection = None if isinstance(body, Upload) else self._reuse(key)
        if connection is not None:
            response = connection.exchange(head, body, provider, timeouts)
            response.as_it_came = codings is not None
            try:
                await response.started()
                return response
            except UpstreamError:
                if not connection.stale:
                    raise
        connection = await self._connect(key, address, timeouts.connect, provider)
        response = connection.exchange(head, body, provider, timeouts)
        response.as_it_came = codings is not None
        await response.started()
        return response

    async def upgrade(
        self,
        url: str,
        headers: Sequence[tuple[str, str]],
        *,
        timeouts: Timeouts,
        provider: str,
        host: str = "",
    ) -> Upgraded:
        """The handshake of a WebSocket, of which `headers` hold the rest. Raises UpstreamError of
        kind "connect", "timeout" or "upstream". Never through a proxy of the environment."""
        try:
            address = addresses.parse(url)
            head = addresses.head("GET", address.target, host or address.authority, headers, 0)
        except ValueError as error:
            raise _unreachable(provider, str(error)) from None
        head = head[:-2] + b"connection: Upgrade\r\nupgrade: websocket\r\n\r\n"
        tls = await self._trust() if address.tls else None
        seconds = (timeouts.connect, timeouts.first_byte)
        try:
            return await upgrade(self._names, address, head, tls, seconds)
        except TimeoutError:
            words = f"no answer from {address.authority} in time"
            raise _unreachable(provider, words, 504) from None
        except OSError as error:
            words = f"no connection to {address.authority}: {_reason(error)}"
            raise _unreachable(provider, words) from None

    def forget(self) -> None:
        """Keeps no key that was sent so far."""
        addresses.forget()

    async def close(self) -> None:
        """Closes every connection; answers under way fail."""
        gone = list(self._open)
        for connection in gone:
            connection.close()
        self._idle.clear()
        await self._names.close()
        await asyncio.sleep(0)  # lets the loop report the closings

    def _reuse(self, key: Key) -> Connection | None:
        idle = self._idle.get(key)
        while idle:
            connection = idle.pop()  # the warmest; the coldest age out
            if connection.usable:
                return connection
        return None

    def _freed(self, connection: Connection) -> None:
        if len(connection.idle) < _KEPT:
            connection.idle.append(connection)
        else:
            connection.abort()

    def _gone(self, connection: Connection) -> None:
        self._open.discard(connection)
        if connection in connection.idle:
            connection.idle.remove(connection)

    async def _connect(
        self, key: Key, address: Address, seconds: float, provider: str
    ) -> Connection:
        """Raises UpstreamError of kind "connect"."""
        loop = asyncio.get_running_loop()
        if self._outbox is None:
            self._outbox = Outbox(loop)
        idle = self._idle.setdefault(key, [])
        connection = Connection(loop, self._outbox, idle, self._freed, self._gone)
        self._open.add(connection)
        try:
            async with asyncio.timeout(seconds):
                await self._dial(connection, address, key[3])
            if not connection.usable:
                raise ConnectionResetError
        except BaseException as error:
            connection.abort()  # a half-made one, also when the caller was cancelled
            self._open.discard(connection)
            if isinstance(error, TimeoutError):
                words = f"no connection to {address.authority} within {seconds:g} s"
                failed = _unreachable(provider, words, 504)
            elif isinstance(error, OSError):
                words = f"no connection to {address.authority}: {_reason(error)}"
                failed = _unreachable(provider, words)
                error.__traceback__ = None  # who raced the addresses keeps the error in a frame
            else:
                raise
        else:
            return connection
        try:  # out here, and forgotten: it shall hold nothing of what led to it, nor this frame it
            raise failed
        finally:
            del failed

    async def _dial(self, connection: Connection, address: Address, proxy: Proxy | None) -> None:
        loop = asyncio.get_running_loop()
        tls = await self._trust() if address.tls else None
        first: Address | Proxy = proxy or address
        sock = await self._names.connect(first.host, first.port)
        try:
            if proxy is not None and tls is not None:
                await tunnel(loop, sock, proxy, address, tls, connection)
            else:
                named = address.host if tls is not None else None
                await loop.create_connection(
                    lambda: connection, sock=sock, ssl=tls, server_hostname=named
                )
        except BaseException:
            sock.close()
            raise

    async def _trust(self) -> ssl.SSLContext:
        """Loading the platform's certificates takes 10-50 ms: once, and off the loop."""
        if self._tls is None:
            self._tls = await asyncio.to_thread(ssl.create_default_context)
        return self._tls


def _unreachable(provider: str, words: str, status: int = 502) -> UpstreamError:
    return UpstreamError(
        f"provider {provider}: {words}", kind="connect", status=status, provider=provider
    )


def _reason(error: OSError) -> str:
    """In words that hold no path and no secret."""
    if isinstance(error, ssl.SSLCertVerificationError):
        return f"its certificate is not trusted ({error.verify_message})"
    if isinstance(error, ssl.SSLError):
        if error.reason == "WRONG_VERSION_NUMBER":
            return "it does not speak TLS: its address may have to begin with http://"
        return f"TLS failed ({error.reason or 'no reason given'})"
    if isinstance(error, socket.gaierror):
        return "its name was not found"
    if isinstance(error, ConnectionRefusedError):
        return "connection refused"
    if isinstance(error, ConnectionResetError):
        return "it closed the connection as soon as it was open"
    return error.strerror or str(error) or type(error).__name__
