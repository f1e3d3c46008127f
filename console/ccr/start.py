"""`ccr start`: the router in the foreground, unless one runs."""

from __future__ import annotations

import os
from typing import Any

import click

from console.options import router_arguments, router_options
from console.output import out, say

section = "Service"


@click.command()
@router_options
def command(**options: Any) -> None:
    """Run the router in the foreground, unless one runs. CCR_DEBUG=true logs everything."""
    import asyncio

    from console.process.presence import running
    from console.process.program import become_router
    from storage.home import home

    here = home()
    if asyncio.run(running(here)) is not None:
        out("✅ Service is already running in the background.")
        if os.environ.get("CCR_DEBUG"):
            say("it logs as it was started: `CCR_DEBUG=true ccr restart` has it log everything")
        return
    say(f"logs here, and to {here.ccr_log}")
    become_router([*router_arguments(options), "--log", "text"])
