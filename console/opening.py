"""`pointsman` alone: a router, and the console on it.

One rule: a router that already runs is never moved or restarted by opening a console; where the
options ask for something else, that is said before the screen is taken.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Mapping
from typing import Any

from console.options import LISTENERS, ports, router_arguments
from console.output import fail, say, with_link
from console.process.presence import running
from console.process.starting import StartError, start_router
from router.contract import Snapshot
from storage.home import home


def open_console(options: Mapping[str, Any]) -> int:
    """Exit code of the console."""
    if not has_terminal():
        fail("the console needs a terminal; `pointsman start` starts the router without it")
    here = home()
    snapshot = asyncio.run(running(here))
    read_only = bool(options.get("read_only"))
    if snapshot is None and not read_only:
        say("starting the router…")
        try:
            asyncio.run(start_router(here, router_arguments(options), say=say))
        except StartError as error:
            fail(str(error))
    elif snapshot is not None:
        differences = disagreements(options, snapshot)
        for line in differences:
            say(line)
        if differences:
            input("Enter opens the console on the router that runs … ")

    request = options.get("request") or ""
    if request:
        from console.commands.why import find

        request = with_link(lambda link: find(link, request)).id

    from console.app import run

    return run(
        here,
        screen=options.get("screen") or "",
        request=request,
        read_only=read_only,
    )


def has_terminal() -> bool:
    """Textual reads keys from stdin and draws on stderr."""
    return sys.stdin.isatty() and sys.stderr.isatty()


def disagreements(options: Mapping[str, Any], snapshot: Snapshot) -> list[str]:
    """Where a running router does not listen as `options` ask; one line each, with the way out."""
    listens = ports(snapshot)
    lines = []
    for key, name in LISTENERS.items():
        asked = options.get(key)
        if asked is None:
            continue
        actual = listens.get(name, 0)
        if actual != asked:
            here = f"on port {actual}" if actual else "nowhere"
            flag = "--" + key.replace("_", "-")
            lines.append(
                f"the router that runs has its {name} {here}: "
                f"`pointsman restart {flag} {asked}` moves it"
            )
    return lines
