"""`ccr help`: the same as `ccr --help`."""

from __future__ import annotations

import click

from console.output import out

section = "About"


@click.command()
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """Show this help."""
    assert ctx.parent is not None
    out(ctx.parent.get_help())
