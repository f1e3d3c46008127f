"""Starting and ending the router as a process of its own.

One rule: a router outlives whoever started it. It gets its own session and its own output file, and
nothing here holds on to it once its control socket answers.
"""

from __future__ import annotations

import asyncio
import contextlib
import fcntl
import os
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence

import psutil

from console.link import VISITOR, Link, RouterDownError
from console.process.handover import holding
from console.process.started_as import environment_of, serve_arguments, working_folder
from router.contract import HANDED_OVER, ClientKeys, Refused, ShowKeys, Snapshot, Stop
from storage.home import Home, HomeError

#: seconds without a word until a start is given up; a real local model needs some to load
START_PATIENCE = 60.0
#: seconds for requests in flight to be drained at a stop
STOP_PATIENCE = 60.0
#: seconds for which one that begins anew may not be there at all
ABSENCE = 15.0
#: seconds between two looks at a router that is starting
GLANCE = 0.05
#: how a line begins that the router says to people
_WORD = "pointsman, at work: "
#: how the router ends when another one holds the same home
ALREADY_RUNNING = 4

#: what a shell over SSH is given (console/ssh/environment.py): an address of ours, and its key
LENT = (("ANTHROPIC_BASE_URL", "ANTHROPIC_AUTH_TOKEN"), ("OPENAI_BASE_URL", "OPENAI_API_KEY"))
OURS = "http://localhost:"

#: kept, so that a router that ended while we still run is reaped and not left a zombie
_started: list[subprocess.Popen[bytes]] = []


class StartError(Exception):
    """The router did not come up. The message carries its own last words."""


class StopError(Exception):
    """The router is there, but did not end."""


def command(*args: str) -> list[str]:
    """The command line of `python -m router …` with this very interpreter."""
    return [sys.executable, "-m", "router", *args]


def environment(env: Mapping[str, str] = os.environ) -> dict[str, str]:
    """What the router and its children inherit.

    PYTHONSAFEPATH: `python -m` would otherwise look for `router` in the working directory first,
    and run whatever a person's own project has under that name. What a session over SSH has so that
    its tools go through the router is not the router's own: it would take the key that it asks of
    its clients for one of OpenAI's.
    """
    given = dict(env)
    if given.pop(VISITOR, None) is not None:
        given.pop("POINTSMAN_ROLE", None)
        for address, key in LENT:
            if given.get(address, "").startswith(OURS):
                given.pop(address)
                given.pop(key, None)
    return {**given, "PYTHONSAFEPATH": "1"}


def become_router(args: Sequence[str]) -> None:
    """Turns this process into a router in the foreground: signals and exit code are its own."""
    words = command("serve", *args)
    sys.stdout.flush()
    os.execve(words[0], words, environment())  # noqa: S606 no shell is wanted


async def running(home: Home) -> Snapshot | None:
    """What the router of `home` shows, None where none answers."""
    link = Link(home)
    try:
        return await link.snapshot()
    except RouterDownError:
        return None
    finally:
        await link.close()


async def client_keys(home: Home, token: str | None = None) -> ClientKeys:
    """What clients of the router of `home` show at its doors; nothing where none tells. `token` as
    for a Link."""
    link = Link(home, token)
    try:
        told = await link.act(ShowKeys())
        return told if isinstance(told, ClientKeys) else ClientKeys()
    except RouterDownError:
        return ClientKeys()
    finally:
        await link.close()


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


async def stop_router(home: Home, by: str = "", *, again: bool = False) -> int:
    """Asks the router to drain and end, and waits until its process is gone. Returns its pid.
    `again`: another is started in its place, and sessions over SSH stay.

    Raises RouterDownError where none runs, StopError where it does not end.
    """
    link = Link(home)
    try:
        pid = (await link.snapshot()).pid
        result = await link.act(Stop(by=by, again=again))
    except RouterDownError:
        if words := silence(home):
            raise StopError(words) from None
        raise
    finally:
        await link.close()
    if isinstance(result, Refused):
        raise StopError(result.message)
    await _until_gone(home, pid)
    return pid


async def _until_gone(home: Home, pid: int) -> None:
    """The lock tells, not the pid: a router that outlived its parent may have nobody to reap it."""
    loop = asyncio.get_running_loop()
    deadline = loop.time() + STOP_PATIENCE
    while silent_holder(home):
        if loop.time() > deadline:
            raise StopError(
                f"the router (pid {pid}) still drains after {STOP_PATIENCE:.0f} s; "
                f"`kill {pid}` ends it at once"
            )
        await asyncio.sleep(GLANCE)
    for child in [one for one in _started if one.pid == pid]:
        child.wait()
        _started.remove(child)


