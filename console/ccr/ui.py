"""`ccr ui`: how to see what the router does."""

from __future__ import annotations

import click

section = "Work"


@click.command()
def command() -> None:
    """Say how to open the console."""
    import asyncio

    from console.output import NO_ROUTER, out, say
    from console.process import running
    from console.text import clean
    from storage.home import home

    snapshot = asyncio.run(running(home()))
    out("the console: pointsman")
    for listener in snapshot.listeners if snapshot else ():
        if listener.name == "SSH":
            port = clean(listener.address).rpartition(":")[2].rstrip("/")
            out(f"from anywhere: ssh -p {port} developer@localhost")
    if snapshot is None:
        say(NO_ROUTER)
