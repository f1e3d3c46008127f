"""`ccr activate` (and `ccr env`): what a shell must export so that plain `claude` is routed."""

from __future__ import annotations

import asyncio
import shlex

import click

from console.output import out, say
from console.text import clean

section = "Work"


@click.command()
def command() -> None:
    """Print exports for your shell: eval "$(ccr activate)"."""
    from console import claude
    from console.process import running
    from storage.home import home

    here = home()
    chosen = claude.settings(here)
    if chosen.problem:
        say(clean(chosen.problem))
    snapshot = asyncio.run(running(here))
    url = claude.base_url(snapshot) if snapshot else ""
    for name, value in claude.environment(url or f"http://127.0.0.1:{chosen.port}", chosen).items():
        out(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    if snapshot is None:
        say("# no router runs yet: `ccr start`")
