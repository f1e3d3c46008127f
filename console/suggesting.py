"""A group of commands that says which one was probably meant.

Its rule: nothing is run that was not typed; `help` alone is understood, as git's is.
"""

from __future__ import annotations

import click

from console.text import clean


class Suggesting(click.Group):
    """As click's group, but for a command that it does not have."""

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        typed = args[0]
        # while a shell completes, nothing may be printed and nothing may fail
        if ctx.resilient_parsing or self.get_command(ctx, typed) is not None:
            return super().resolve_command(ctx, args)
        if typed == "help":
            if args[1:]:
                return self.resolve_command(ctx, [args[1], "--help"])
            click.echo(ctx.get_help())
            ctx.exit(0)
        from difflib import get_close_matches

        known = [*self.list_commands(ctx), "--help", *(["--version"] if ctx.parent is None else [])]
        near = get_close_matches(typed, known, n=1)
        meant = f"; did you mean `{ctx.command_path} {near[0]}`?" if near else ""
        ctx.fail(f"there is no command {clean(typed)!r}{meant}")
