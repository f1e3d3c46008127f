"""Whether a router runs, and what it shows to who finds it.

One rule: the lock of its home tells whether there is one, its control socket whether it answers.
"""

from __future__ import annotations

import fcntl

from console.link import Link, RouterDownError
from router.contract import ClientKeys, ShowKeys, Snapshot
from storage.home import Home


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
