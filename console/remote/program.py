"""A program that runs for somebody: started in a session of its own, and ended with all of it.

Its rule: when whom it runs for is gone, its whole process group is hung up, then ended, then
killed.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import signal
from asyncio.subprocess import Process
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path

from console.remote.nursery import Fork

#: what is sent to a group whose client left, and the seconds it gets to end
_HANG_UP = ((signal.SIGHUP, 1.0), (signal.SIGTERM, 1.0), (signal.SIGKILL, 5.0))


class StartError(Exception):
    """The program could not be started. The message is fit for the client."""


@dataclass(frozen=True, slots=True)
class Program:
    """`argv[0]` is the file to run; `name` is what it sees as its own name, "" for the same."""

    argv: tuple[str, ...]
    env: Mapping[str, str]
    folder: Path
    name: str = ""
    umask: int = 0o022
    #: of a console: what follows `pointsman`
    options: tuple[str, ...] = ()


async def start(
    program: Program,
    env: Mapping[str, str],
    ends: tuple[int, int, int],
    prepare: Callable[[], None],
) -> Process:
    """Raises StartError."""
    executable, *arguments = program.argv
    try:
        return await asyncio.create_subprocess_exec(
            program.name or executable,
            *arguments,
            executable=executable,
            stdin=ends[0],
            stdout=ends[1],
            stderr=ends[2],
            env=dict(env),
            cwd=program.folder,
            umask=program.umask,
            start_new_session=True,
            preexec_fn=prepare,
        )
    except (OSError, ValueError) as error:
        raise StartError(f"{Path(executable).name} could not be started") from error


async def hang_up(child: Process | Fork) -> None:
    """Ends it and its whole group, if it has not ended."""
    for number, patience in _HANG_UP:
        if child.returncode is not None:
            return
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(child.pid, number)
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(patience):
                await child.wait()
