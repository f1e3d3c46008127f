"""A connection to a name: looked up once for all who wait for it, its addresses raced (RFC 8305).

A name may lead to several addresses, of which some are dead: an IPv6 that this network does not
carry, a machine of several that is down. One rule: whoever is no longer waited for is given up in
silence, be it a look-up or an address.
"""

from __future__ import annotations

import asyncio
import errno
import socket
from collections.abc import Awaitable, Callable, Sequence

from aiohappyeyeballs import AddrInfoType, start_connection

from router.keepalive import keep_alive

#: what finds the addresses of a host and port. Raises OSError
Lookup = Callable[[str, int], Awaitable[Sequence[AddrInfoType]]]

#: seconds that an address has to itself before the next is tried beside it (RFC 8305 section 5)
_HEAD_START = 0.25


async def _looked_up(host: str, port: int) -> Sequence[AddrInfoType]:
    """An address that is written out is not looked up."""
    return await asyncio.get_running_loop().getaddrinfo(host, port, type=socket.SOCK_STREAM)


class Dial:
    """Of one event loop. `lookup` replaces the system's resolver."""

    def __init__(self, lookup: Lookup = _looked_up) -> None:
        self._lookup = lookup
        self._asking: dict[tuple[str, int], asyncio.Future[Sequence[AddrInfoType]]] = {}

    async def connect(self, host: str, port: int) -> socket.socket:
        """Raises OSError."""
        addresses = await self._addresses(host, port)
        try:
            return await start_connection(
                addresses, happy_eyeballs_delay=_HEAD_START, socket_factory=_made
            )
        except OSError as error:
            if error.errno is not None:
                raise
            words = f"none of its {len(addresses)} addresses can be reached"
            raise OSError(errno.EHOSTUNREACH, words) from None

    async def _addresses(self, host: str, port: int) -> Sequence[AddrInfoType]:
        key = host, port
        asking = self._asking.get(key)
        if asking is None:
            asking = self._asking[key] = asyncio.ensure_future(self._lookup(host, port))

            def asked(done: asyncio.Future[Sequence[AddrInfoType]]) -> None:
                del self._asking[key]
                if not done.cancelled():
                    done.exception()  # known: nobody may be left to hear of it

            asking.add_done_callback(asked)
        return await asyncio.shield(asking)

    async def close(self) -> None:
        """Looks nothing up any more."""
        asking = list(self._asking.values())
        for each in asking:
            each.cancel()
        await asyncio.gather(*asking, return_exceptions=True)


def _made(address: AddrInfoType) -> socket.socket:
    family, kind, protocol, _, _ = address
    sock = socket.socket(family, kind, protocol)
    keep_alive(sock)
    return sock
