"""`ccr NAME`: Claude Code on a preset, which is a command for as long as it is installed.

One rule: as the original, the preset's Router decides at the router's /preset/NAME; where it says
`noServer`, Claude Code goes to the preset's provider itself.
"""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Any

import click

from console.ccr.code import RawCommand, reached, through
from console.output import fail, say
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.claude import Settings
    from storage.home import Home


def command_of(name: str) -> click.Command | None:
    """The command of the preset `name`; None where none is installed."""
    from console import presets
    from storage.home import home

    try:
        found = (presets.folder(home(), name) / presets.MANIFEST).is_file()
    except presets.PresetError:
        return None
    return _command(name) if found else None


def _command(name: str) -> click.Command:
    @click.command(name, cls=RawCommand, options_metavar="[claude's options]")
    @click.pass_context
    def command(ctx: click.Context, /) -> None:
        ctx.exit(run(name, ctx.args))

    return command


def run(name: str, words: list[str]) -> int:
    """Becomes Claude Code on the preset, or answers and returns the exit code."""
    import asyncio

    from console import claude, presets
    from storage.home import home

    here = home()
    try:
        config = presets.configuration(presets.load(presets.folder(here, name)))
    except presets.PresetError as error:
        fail(str(error))
    chosen = claude.settings(here)
    if chosen.problem:
        say(clean(chosen.problem))
    own = config.get("claudeCodeSettings")
    own = dict(own) if isinstance(own, dict) else {}
    if claude.wants_status_line(config):
        own = claude.status_line(name) | own
    if config.get("noServer") is True:
        url, chosen = _provider(here, name, config, chosen)
    else:
        url, chosen = asyncio.run(reached(here, chosen))
        url = f"{url}/preset/{name}"
    return through(here, url, chosen, words, own)


def _provider(
    here: Home, name: str, config: Mapping[str, Any], chosen: Settings
) -> tuple[str, Settings]:
    """The address and the key of the one provider that a preset without a server goes to."""
    from console import claude
    from console.quick_json5 import read

    named = config.get("provider")
    listed = (read(here.ccr_json) if named else config).get("Providers")
    entries = [one for one in listed or () if isinstance(one, dict)]
    found = next((one for one in entries if not named or one.get("name") == named), {})
    url = str(found.get("api_base_url") or "").removesuffix("/").removesuffix("/v1/messages")
    if not url:
        fail(f"the preset {name} goes straight to a provider (noServer), and names none that is")
    key = claude.filled(found.get("api_key")) or chosen.key
    return url, replace(chosen, key=key, routed=False)
