"""Putting another router in a running one's place.

One rule: the running one goes on where the new one would refuse its home or its configuration.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
from collections.abc import Callable, Mapping, Sequence

import psutil

from console.link import VISITOR, Link, RouterDownError
from console.process.handover import holding
from console.process.presence import running
from console.process.program import ask
from console.process.started_as import environment_of, serve_arguments, working_folder
from console.process.starting import GLANCE, START_PATIENCE, StartError, start_router
from console.process.stopping import STOP_PATIENCE, StopError, stop_router
from router.contract import Refused, Snapshot, Stop
from storage.home import ROOM, Home, HomeError, free

#: seconds for which one that begins anew may not be there at all
ABSENCE = 15.0


async def restart_router(
    home: Home,
    args: Sequence[str] = (),
    by: str = "",
    say: Callable[[str], None] | None = None,
) -> int:
    """Ends the router if one runs and starts it with the options it had; `args` win over those.

    It starts where the old one did: a litellm-config.yaml in that folder is still its own. One that
    a service manager holds begins anew in its own process, with what that gave it. From a session
    over SSH, whose environment is made from nothing, it also keeps the old one's: that one has the
    providers' keys. A configuration that the new one would refuse leaves the old one running.
    Returns the new pid. Raises StartError, StopError.
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
        if free(home.data) < ROOM:  # the running one serves without its ledger; a new one needs it
            return f"the disk of {home.data} is full: free some space first"
    done = ask(["doctor", "--json", *args], folder=folder, env=env)
    return done.stderr.decode("utf-8", "replace").strip() if done.returncode else ""
