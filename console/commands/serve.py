"""`pointsman serve`: a router in the foreground."""

from __future__ import annotations

from typing import Any

import click

from console.options import router_arguments, router_options

section = "Run"


@click.command()
@router_options
@click.option(
    "--log",
    default="text",
    type=click.Choice(("text", "json", "none")),
    envvar="POINTSMAN_LOG",
    help="How its log is said on standard error  [text]",
)
def command(log: str, **options: Any) -> None:
    """Run the router in the foreground. SIGTERM and Ctrl-C drain and end it.

    This process becomes the router: signals sent to it and its exit code are the router's own. Its
    log is what `journalctl -u pointsman` and `docker logs` show; a line of JSON with `--log json`.
    """
    from console.process.program import become_router

    become_router([*router_arguments(options), "--log", log])
