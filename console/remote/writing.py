"""Bytes to a descriptor that may be full.

Its rule: the event loop goes on while they wait.
"""

from __future__ import annotations

import asyncio
import contextlib
import os


async def write(descriptor: int, data: bytes) -> bool:
    """Writes all of `data`; False when nobody reads any more."""
    left = memoryview(data)
    while left:
        try:
            left = left[os.write(descriptor, left) :]
        except BlockingIOError:
            await _writable(descriptor)
        except OSError:  # EPIPE; EIO on a terminal
            return False
    return True


async def _writable(descriptor: int) -> None:
    loop = asyncio.get_running_loop()
    ready = loop.create_future()

    def tell() -> None:
        with contextlib.suppress(asyncio.InvalidStateError):
            ready.set_result(None)

    loop.add_writer(descriptor, tell)
    try:
        await ready
    finally:
        loop.remove_writer(descriptor)
