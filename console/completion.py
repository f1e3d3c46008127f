"""Completion for the shells, made from the parsers themselves: of both programs, by each."""

from __future__ import annotations

import click
from click.shell_completion import get_completion_class

SHELLS = ("bash", "zsh", "fish")


@click.command()
@click.argument("shell", type=click.Choice(SHELLS))
@click.pass_context
def command(ctx: click.Context, shell: str) -> None:
    """Print completion for a shell.

    bash and zsh: eval "$(pointsman completion bash)"; fish: pointsman completion fish | source
    """
    from console.main import ccr_group, pointsman_group

    made = get_completion_class(shell)
    assert made is not None
    for name, group in (("pointsman", pointsman_group), ("ccr", ccr_group)):
        click.echo(made(group, {}, name, f"_{name.upper()}_COMPLETE").source())
