"""`ccr stop`: ends the router, in Claude Code Router's own words."""

from __future__ import annotations

import click

section = "Service"


@click.command()
def command() -> None:
    """Drain and end the router."""
    import asyncio

    from console.link import RouterDownError
    from console.output import fail, out, who
    from console.process.stopping import StopError, stop_router
    from storage.home import home

    try:
        asyncio.run(stop_router(home(), who()))
    except RouterDownError:
        # as the original: that there was nothing to stop is no failure
        out("Failed to stop the service. It may have already been stopped.")
    except StopError as error:
        fail(str(error))
    else:
        out("claude code router service has been successfully stopped.")
