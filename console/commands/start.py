"""`pointsman start`: a router in the background."""

from __future__ import annotations

from typing import Any

import click

from console.options import router_arguments, router_options
from console.output import json_option

section = "Run"


@click.command()
@router_options
@json_option
def command(as_json: bool, **options: Any) -> None:
    """Start the router in the background and wait until it answers."""
    import asyncio

    from console.opening import disagreements
    from console.output import fail, out, print_json, say
    from console.process.presence import running
    from console.process.starting import StartError, start_router
    from storage.home import home

    here = home()
    before = asyncio.run(running(here))
    if before is not None:
        say(f"a router already runs (pid {before.pid})")
        for line in disagreements(options, before):
            say(line)
        if as_json:
            print_json({"pid": before.pid, "listeners": before.listeners})
        return
    try:
        asyncio.run(start_router(here, router_arguments(options), say=say))
    except StartError as error:
        fail(str(error))
    snapshot = asyncio.run(running(here))
    if snapshot is None:
        fail(f"the router started and ended at once: see {here.router_output}")
    if as_json:
        print_json({"pid": snapshot.pid, "listeners": snapshot.listeners})
        return
    out(f"the router runs (pid {snapshot.pid})")
    for listener in snapshot.listeners:
        out(f"  {listener.name:<10}  {listener.address}")
