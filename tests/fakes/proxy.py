"""An HTTP proxy that opens tunnels, all of them to one port on loopback."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator
from dataclasses import dataclass, field

_OPENED = b"HTTP/1.1 200 Connection established\r\n\r\n"


@dataclass(slots=True)
class Proxied:
    """`heads` are the CONNECT requests as they came, `answer` what each gets."""

    port: int = 0
    answer: bytes = _OPENED
    heads: list[bytes] = field(default_factory=list)


@contextlib.asynccontextmanager
async def proxy_to(port: int) -> AsyncIterator[Proxied]:
    proxied = Proxied()
    tasks: set[asyncio.Task[None]] = set()

    async def pump(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while data := await reader.read(65536):
                writer.write(data)
                await writer.drain()
        finally:
            writer.close()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            proxied.heads.append(await reader.readuntil(b"\r\n\r\n"))
            writer.write(proxied.answer)
            if proxied.answer == _OPENED:
                far_reader, far_writer = await asyncio.open_connection("127.0.0.1", port)
                await asyncio.gather(pump(reader, far_writer), pump(far_reader, writer))
        finally:
            writer.close()

    async def connected(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        tasks.add(task)
        with contextlib.suppress(ConnectionError, asyncio.CancelledError):
            await serve(reader, writer)
        tasks.discard(task)

    server = await asyncio.start_server(connected, "127.0.0.1", 0)
    proxied.port = server.sockets[0].getsockname()[1]
    try:
        yield proxied
    finally:
        server.close()
        left = list(tasks)
        for task in left:
            task.cancel()
        await asyncio.gather(*left, return_exceptions=True)
