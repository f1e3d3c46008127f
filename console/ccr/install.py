"""`ccr install`: a preset from a folder; the original's marketplace is not asked."""

from __future__ import annotations

import click

section = "Routes and costs"


@click.command()
@click.argument("source", metavar="FOLDER|NAME")
def command(source: str) -> None:
    """The same as `ccr preset install`. Nothing is fetched from a marketplace."""
    from console.ccr.preset import installing

    installing(source)
