"""`pointsman wake`: ends the rest of a provider that failed too often."""

from __future__ import annotations

import click

from console.output import fail, out, who, with_link
from console.text import clean

section = "Change"


@click.command()
@click.argument("provider")
def command(provider: str) -> None:
    """Ask a provider again at once that rests after errors."""
    from router.contract import ClearCooldown, Done, Refused

    result = with_link(lambda link: link.act(ClearCooldown(provider, by=who())))
    if isinstance(result, Refused):
        fail(result.message)
    if isinstance(result, Done):
        out(clean(result.message))
