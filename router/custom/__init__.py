"""A person's own routing function, in a process of its own, asked once for each request.

One rule: nothing that it does can harm the router. It may crash, print, hang or answer nonsense:
the request goes on by the rules, the reason is told, and a child that hung is replaced.

    child.py, child.js   what runs in that process; both speak one JSON object a line
"""

from __future__ import annotations

import asyncio
import contextlib
import itertools
import sys
from collections.abc import Callable, Mapping
from pathlib import Path

import msgspec
from msgspec import Struct

from router.settings import CustomRouter

_HERE = Path(__file__).parent
_COMMANDS = {
    "python": (sys.executable, "-P", str(_HERE / "child.py")),
    "javascript": ("node", str(_HERE / "child.js")),
}
#: bytes of one answer, which holds the body where that was changed
LONGEST_ANSWER = 64 * 1024 * 1024
#: failures in a row after which it rests, and for how many seconds
PATIENCE, REST = 3, 30.0


class Answer(Struct, frozen=True):
    """`model` is "" where the function leaves it to the rules; `problem` says why it could not be
    followed; `body` is the request's as it changed it, b"" where it did not."""

    model: str = ""
    problem: str = ""
    body: bytes = b""


class _Reply(Struct, frozen=True):
    id: int
    model: str | None = None
    error: str = ""
    body: msgspec.Raw = msgspec.Raw()


_REPLY = msgspec.json.Decoder(_Reply)


class CustomRouters:
    """The one child of the function in force; another takes its place when the file changes.

    `report` gets what it prints; `trouble` is its last failure, "" after a success.
    """

    def __init__(self, report: Callable[[str], None] = lambda line: None) -> None:
        self.trouble = ""
        self._report = report
        self._child: _Child | None = None
        self._spec: CustomRouter | None = None
        self._failures = 0
        self._rests_until = 0.0

    async def ask(
        self, spec: CustomRouter, body: bytes, headers: Mapping[str, str], session: str, tokens: int
    ) -> Answer:
        """What the function says of one request. Never raises."""
        now = asyncio.get_running_loop().time()
        if spec != self._spec:
            await self.close()
            self._spec, self._failures, self._rests_until = spec, 0, 0.0
            self.trouble = ""
        if self._child is None:
            if now < self._rests_until:
                return Answer(problem=f"custom router: resting after: {self.trouble}")
            self._child = _Child(spec, self._report)
        question: dict[str, object] = {
            "headers": dict(headers),
            "sessionId": session or None,
            "tokenCount": tokens,
            # a line break in JSON is only ever white space
            "body": msgspec.Raw(body.replace(b"\n", b" ").replace(b"\r", b" ")),
        }
        try:
            async with asyncio.timeout(spec.seconds):
                reply = await self._child.ask(question)
        except TimeoutError:
            return await self._failed(f"took longer than {spec.seconds:g} s", now)
        except (OSError, EOFError) as error:
            return await self._failed(str(error) or "its process ended", now)
        self._failures = 0
        self.trouble = reply.error[:500]
        if reply.error:
            return Answer(problem=f"custom router: {self.trouble}")
        return Answer(model=(reply.model or "")[:600], body=bytes(reply.body))

    async def _failed(self, why: str, now: float) -> Answer:
        """The child is of no more use."""
        child = self._child
        await self.close()
        self.trouble = why + (f": {child.said}" if child is not None and child.said else "")
        self._failures += 1
        if self._failures >= PATIENCE:
            self._failures, self._rests_until = 0, now + REST
        return Answer(problem=f"custom router: {self.trouble}")

    async def close(self) -> None:
        child, self._child = self._child, None
        if child is not None:
            await child.end()


class _Child:
    """One process. Started by its first question."""

    def __init__(self, spec: CustomRouter, report: Callable[[str], None]) -> None:
        self.spec = spec
        self.said = ""  # the last line it printed
        self._report = report
        self._ids = itertools.count(1)
        self._waiting: dict[int, asyncio.Future[_Reply]] = {}
        self._starting: asyncio.Task[asyncio.subprocess.Process] | None = None
        self._tasks: list[asyncio.Task[None]] = []

    async def ask(self, question: dict[str, object]) -> _Reply:
        """Raises OSError, EOFError."""
        if self._starting is None:
            self._starting = asyncio.create_task(self._start())
        # shielded: the first question may run out of time, the others need the process all the same
        process = await asyncio.shield(self._starting)
        id = next(self._ids)
        reply: asyncio.Future[_Reply] = asyncio.get_running_loop().create_future()
        self._waiting[id] = reply
        try:
            assert process.stdin is not None
            process.stdin.write(msgspec.json.encode({"id": id, **question}) + b"\n")
            await process.stdin.drain()
            return await reply
        finally:
            self._waiting.pop(id, None)

    async def _start(self) -> asyncio.subprocess.Process:
        process = await asyncio.create_subprocess_exec(
            *_COMMANDS[self.spec.language],
            self.spec.path,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            limit=LONGEST_ANSWER,
            start_new_session=True,
        )
        assert process.stdin is not None
        process.stdin.write(self.spec.config + b"\n")
        self._tasks = [
            asyncio.create_task(self._read(process)),
            asyncio.create_task(self._listen(process)),
        ]
        return process

    async def _read(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdout is not None
        why = "its process ended"
        try:
            while line := await process.stdout.readline():
                reply = _REPLY.decode(line)
                waiting = self._waiting.get(reply.id)
                if waiting is not None and not waiting.done():
                    waiting.set_result(reply)
        except (ValueError, msgspec.DecodeError):
            why = "its process spoke nonsense"
        for waiting in self._waiting.values():
            if not waiting.done():
                waiting.set_exception(EOFError(why))

    async def _listen(self, process: asyncio.subprocess.Process) -> None:
        assert process.stderr is not None
        with contextlib.suppress(ValueError):  # a line longer than the limit
            while line := await process.stderr.readline():
                self.said = line.decode("utf-8", "replace").strip()[:500] or self.said
                self._report(self.said)

    async def end(self) -> None:
        if self._starting is None:
            return
        try:
            process = await self._starting
        except OSError:
            return
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
        await process.wait()
        # what it printed last says why it ended; a grandchild that holds the pipe is not waited for
        await asyncio.wait(self._tasks, timeout=0.2)
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
