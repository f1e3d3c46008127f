"""`pointsman cancel`: ends a running request."""

from __future__ import annotations

import click

from console.output import do, json_option, who

section = "Change"


@click.command()
@click.argument("id")
@json_option
def command(id: str, as_json: bool) -> None:
    """Stop a running request; what it used so far is billed."""
    from router.contract import Cancel

    do(Cancel(id, by=who()), as_json, "cancelled")
