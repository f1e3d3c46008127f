"""`pointsman cancel`: ends a running request."""

from __future__ import annotations

import click

from console.output import fail, out, who, with_link

section = "Change"


@click.command()
@click.argument("id")
def command(id: str) -> None:
    """Stop a running request; what it used so far is billed."""
    from router.contract import Cancel, Refused

    result = with_link(lambda link: link.act(Cancel(id, by=who())))
    if isinstance(result, Refused):
        fail(result.message)
    out("cancelled")
