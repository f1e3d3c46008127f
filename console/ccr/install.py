"""`ccr install`: a preset of the marketplace, or from wherever else it is."""

from __future__ import annotations

import click

section = "Routes and costs"


@click.command()
@click.argument("source", metavar="NAME|FOLDER|FILE|URL")
def command(source: str) -> None:
    """Install a preset from the marketplace (`ccr preset install`)."""
    from console.ccr.preset import installing

    installing(source)
