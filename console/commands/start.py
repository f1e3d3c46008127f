"""`pointsman start`: a router in the background."""

from __future__ import annotations

from typing import Any

import click

from console.options import router_arguments, router_options

section = "Run"


@click.command()
@router_options
def command(**options: Any) -> None:
    """Start the router in the background and wait until it answers."""
    import asyncio

    from console.opening import disagreements
    from console.output import fail, out, say
    from console.process import StartError, running, start_router
    from storage.home import home

    here = home()
    before = asyncio.run(running(here))
    if before is not None:
        say(f"a router already runs (pid {before.pid})")
        for line in disagreements(options, before):
            say(line)
        return
    try:
        asyncio.run(start_router(here, router_arguments(options)))
    except StartError as error:
        fail(str(error))
    snapshot = asyncio.run(running(here))
    if snapshot is None:
        fail(f"the router started and ended at once: see {here.router_output}")
    out(f"the router runs (pid {snapshot.pid})")
    for listener in snapshot.listeners:
        out(f"  {listener.name:<10}  {listener.address}")
