"""`pointsman wake`: ends the rest of a provider that failed too often."""

from __future__ import annotations

import click

from console.output import do, json_option, who

section = "Change"


@click.command()
@click.argument("provider")
@json_option
def command(provider: str, as_json: bool) -> None:
    """Ask a provider again at once that rests after errors."""
    from router.contract import ClearCooldown

    do(ClearCooldown(provider, by=who()), as_json)
