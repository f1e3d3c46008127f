"""Runs one program for one session, on a terminal or on pipes, and leaves nothing behind.

Its rule: every descriptor opened here is closed here or handed on.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from asyncio.subprocess import Process
from collections.abc import AsyncIterator, Awaitable
from io import FileIO

import asyncssh

from console.remote import pty
from console.remote.nursery import Fork, Nursery
from console.remote.program import Program, hang_up, start
from console.ssh.feed import feed

Channel = asyncssh.SSHServerProcess[bytes]

#: seconds of silence after which a terminal still held by a background job is let go
_SILENCE = 0.3


async def on_terminal(
    channel: Channel, program: Program, stop: asyncio.Event, nursery: Nursery | None = None
) -> int | None:
    """Runs it on a pty of its own. Returns its exit code (negative: the signal), or None if the
    client left first. `stop` ends it from our side; `nursery` may have it started already."""
    columns, rows = channel.term_size[:2]
    master, slave = pty.open_pair(channel.term_modes, columns, rows)
    try:
        env = {**program.env, "SSH_TTY": pty.name(slave)}
        child: Process | Fork | None = None
        if nursery is not None:
            child = await nursery.fork(program.options, env, program.folder, program.umask, slave)
        if child is None:
            child = await start(program, env, (slave, slave, slave), pty.own_terminal)
    except BaseException:
        os.close(master)
        raise
    finally:
        os.close(slave)
    async with _watched(channel, child, master, stop):
        await channel.redirect(stdout=os.dup(master), send_eof=False)
        if await _either(child.wait(), channel):
            await _drain_terminal(channel)
    return child.returncode if not channel.channel.is_closing() else None


async def on_pipes(channel: Channel, program: Program, stop: asyncio.Event) -> int | None:
    """Runs it with stdin, stdout and stderr apart. OS pipes, not asyncio streams: asyncssh 2.24.1
    breaks the whole connection when flow control pauses a StreamReader."""
    (in_read, in_write), (out_read, out_write), (err_read, err_write) = (
        os.pipe() for _ in range(3)
    )
    try:
        ends = (in_read, out_write, err_write)
        child = await start(program, program.env, ends, pty.reset_signals)
    except BaseException:
        for ours in (in_write, out_read, err_read):
            os.close(ours)
        raise
    finally:
        for theirs in (in_read, out_write, err_write):
            os.close(theirs)
    async with _watched(channel, child, in_write, stop):
        await channel.redirect(stdout=out_read, stderr=err_read, send_eof=False)
        if await _either(child.wait(), channel):
            # as sshd: all that was written arrives, however slow the client reads
            await _either(asyncio.gather(channel.stdout.drain(), channel.stderr.drain()), channel)
    return child.returncode if not channel.channel.is_closing() else None


async def _either(work: Awaitable[object], channel: Channel) -> bool:
    """Waits for `work` or for the client to leave; True if the client is still there."""
    task = asyncio.ensure_future(work)
    closed = asyncio.ensure_future(channel.channel.wait_closed())
    try:
        await asyncio.wait({task, closed}, return_when=asyncio.FIRST_COMPLETED)
        if task.done():
            with contextlib.suppress(BrokenPipeError, asyncssh.Error):
                task.result()
        return not closed.done()
    finally:
        for each in (task, closed):
            each.cancel()
        await asyncio.gather(task, closed, return_exceptions=True)


async def _drain_terminal(channel: Channel) -> None:
    """Until the terminal is read to its end (EIO), or a background job holds it open in silence."""
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_SILENCE):
                await _either(channel.stdout.drain(), channel)
                return
        if not channel.channel.get_write_buffer_size():
            return


@contextlib.asynccontextmanager
async def _watched(
    channel: Channel, child: Process | Fork, standard_input: int, stop: asyncio.Event
) -> AsyncIterator[None]:
    """Feeds the child meanwhile; whatever happens inside, it is gone afterwards."""
    target = FileIO(standard_input, "w")
    feeding = asyncio.create_task(feed(channel, target))
    stopping = asyncio.create_task(_hang_up_at(stop, child))
    try:
        yield
    finally:
        stopping.cancel()
        await hang_up(child)
        feeding.cancel()
        # the client left, with or without a reason
        with contextlib.suppress(asyncio.CancelledError, asyncssh.Error, OSError):
            await feeding
        target.close()


async def _hang_up_at(stop: asyncio.Event, child: Process | Fork) -> None:
    await stop.wait()
    await hang_up(child)