async def restart_router(
    home: Home,
    args: Sequence[str] = (),
    by: str = "",
    say: Callable[[str], None] | None = None,
) -> int:
    """Ends the router if one runs and starts it with the options it had; `args` win over those.

    It starts where the old one did: a litellm-config.yaml in that folder is still its own. One that
    a service manager holds begins anew in its own process, with what that gave it. From a
    session over SSH, whose environment is made from nothing, it also keeps the old one's: that one
    has the providers' keys. A
    configuration that the new one would refuse leaves the old one running. Returns the new pid.
    Raises StartError, StopError.
    """
    before: list[str] = []
    folder = None
    env: Mapping[str, str] = os.environ
    snapshot = await running(home)
    if snapshot is not None:
        before, folder = serve_arguments(snapshot.pid), working_folder(snapshot.pid)
        if VISITOR in os.environ or snapshot.held:
            env = environment_of(snapshot.pid)
        words = [*before, *args]
        if args and snapshot.held:
            refused = (
                "a service manager or a container gives the router its options: change them there"
            )
        else:
            refused = await asyncio.to_thread(_refused, home, words, folder, env, snapshot.held)
        if refused:
            raise StartError(f"{refused}\nnothing was changed: the router still runs as it was")
        if snapshot.held:
            return await _begun_anew(home, snapshot, by)
    with holding(home.handover) as held:
        with contextlib.suppress(RouterDownError):
            await stop_router(home, by, again=True)
        fds = held.take()
        await start_router(home, [*before, *args], env=env, cwd=folder, fds=fds, say=say)
    snapshot = await running(home)
    if snapshot is None:
        raise StartError(f"the router ended at once: see {home.router_output}")
    return snapshot.pid


async def _begun_anew(home: Home, before: Snapshot, by: str) -> int:
    """Has a router that a service manager holds begin anew, and waits until it answers."""
    link = Link(home)
    try:
        result = await link.act(Stop(by=by, again=True))
    finally:
        await link.close()
    if isinstance(result, Refused):
        raise StopError(result.message)
    clock = asyncio.get_running_loop().time
    seen, deadline = clock(), clock() + STOP_PATIENCE + START_PATIENCE
    while (after := await running(home)) is None or after.started_at == before.started_at:
        if psutil.pid_exists(before.pid):  # not by the lock: a look at it could be in its way
            seen = clock()
        if clock() > min(deadline, seen + ABSENCE):
            raise StartError("the router did not come back: its service manager's log says why")
        await asyncio.sleep(GLANCE)
    return after.pid


def silent_holder(home: Home) -> str:
    """The pid of a process that holds the lock of `home`, "" where none does."""
    try:
        with home.lock.open("rb") as lock:
            try:
                fcntl.flock(lock, fcntl.LOCK_SH | fcntl.LOCK_NB)
            except BlockingIOError:
                return lock.read(20).decode("ascii", "replace").strip() or "(unknown)"
    except OSError:
        pass
    return ""


def silence(home: Home) -> str:
    """What to do about a router that is there and does not answer; "" where none is there."""
    holder = silent_holder(home)
    words = f"a router (pid {holder}) holds {home.lock} but does not answer: wait, or"
    return f"{words} `kill {holder}` ends it" if holder else ""


def ask_without_router(args: Sequence[str], body: bytes = b"") -> tuple[bytes, str]:
    """Runs `python -m router …` to its end, for questions that need no running router.

    Returns its stdout and, for people, what it said on stderr.
    """
    done = _ask(args, body)
    said = done.stderr.decode("utf-8", "replace").strip()
    return done.stdout, said or f"`python -m router {args[0]}` ended with code {done.returncode}"


def _ask(
    args: Sequence[str],
    body: bytes = b"",
    folder: str | None = None,
    env: Mapping[str, str] = os.environ,
) -> subprocess.CompletedProcess[bytes]:
    words = command(*args)
    return subprocess.run(
        words, input=body, capture_output=True, env=environment(env), cwd=folder, check=False
    )


def _refused(
    home: Home, args: Sequence[str], folder: str | None, env: Mapping[str, str], held: bool
) -> str:
    """Why a router started with `args` would refuse its home or its configuration; "" where it
    would not."""
    if not held:
        try:
            home.make()
        except HomeError as error:
            return str(error)
    done = _ask(["doctor", "--json", *args], folder=folder, env=env)
    return done.stderr.decode("utf-8", "replace").strip() if done.returncode else ""


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
