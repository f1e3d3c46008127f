"""`ccr activate` (and `ccr env`): what a shell must export so that plain `claude` is routed."""

from __future__ import annotations

import asyncio
import shlex
from dataclasses import replace
from typing import TYPE_CHECKING

import click

from console.output import out, say
from console.text import clean

if TYPE_CHECKING:
    from router.contract import ClientKeys, Snapshot
    from storage.home import Home

section = "Work"


@click.command()
def command() -> None:
    """Print exports for your shell: eval "$(ccr activate)"."""
    from console import claude
    from storage.home import home

    here = home()
    chosen = claude.settings(here)
    if chosen.problem:
        say(clean(chosen.problem))
    snapshot, keys = asyncio.run(_asked(here))
    chosen = replace(chosen, key=keys.ccr or chosen.key)
    url = claude.base_url(snapshot) if snapshot else ""
    for name, value in claude.environment(url or f"http://127.0.0.1:{chosen.port}", chosen).items():
        out(f"unset {name}" if value is None else f"export {name}={shlex.quote(value)}")
    if snapshot is None:
        say("# no router runs yet: `ccr start`")


async def _asked(here: Home) -> tuple[Snapshot | None, ClientKeys]:
    from console.process.presence import client_keys, running

    return await running(here), await client_keys(here)
