"""`pointsman stop`: ends the router."""

from __future__ import annotations

import click

section = "Run"


@click.command()
def command() -> None:
    """Drain and end the router; returns when its process is gone."""
    import asyncio

    from console.link import RouterDownError
    from console.output import DOWN, fail, out, who
    from console.process import StopError, stop_router
    from storage.home import home

    try:
        pid = asyncio.run(stop_router(home(), who()))
    except RouterDownError:
        fail("no router runs here: nothing to stop", DOWN)
    except StopError as error:
        fail(str(error))
    out(f"the router (pid {pid}) ended")
