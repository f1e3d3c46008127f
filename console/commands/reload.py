"""`pointsman reload`: has the router read its configuration files again."""

from __future__ import annotations

import click

from console.output import do, json_option, who

section = "Change"


@click.command()
@json_option
def command(as_json: bool) -> None:
    """Read the configuration files again now."""
    from router.contract import Reload

    do(Reload(by=who()), as_json, "reloaded")
