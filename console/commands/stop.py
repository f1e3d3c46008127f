"""`pointsman stop`: ends the router."""

from __future__ import annotations

import click

from console.output import json_option

section = "Run"


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Drain and end the router; returns when its process is gone."""
    import asyncio

    from console.link import RouterDownError
    from console.output import DOWN, fail, out, print_json, who
    from console.process.stopping import StopError, stop_router
    from storage.home import home

    try:
        pid = asyncio.run(stop_router(home(), who()))
    except RouterDownError:
        fail("no router runs here: nothing to stop", DOWN)
    except StopError as error:
        fail(str(error))
    if as_json:
        print_json({"pid": pid})
    else:
        out(f"the router (pid {pid}) ended")
