"""Starting a router in the background.

One rule: a router outlives whoever started it. It gets its own session and its own output file, and
nothing here holds on to it once its control socket answers.
"""

from __future__ import annotations

import asyncio
import os
import subprocess
from collections.abc import Callable, Mapping, Sequence

from console.link import Link
from console.process.presence import silence
from console.process.program import command, environment
from router.contract import HANDED_OVER
from storage.home import Home, HomeError

#: seconds without a word until a start is given up; a real local model needs some to load
START_PATIENCE = 60.0
#: seconds for another that holds this home to answer
ABSENCE = 15.0
#: seconds between two looks at a router that is starting
GLANCE = 0.05
#: how a line begins that the router says to people
_WORD = "pointsman, at work: "
#: how the router ends when another one holds the same home
ALREADY_RUNNING = 4
#: kept, so that a router that ended while we still run is reaped and not left a zombie
_started: list[subprocess.Popen[bytes]] = []


class StartError(Exception):
    """The router did not come up. The message carries its own last words."""


async def start_router(
    home: Home,
    args: Sequence[str] = (),
    *,
    env: Mapping[str, str] = os.environ,
    cwd: str | None = None,
    fds: tuple[int, ...] = (),
    say: Callable[[str], None] | None = None,
) -> None:
    """Starts a router in the background and returns when its control socket answers.

    Returns at once where one answers already. `args` follow `python -m router serve`; `fds` are the
    listening sockets that it takes over; `say` hears what it says meanwhile. Raises StartError.
    """
    link = Link(home)
    try:
        if await link.alive():
            return
        try:
            child, begin = _spawn(home, args, env, cwd, fds)
        except HomeError as error:
            raise StartError(str(error)) from None
        except OSError as error:
            raise StartError(f"{error.filename}: {error.strerror}") from None
        try:
            await _until_alive(home, link, child, begin, say)
        except asyncio.CancelledError:  # Ctrl-C: only who waits for it is stopped
            if say is not None and child.poll() is None:
                say("the router goes on starting: `pointsman stop` ends it")
            raise
    finally:
        await link.close()


def reap(pid: int) -> None:
    """Waits for a router that has ended, if it is a child of ours."""
    for child in [one for one in _started if one.pid == pid]:
        child.wait()
        _started.remove(child)


def _spawn(
    home: Home,
    args: Sequence[str],
    env: Mapping[str, str],
    cwd: str | None,
    fds: tuple[int, ...],
) -> tuple[subprocess.Popen[bytes], int]:
    """The child, and where its output begins. Not asyncio's: that one kills it with its loop."""
    home.make()
    with open(home.router_output, "ab", opener=_private) as output:
        begin = output.tell()
        child = subprocess.Popen(
            command("serve", *args),
            stdin=subprocess.DEVNULL,
            stdout=output,
            stderr=output,
            start_new_session=True,
            env=environment(env) | {HANDED_OVER: ",".join(map(str, fds))},
            cwd=cwd,
            umask=0o077,
            pass_fds=fds,
        )
    _started.append(child)
    return child, begin


def _private(path: str, flags: int) -> int:
    return os.open(path, flags, 0o600)


async def _until_alive(
    home: Home,
    link: Link,
    child: subprocess.Popen[bytes],
    begin: int,
    say: Callable[[str], None] | None,
) -> None:
    loop = asyncio.get_running_loop()
    deadline = loop.time() + START_PATIENCE
    heard, another = "", False
    while not await link.alive():
        code = child.poll()
        said = _last_words(home, begin).rpartition("\n")[2]
        if code is None and said != heard and said.startswith(_WORD):  # it is at work
            heard, deadline = said, loop.time() + START_PATIENCE
            if say is not None:
                say(said.removeprefix(_WORD))
        if code is not None and code != ALREADY_RUNNING:
            raise StartError(_last_words(home, begin) or f"the router ended with code {code}")
        if code is not None and not another:  # started at the same moment, or one that hangs
            another, deadline = True, loop.time() + ABSENCE
            if say is not None:
                say("another router holds this home: it is waited for")
        if loop.time() > deadline:
            if another and (words := silence(home)):
                raise StartError(words)
            child.terminate()
            raise StartError(
                f"the router did not answer within {START_PATIENCE:.0f} s: see {home.router_output}"
            )
        await asyncio.sleep(GLANCE)


def _last_words(home: Home, begin: int) -> str:
    """The end of what this start wrote, at most 20 lines."""
    with home.router_output.open("rb") as output:
        output.seek(max(begin, output.seek(0, os.SEEK_END) - 8_000))
        text = output.read().decode("utf-8", "replace")
    return "\n".join(text.strip().splitlines()[-20:])
