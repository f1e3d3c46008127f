"""`ccr statusline`: one line for Claude Code's status bar, from the JSON it gives on stdin."""

from __future__ import annotations

import sys

import click

section = "Work"


@click.command()
@click.argument("preset", required=False, default="")
def command(preset: str) -> None:
    """Print a status line from Claude Code's JSON on stdin.

    PRESET is a style (default, powerline) or the name of an installed preset. In Claude Code's
    settings.json: "statusLine": {"type": "command", "command": "ccr statusline"}
    """
    from console.statusline import configuration, line

    click.echo(line(sys.stdin.read(), *configuration(preset)))
