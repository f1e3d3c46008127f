"""`ccr restart`: ends the router and starts it in the background, in Claude Code Router's words."""

from __future__ import annotations

import click

section = "Service"


@click.command()
def command() -> None:
    """Restart the router in the background, with the options it had."""
    import asyncio

    from console.options import environment_arguments
    from console.output import fail, out, say, who
    from console.process.presence import running
    from console.process.restarting import restart_router
    from console.process.starting import StartError
    from console.process.stopping import StopError
    from storage.home import home

    here = home()
    ran = asyncio.run(running(here)) is not None
    try:
        # one that runs keeps its own options; else it is a start like any other
        asyncio.run(restart_router(here, [] if ran else environment_arguments(), by=who(), say=say))
    except (StartError, StopError) as error:
        fail(str(error))
    if ran:
        out("claude code router service has been stopped.")
    else:
        out("Service was not running or failed to stop.")
    out("Starting claude code router service...")
    out("✅ Service started successfully in the background.")
