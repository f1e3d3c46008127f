"""One console in a browser: a child on a pty that outlives a lost connection for a while.

Its rule: the child is what an SSH session's is (console/remote), announced to the router with the
role of its ticket; what it writes goes out as it comes, as fast as the browser takes it.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import secrets
import time
from asyncio.subprocess import Process
from collections.abc import Mapping, Sequence
from pathlib import Path

import msgspec
from websockets.asyncio.server import ServerConnection
from websockets.exceptions import ConnectionClosed

from console.link import VISITOR
from console.remote import environment, pty
from console.remote.environment import Account
from console.remote.nursery import Fork, Nursery
from console.remote.options import Options
from console.remote.program import Program, StartError, hang_up, start
from console.remote.visit import Visit
from console.remote.writing import write
from router.contract import Arrival, Invitation

#: seconds for which a console waits for its browser to come back
PATIENCE = 60.0
_PIECE = 1 << 16
_SIZE = re.compile(r"(\d{1,4})x(\d{1,4})")
_WORD = re.compile(r"[a-z]{1,20}")


class SeatError(Exception):
    """There is no console; the message is for the browser's page."""


class Resize(msgspec.Struct):
    size: tuple[int, int]  # columns, rows


class Seat:
    def __init__(self, options: Options, invitation: Invitation, nursery: Nursery) -> None:
        self._options = options
        self._invitation = invitation
        self._nursery = nursery
        self._child: Process | Fork | None = None
        self._master = -1
        self._visit: Visit | None = None
        self._guest: ServerConnection | None = None
        self._turn = asyncio.Lock()
        self._leaving: asyncio.TimerHandle | None = None
        self._ending: asyncio.Task[None] | None = None

    @property
    def over(self) -> bool:
        return self._child is None or self._child.returncode is not None

    async def begin(self, peer: str, query: Mapping[str, Sequence[str]]) -> None:
        """Starts the console. Raises SeatError."""
        invitation, options = self._invitation, self._options
        arrival = Arrival(
            by=f"web:{invitation.by or 'browser'}",
            role=invitation.role,
            origin=peer or "127.0.0.1",
            doing="console",
            since=time.time(),
            token=secrets.token_urlsafe(24),
        )
        self._visit = Visit(options.home, arrival)
        if not await self._visit.known():
            self._visit.end()
            raise SeatError("no router answers")
        env = self._environment(arrival)
        account = Account.own(options.user_home)
        folder = account.home if account.home.is_dir() else Path("/")
        screen = query.get("screen", [""])[0]
        words = ("--screen", screen) if _WORD.fullmatch(screen) else ()
        program = Program((*options.console, *words), env, folder, umask=0o077, options=words)
        self._master, slave = pty.open_pair({}, *_size(query.get("size", [""])[0]))
        try:
            self._child = await self._nursery.fork(words, env, folder, 0o077, slave)
            if self._child is None:
                ends = (slave, slave, slave)
                self._child = await start(program, env, ends, pty.own_terminal)
        except StartError as error:
            raise SeatError(str(error)) from error
        finally:
            os.close(slave)
        os.set_blocking(self._master, False)
        self._ending = asyncio.create_task(self._watch(self._visit))

    def _environment(self, arrival: Arrival) -> dict[str, str]:
        nowhere = ("127.0.0.1", 0)
        options = self._options
        account = Account.own(options.user_home)
        wishes = {"COLORTERM": "truecolor"}
        ends = (nowhere, nowhere)
        env = environment.build(options, account, arrival.by, ends, wishes, "xterm-256color")
        return env | {VISITOR: arrival.token, "POINTSMAN_ROLE": arrival.role}

    async def _watch(self, visit: Visit) -> None:
        """Until the child ends or the visitor is dismissed; then all of it is gone."""
        assert self._child is not None
        ended = asyncio.ensure_future(self._child.wait())
        dismissed = asyncio.create_task(visit.dismissed.wait())
        try:
            await asyncio.wait({ended, dismissed}, return_when=asyncio.FIRST_COMPLETED)
            await hang_up(self._child)
        finally:
            dismissed.cancel()
            ended.cancel()
            visit.end()

    async def end(self) -> None:
        if self._child is not None:
            await hang_up(self._child)
        if self._ending is not None:
            await self._ending

    async def serve(self, guest: ServerConnection) -> int | None:
        """Shows the console to `guest` until one of both ends: the exit code, or None where the
        guest left. A guest who comes while another looks takes the place."""
        if self._guest is not None:
            await self._guest.close(4002, "the console was opened elsewhere")
        async with self._turn:
            if self._master < 0:
                return self._child.returncode if self._child else None
            self._guest = guest
            if self._leaving is not None:
                self._leaving.cancel()
            feeding = asyncio.create_task(self._feed(guest))
            try:
                while data := await self._read(guest):
                    await guest.send(data)
                return await self._ended()
            except ConnectionClosed:
                self._leaving = asyncio.get_running_loop().call_later(PATIENCE, self._give_up)
                return None
            finally:
                self._guest = None
                feeding.cancel()
                with contextlib.suppress(asyncio.CancelledError, ConnectionClosed):
                    await feeding

    async def _ended(self) -> int | None:
        assert self._ending is not None
        assert self._child is not None
        await self._ending
        os.close(self._master)
        self._master = -1
        return self._child.returncode

    def _give_up(self) -> None:
        self._ending = asyncio.create_task(self._end_alone())

    async def _end_alone(self) -> None:
        assert self._child is not None
        await hang_up(self._child)
        if self._master >= 0:
            os.close(self._master)
            self._master = -1

    async def _read(self, guest: ServerConnection) -> bytes:
        """What the console writes next; b"" at its end."""
        while True:
            try:
                return os.read(self._master, _PIECE)
            except BlockingIOError:
                await self._readable(guest)
            except OSError:  # EIO: nobody holds the terminal any more
                return b""

    async def _readable(self, guest: ServerConnection) -> None:
        """Until there is something, or the guest is gone: a reader must not outlast it."""
        loop = asyncio.get_running_loop()
        ready = loop.create_future()
        loop.add_reader(self._master, lambda: None if ready.done() else ready.set_result(None))
        gone = asyncio.ensure_future(guest.wait_closed())
        try:
            await asyncio.wait({ready, gone}, return_when=asyncio.FIRST_COMPLETED)
            if not ready.done():
                raise ConnectionClosed(None, None)
        finally:
            loop.remove_reader(self._master)
            gone.cancel()

    async def _feed(self, guest: ServerConnection) -> None:
        async for message in guest:
            if isinstance(message, bytes):
                await write(self._master, message)
                continue
            try:
                columns, rows = msgspec.json.decode(message, type=Resize).size
            except msgspec.DecodeError:
                continue
            # a browser that came back needs all of the screen: a change of size draws it anew
            pty.resize(self._master, columns, max(rows - 1, 1))
            pty.resize(self._master, columns, rows)


def _size(text: str) -> tuple[int, int]:
    found = _SIZE.fullmatch(text)
    return (int(found[1]), int(found[2])) if found else (0, 0)
