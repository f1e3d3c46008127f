"""The router's child processes: the simulator, the SSH front, the local model.

A child holds the read end of a pipe as its stdin and ends when that closes: no child outlives a
router, not even one that was killed. One that dies is started again, ever more slowly.

One exception: a router that another one is about to replace writes `linger` first. The SSH front
then leaves its port to that one, answers `lingering`, and stays until its last visitor leaves, as
sshd's sessions outlive sshd.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

#: seconds before a dead child is started again: doubles from the first to the last
FIRST_REST, LONGEST_REST = 0.5, 30.0
#: a child that ran this long (seconds) was healthy: its next rest is the first again
HEALTHY = 20.0
#: seconds a child has to end after its stdin closed
GRACE = 3.0
#: seconds for what it wrote last to be read
LAST_WORDS = 1.0
#: what our own children take over of this process's environment. The keys of providers are not
#: among it: the router alone sends them anywhere
_KEPT = re.compile(
    r"PATH|HOME|USER|LOGNAME|SHELL|LANG|LC_[A-Z]+|TZ|TMPDIR|TEMP|EDITOR|VISUAL|XDG_[A-Z_]+"
    r"|POINTSMAN_(?:HOME|SIMULATOR_PACE)|PYTHON[A-Z0-9]+|VIRTUAL_ENV|COVERAGE_[A-Z_]+|CLAUDE_CONFIG_DIR"
    r"|(?:DY)?LD_LIBRARY_PATH|OMP_[A-Z_]+|GGML_[A-Z_]+|CUDA_[A-Z_]+"
)


def own_environment(env: Mapping[str, str]) -> dict[str, str]:
    """What a child of ours gets to see of `env`."""
    return {name: value for name, value in env.items() if _KEPT.fullmatch(name)}


@dataclass
class Child:
    """`command` is its argument list; `fds` are kept open for it (a listening socket).

    `report` gets each line that it writes, and whether it went to stderr. `trouble` is the last
    thing it complained of before it ended, for people who ask why it is not up.
    """

    name: str
    command: Sequence[str]
    report: Callable[[str, bool], None]
    fds: tuple[int, ...] = ()
    env: dict[str, str] = field(default_factory=dict)
    #: not started again when it ends with one of these: it said why, and would say it again
    final: tuple[int, ...] = (2,)
    #: whether it gets `env` alone, and nothing of this process's own
    clean: bool = False
    #: the folder it runs in; None: ours
    folder: Path | None = None
    grace: float = GRACE
    state: str = "starting"  # "starting", "running", "resting", "failed", "ended"
    trouble: str = ""
    process: asyncio.subprocess.Process | None = None
    #: it knows the word `linger`; and it is to be told
    can_linger: bool = False
    lingers: bool = False

    async def keep(self) -> None:
        """Runs the child until this task is cancelled; then ends it."""
        rest = FIRST_REST
        loop = asyncio.get_running_loop()
        while True:
            began = loop.time()
            try:
                code = await self._run()
            except OSError as error:
                self.report(f"could not be started: {error}", True)
                code = -1
            if code in self.final:
                self.state = "failed"
                return
            rest = FIRST_REST if loop.time() - began > HEALTHY else min(rest * 2, LONGEST_REST)
            self.state = "resting"
            self.report(f"ended with code {code}; it is started again in {rest:.1f} s", True)
            await asyncio.sleep(rest)

    async def _run(self) -> int:
        process = await asyncio.create_subprocess_exec(
            *self.command,
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            pass_fds=self.fds,
            cwd=self.folder,
            env=self.env if self.clean else {**os.environ, **self.env},
            start_new_session=True,
        )
        assert process.stdout is not None
        assert process.stderr is not None
        self.process = process
        self.state = "running"
        parted = asyncio.Event()

        def heard(line: str) -> None:
            if line == "lingering":
                parted.set()
            else:
                self.report(line, False)

        readers = asyncio.gather(
            _lines(process.stdout, heard),
            _lines(process.stderr, lambda line: self.report(line, True)),
        )
        try:
            code = await process.wait()
            # its last words are still on their way; who inherited its output may hold it open
            await asyncio.wait({readers}, timeout=LAST_WORDS)
            return code
        except asyncio.CancelledError:
            self.state = "ended"
            if not (self.lingers and await self._let_go(process, parted)):
                await self._end(process)
            raise
        finally:
            readers.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await readers

    async def _let_go(self, process: asyncio.subprocess.Process, parted: asyncio.Event) -> bool:
        """Asks it to stay without us; whether it does."""
        assert process.stdin is not None
        with contextlib.suppress(ConnectionError, TimeoutError):
            process.stdin.write(b"linger\n")
            async with asyncio.timeout(GRACE):
                await parted.wait()
        return parted.is_set()

    async def _end(self, process: asyncio.subprocess.Process) -> None:
        assert process.stdin is not None
        process.stdin.close()
        with contextlib.suppress(ProcessLookupError):
            process.send_signal(signal.SIGTERM)
        try:
            await asyncio.wait_for(process.wait(), self.grace)
        except TimeoutError:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


async def _lines(stream: asyncio.StreamReader, take: Callable[[str], None]) -> None:
    while True:
        try:
            line = await stream.readline()
        except ValueError:  # longer than the reader's buffer: the rest of it comes next
            continue
        if not line:
            return
        if text := line.decode("utf-8", "replace").strip():
            take(text)
