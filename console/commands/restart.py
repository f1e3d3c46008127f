"""`pointsman restart`: ends the router and starts it with the same options."""

from __future__ import annotations

from typing import Any

import click

from console.options import router_arguments, router_options
from console.output import json_option, say

section = "Run"


@click.command()
@router_options
@json_option
def command(as_json: bool, **options: Any) -> None:
    """Restart the router. It keeps the options it was started with; those given here win."""
    import asyncio

    from console.output import fail, out, print_json, who
    from console.process.restarting import restart_router
    from console.process.starting import StartError
    from console.process.stopping import StopError
    from storage.home import home

    try:
        pid = asyncio.run(restart_router(home(), router_arguments(options), by=who(), say=say))
    except (StartError, StopError) as error:
        fail(str(error))
    if as_json:
        print_json({"pid": pid})
    else:
        out(f"the router runs (pid {pid})")
