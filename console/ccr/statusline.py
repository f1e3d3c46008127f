"""`ccr statusline`: one line for Claude Code's status bar, from the JSON it gives on stdin."""

from __future__ import annotations

import sys

import click

section = "Work"


@click.command()
@click.argument("preset", required=False, type=click.Choice(("default", "powerline")))
def command(preset: str | None) -> None:
    """Print a status line from Claude Code's JSON on stdin.

    In Claude Code's settings.json: "statusLine": {"type": "command", "command": "ccr statusline"}
    """
    from console.claude import settings
    from console.statusline import line
    from storage.home import home

    click.echo(line(sys.stdin.read(), settings(home()).status_line, preset or ""))
