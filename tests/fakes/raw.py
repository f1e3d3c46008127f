"""A client that sends exactly the bytes it is given."""

from __future__ import annotations

import asyncio

#: seconds; a peer that does not close in them will not
PATIENCE = 5.0


async def talk(port: int, *packets: bytes) -> bytes:
    """Sends each packet in a turn of its own; returns all that comes back until the peer closes.

    Raises TimeoutError for a peer that keeps the connection open.
    """
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for packet in packets:
            writer.write(packet)
            await writer.drain()
            await asyncio.sleep(0)
        return await asyncio.wait_for(reader.read(-1), PATIENCE)
    except ConnectionResetError:
        return b""
    finally:
        writer.close()


def status(answer: bytes) -> int:
    """Of the first answer; 0 when there was none."""
    return int(answer.split(b" ", 2)[1]) if answer.startswith(b"HTTP/1.1 ") else 0
