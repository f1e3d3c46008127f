"""The HTTP proxy that the environment names: which one for which host, and the tunnel through it.

The one rule: loopback is never proxied. A proxy's own loopback is another machine.
"""

from __future__ import annotations

import asyncio
import ipaddress
import socket
import ssl
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass, field
from urllib.parse import unquote, urlsplit

from router.settings import NO_KEY, Secret
from router.transport.address import Address

#: bytes of a proxy's answer to CONNECT
_ANSWER_LIMIT = 16 * 1024


class ProxyRefusedError(OSError):
    """The proxy did not open the tunnel."""


@dataclass(frozen=True, slots=True)
class Proxy:
    host: str
    port: int
    credential: Secret = NO_KEY  # value of Proxy-Authorization
    #: why it cannot be used: what is meant for it goes nowhere, rather than past it
    trouble: str = ""


@dataclass(frozen=True, slots=True)
class Proxies:
    """What HTTP_PROXY, HTTPS_PROXY and NO_PROXY say."""

    http: Proxy | None = None
    https: Proxy | None = None
    bypass: tuple[str, ...] = field(default=())

    @classmethod
    def from_env(cls, env: Mapping[str, str]) -> Proxies:
        """Lower-case names win, as in curl."""

        def get(*names: str) -> Proxy | None:
            for name in names:
                if url := (env.get(name.lower()) or env.get(name) or "").strip():
                    return _proxy(name, url)
            return None

        bypass = env.get("no_proxy") or env.get("NO_PROXY") or ""
        return cls(
            http=get("HTTP_PROXY", "ALL_PROXY"),
            https=get("HTTPS_PROXY", "ALL_PROXY"),
            bypass=tuple(map(_plain, bypass.replace(",", " ").lower().split())),
        )

    @property
    def troubles(self) -> tuple[str, ...]:
        found = (each.trouble for each in (self.http, self.https) if each is not None)
        return tuple(dict.fromkeys(filter(None, found)))

    def choose(self, address: Address) -> Proxy | None:
        """Raises ValueError for one that cannot be used, without its secret."""
        proxy = self.https if address.tls else self.http
        if proxy is None or _is_loopback(address.host):
            return None
        host = address.host.lower()
        for name in self.bypass:
            bare, _, port = name.partition(":") if name.count(":") == 1 else (name, "", "")
            if port and port != str(address.port):
                continue
            if bare == "*" or host == bare or host.endswith(f".{bare}") or _within(host, bare):
                return None
        if proxy.trouble:
            raise ValueError(proxy.trouble)
        return proxy


def _plain(name: str) -> str:
    """One of NO_PROXY's names as it is compared: of "*.inner", ".inner" and "inner." is left
    "inner", of "[::1]" the address."""
    if name.startswith("[") and name.endswith("]"):
        return name[1:-1]
    return name if name == "*" else name.removeprefix("*").lstrip(".").rstrip(".")


def _proxy(name: str, url: str) -> Proxy:
    try:
        parts = urlsplit(url if "://" in url else f"http://{url}")
        if parts.scheme != "http" or not parts.hostname:
            raise ValueError
        port = parts.port or 80
    except ValueError:  # in its own words, which hold the secret
        return Proxy("", 0, trouble=f"{name} is not the http:// address of a proxy")
    credential = NO_KEY
    if parts.username is not None:
        pair = f"{unquote(parts.username)}:{unquote(parts.password or '')}"
        credential = Secret("Basic " + b64encode(pair.encode()).decode())
    return Proxy(parts.hostname, port, credential)


def _is_loopback(host: str) -> bool:
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return host == "localhost" or host.endswith(".localhost")


def _within(host: str, network: str) -> bool:
    try:
        return "/" in network and ipaddress.ip_address(host) in ipaddress.ip_network(network)
    except ValueError:
        return False


async def tunnel(
    loop: asyncio.AbstractEventLoop,
    sock: socket.socket,
    proxy: Proxy,
    address: Address,
    tls: ssl.SSLContext,
    protocol: asyncio.Protocol,
) -> None:
    """Connects `protocol` to `address` through CONNECT and TLS; `sock` leads to the proxy. Raises
    OSError."""
    named = f"[{address.host}]" if ":" in address.host else address.host
    lines = [f"CONNECT {named}:{address.port} HTTP/1.1", f"host: {named}:{address.port}"]
    if proxy.credential:
        lines.append("proxy-authorization: " + proxy.credential)
    transport, asking = await loop.create_connection(_Asking, sock=sock)
    try:
        transport.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))
        await asking.opened
        secured = await loop.start_tls(transport, protocol, tls, server_hostname=address.host)
    except BaseException:
        transport.abort()
        raise
    assert secured is not None
    protocol.connection_made(secured)


class _Asking(asyncio.Protocol):
    """Reads the proxy's answer to CONNECT. `opened` resolves when the tunnel stands."""

    def __init__(self) -> None:
        self.opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._answer = b""

    def data_received(self, data: bytes) -> None:
        self._answer += data
        if self.opened.done():
            return
        if b"\r\n\r\n" in self._answer:
            status = self._answer.split(b" ", 2)[1:2]
            if status and len(status[0]) == 3 and status[0].startswith(b"2"):
                self.opened.set_result(None)
            else:
                code = status[0][:3].decode("latin-1") if status else "nothing"
                self.opened.set_exception(ProxyRefusedError(f"the proxy answered {code}"))
        elif len(self._answer) > _ANSWER_LIMIT:
            self.opened.set_exception(ProxyRefusedError("the proxy's answer has no end"))

    def connection_lost(self, exc: Exception | None) -> None:
        if not self.opened.done():
            self.opened.set_exception(ProxyRefusedError("the proxy closed the connection"))
