"""`ccr ui`: the console in a browser, at the routes."""

from __future__ import annotations

import click

section = "Work"


@click.command()
def command() -> None:
    """Open the console in a browser; starts a router if none runs."""
    import asyncio

    from console.ccr.code import router_of
    from console.web.ticket import give
    from storage.home import home

    asyncio.run(router_of(home()))
    give("/ccr/ui/", "admin", once=True, open_it=True)
