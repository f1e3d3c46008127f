"""`ccr version`: in Claude Code Router's own words."""

from __future__ import annotations

import click

from console.output import out
from router.contract import VERSION

section = "About"


@click.command()
def command() -> None:
    """Show the version."""
    out(f"claude-code-router version: {VERSION} (Pointsman)")
