"""A router's control socket with nothing behind it: real HTTP on a Unix socket, scripted.

GET /alive, GET /snapshot, GET /watch (NDJSON), POST /act, as router.contract says. A test sets what
`snapshot` is, sends changes with `tell`, and reads what was asked for in `actions`.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable

import msgspec

from router import contract
from router.contract import Action, Change, Done, Result, Snapshot
from storage.home import Home
from tests.console import scene

_ENCODER = msgspec.json.Encoder()


class FakeRouter:
    """`answer` decides what an action gets; by default it is done. `mute` makes it hang: the
    connection is taken and nothing is said, as of a router that is stopped (SIGSTOP)."""

    def __init__(self, snapshot: Snapshot) -> None:
        self.snapshot = snapshot
        self.actions: list[Action] = []
        self.answer: Callable[[Action], Result] = lambda _: Done("done")
        #: answers to questions, by the question's type; those are not noted in `actions`
        self.answers: dict[type, Result] = dict(scene.ANSWERS)
        self.mute = False
        self.snapshots_given = 0
        self._watchers: list[asyncio.StreamWriter] = []
        self._open: set[asyncio.StreamWriter] = set()
        self._server: asyncio.Server | None = None
        self.watched = asyncio.Event()

    @contextlib.asynccontextmanager
    async def serving(self, home: Home) -> AsyncIterator[FakeRouter]:
        await self.start(home)
        try:
            yield self
        finally:
            await self.stop()

    async def start(self, home: Home) -> None:
        home.make()
        home.socket.unlink(missing_ok=True)
        self._server = await asyncio.start_unix_server(self._client, str(home.socket))

    async def stop(self) -> None:
        """As a router that is killed: every connection is cut."""
        assert self._server is not None
        self._server.close()
        for writer in list(self._open):
            writer.transport.abort()
        self._watchers.clear()
        self.watched.clear()
        await asyncio.sleep(0)

    async def tell(self, change: Change) -> None:
        """To every watcher; waits for the first one. The next snapshot has it too."""
        await self.watched.wait()
        if isinstance(change, contract.OverridesChanged):
            self.snapshot = msgspec.structs.replace(self.snapshot, overrides=change.overrides)
        elif isinstance(change, contract.PausedChanged):
            self.snapshot = msgspec.structs.replace(self.snapshot, paused=change.paused)
        elif isinstance(change, contract.ServicesChanged):
            self.snapshot = msgspec.structs.replace(self.snapshot, services=change.services)
        line = _ENCODER.encode(change) + b"\n"
        for writer in self._watchers:
            writer.write(b"%x\r\n%s\r\n" % (len(line), line))
            await writer.drain()

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._open.add(writer)
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                method, path, _ = head.split(b"\r\n", 1)[0].decode().split(" ")
                length = 0
                for line in head.lower().split(b"\r\n"):
                    if line.startswith(b"content-length:"):
                        length = int(line.partition(b":")[2])
                body = await reader.readexactly(length)
                if self.mute:
                    await reader.read()
                    return
                if path == "/watch":
                    writer.write(
                        b"HTTP/1.1 200 OK\r\ncontent-type: application/x-ndjson\r\n"
                        b"transfer-encoding: chunked\r\n\r\n"
                    )
                    await writer.drain()
                    self._watchers.append(writer)
                    self.watched.set()
                    await reader.read()
                    return
                writer.write(self._whole(method, path, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            pass
        finally:
            self._open.discard(writer)
            if writer in self._watchers:
                self._watchers.remove(writer)
            writer.close()

    def _whole(self, method: str, path: str, body: bytes) -> bytes:
        match method, path:
            case "GET", "/alive":
                answer = b"{}"
            case "GET", "/snapshot":
                self.snapshots_given += 1
                answer = _ENCODER.encode(self.snapshot)
            case "POST", "/act":
                action = msgspec.json.decode(body, type=contract.Action)
                known = self.answers.get(type(action))
                if known is None:
                    self.actions.append(action)
                answer = _ENCODER.encode(known or self.answer(action))
            case _:
                return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        return b"HTTP/1.1 200 OK\r\ncontent-length: %d\r\n\r\n%s" % (len(answer), answer)
