"""The front's end of the warm console (warm.py): starts it, and asks it for a fork per session.

One rule: it is only ever an advantage. While there is none (not ready yet, ended, a platform
without SOCK_SEQPACKET), `fork` says so and the session starts the ordinary way.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
import socket
import sys
from collections.abc import Mapping
from pathlib import Path

import msgspec

from console.remote import warm

#: what the warm process itself needs; no session sees its environment, no key is in it
_KEPT = ("PATH", "HOME", "LANG", "TMPDIR", "VIRTUAL_ENV")
_NEWS: msgspec.json.Decoder[warm.Started | warm.Ended] = msgspec.json.Decoder(
    warm.Started | warm.Ended
)
#: terminals whose console reads the environment while it is imported: not shared
_PARTICULAR = frozenset({"iTerm.app"})


class Fork:
    """A started console, with what child.py needs of a Process."""

    def __init__(self) -> None:
        self.pid = 0
        self.returncode: int | None = None
        self.started = asyncio.Event()
        self._ended = asyncio.Event()

    def begin(self, pid: int) -> None:
        self.pid = pid
        self.started.set()

    def end(self, code: int) -> None:
        if self.returncode is None:
            self.returncode = code
        self.started.set()
        self._ended.set()

    async def wait(self) -> int | None:
        await self._ended.wait()
        return self.returncode


class Nursery:
    def __init__(self) -> None:
        self._socket: socket.socket | None = None
        self._process: asyncio.subprocess.Process | None = None
        self._ready = False
        self._next = 0
        self._waiting: dict[int, Fork] = {}
        self._living: dict[int, Fork] = {}

    async def open(self) -> None:
        """Starts the warm process; it is of use once it says that it is ready."""
        try:
            ours, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        except OSError:  # macOS
            return
        ours.setblocking(False)
        with theirs:
            self._process = await asyncio.create_subprocess_exec(
                *(sys.executable, "-P", "-m", "console.remote.warm", str(theirs.fileno())),
                stdin=asyncio.subprocess.DEVNULL,
                pass_fds=(theirs.fileno(),),
                env={name: os.environ[name] for name in _KEPT if name in os.environ},
                start_new_session=True,
            )
        self._socket = ours
        asyncio.get_running_loop().add_reader(ours, self._hear)

    async def close(self) -> None:
        self._lose()
        if self._process is not None:
            with contextlib.suppress(ProcessLookupError):
                self._process.kill()
            await self._process.wait()

    async def fork(
        self, argv: tuple[str, ...], env: Mapping[str, str], folder: Path, umask: int, terminal: int
    ) -> Fork | None:
        """A console on the pty `terminal`; None where an ordinary start is needed."""
        if not self._ready or self._socket is None or env.get("TERM_PROGRAM") in _PARTICULAR:
            return None
        self._next += 1
        start = warm.Start(self._next, argv, dict(env), str(folder), umask)
        fork = self._waiting[start.number] = Fork()
        try:
            socket.send_fds(self._socket, [msgspec.json.encode(start)], [terminal])
        except OSError:
            self._lose()
            return None
        await fork.started.wait()
        return fork if fork.pid else None

    def _hear(self) -> None:
        assert self._socket is not None
        try:
            data = self._socket.recv(warm.LARGEST)
        except BlockingIOError:
            return
        except OSError:
            data = b""
        if not data:
            self._lose()
        elif data == b"ready":
            self._ready = True
        else:
            match _NEWS.decode(data):
                case warm.Started(number=number, pid=pid):
                    fork = self._living[pid] = self._waiting.pop(number)
                    fork.begin(pid)
                case warm.Ended(pid=pid, code=code):
                    self._living.pop(pid).end(code)

    def _lose(self) -> None:
        """The warm process is gone, and nobody can tell any more how its forks end."""
        self._ready = False
        if self._socket is not None:
            asyncio.get_running_loop().remove_reader(self._socket)
            self._socket.close()
            self._socket = None
        for fork in (*self._waiting.values(), *self._living.values()):
            if fork.pid:
                with contextlib.suppress(ProcessLookupError):
                    os.killpg(fork.pid, signal.SIGHUP)
            fork.end(-signal.SIGHUP)
        self._waiting.clear()
        self._living.clear()
