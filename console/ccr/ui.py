"""`ccr ui`: how to see what the router does."""

from __future__ import annotations

import click

section = "Work"


@click.command()
def command() -> None:
    """Say how to open the console."""
    import asyncio

    from console.options import ports
    from console.output import NO_ROUTER, out, say
    from console.process import running
    from storage.home import home

    snapshot = asyncio.run(running(home()))
    out("the console: pointsman")
    if snapshot is None:
        say(NO_ROUTER)
    elif port := ports(snapshot).get("SSH"):
        out(f"from elsewhere: ssh -p {port} developer@localhost")
