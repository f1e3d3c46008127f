"""What the client types or pipes, carried to the program's standard input.

Its rule: every byte arrives, in order, before the end does. asyncssh's own redirection writes to
asyncio's pipe transport, which closes over unsent bytes when data and the end come while it was
paused: one in five inputs of 5 MB was cut short, with exit code 0, and a stale descriptor then
broke the next session.
"""

from __future__ import annotations

import os
from io import FileIO

import asyncssh

from console.remote import pty
from console.remote.writing import write

_PIECE = 1 << 16


async def feed(channel: asyncssh.SSHServerProcess[bytes], target: FileIO) -> None:
    """Until the client's end of input, then closes `target`. A terminal follows the client's size
    meanwhile."""
    descriptor = target.fileno()
    os.set_blocking(descriptor, False)
    terminal = os.isatty(descriptor)
    listening = True
    with target:
        while True:
            try:
                data = await channel.stdin.read(_PIECE)
            except asyncssh.TerminalSizeChanged as size:
                if terminal:
                    pty.resize(descriptor, size.width, size.height)
                continue
            except (asyncssh.BreakReceived, asyncssh.SignalReceived):
                continue
            if not data:
                return
            # a program that closed its input still runs: what is left is read and dropped, else
            # the channel would stop, and with it the news that the client left
            listening = listening and await write(descriptor, data)
