"""`pointsman restart`: ends the router and starts it with the same options."""

from __future__ import annotations

from typing import Any

import click

from console.options import router_arguments, router_options

section = "Run"


@click.command()
@router_options
def command(**options: Any) -> None:
    """Restart the router. It keeps the options it was started with; those given here win."""
    import asyncio

    from console.output import fail, out, who
    from console.process import StartError, StopError, restart_router
    from storage.home import home

    try:
        pid = asyncio.run(restart_router(home(), router_arguments(options), by=who()))
    except (StartError, StopError) as error:
        fail(str(error))
    out(f"the router runs (pid {pid})")
