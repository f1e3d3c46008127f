"""A connection that stops being HTTP: the handshake of a WebSocket, then raw bytes both ways.

One rule: the frames are never looked at. Whoever speaks at the two ends agrees on them.
"""

from __future__ import annotations

import asyncio
import ssl
from dataclasses import dataclass

from router.errors import UpstreamError
from router.transport.address import Address
from router.transport.dial import Dial

#: bytes of status line and headers
HEAD_LIMIT = 64 * 1024


@dataclass(frozen=True, slots=True)
class Upgraded:
    """The server's answer to the handshake. With the status 101 the rest of the stream is what the
    two ends say to each other. `close()` it in any case."""

    status: int
    head: bytes  # as it came, status line and empty line included
    reader: asyncio.StreamReader
    writer: asyncio.StreamWriter

    def close(self) -> None:
        self.writer.transport.abort()


async def upgrade(
    dial: Dial,
    address: Address,
    head: bytes,
    tls: ssl.SSLContext | None,
    seconds: tuple[float, float],
) -> Upgraded:
    """Connects, and sends `head` as the handshake. `seconds`: to connect, to answer. Raises
    OSError, TimeoutError, UpstreamError."""
    async with asyncio.timeout(seconds[0]):
        sock = await dial.connect(address.host, address.port)
        try:
            named = address.host if tls is not None else None
            reader, writer = await asyncio.open_connection(
                sock=sock, ssl=tls, server_hostname=named, limit=HEAD_LIMIT
            )
        except BaseException:
            sock.close()
            raise
    writer.transport.set_write_buffer_limits(0)  # `drain` returns when all of it is on its way
    try:
        writer.write(head)
        async with asyncio.timeout(seconds[1]):
            answer = await reader.readuntil(b"\r\n\r\n")
        return Upgraded(_status(answer), answer, reader, writer)
    except BaseException as error:
        writer.transport.abort()
        if isinstance(error, TimeoutError):
            words = f"did not answer a WebSocket within {seconds[1]:g} s"
            raise UpstreamError(words, kind="timeout", status=504) from None
        if isinstance(error, asyncio.IncompleteReadError | asyncio.LimitOverrunError | ValueError):
            raise UpstreamError(
                "gave no answer to the WebSocket's handshake",
                kind="upstream",
                status=502,
            ) from None
        raise


def _status(head: bytes) -> int:
    """Raises ValueError."""
    version, _, rest = head.partition(b" ")
    if not version.startswith(b"HTTP/1."):
        raise ValueError
    return int(rest[:3])
