"""`ccr code`: Claude Code through the router; without a Claude Code, the router's own answer."""

from __future__ import annotations

import os
import sys
from pathlib import Path
from typing import TYPE_CHECKING, Any, NoReturn

import click

from console.output import fail, say
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Mapping

    from console.claude import Settings
    from router.contract import Snapshot
    from storage.home import Home

section = "Work"


class RawCommand(click.Command):
    """Takes every word as it is: they are Claude Code's, `--` and `--help` included."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        ctx.args = list(args)
        return ctx.args


@click.command(cls=RawCommand, options_metavar="[claude's options]")
@click.pass_context
def command(ctx: click.Context, /) -> None:
    """Start Claude Code (or ask one question) through the router.

    Every option and prompt is handed to `claude`, and its exit code is ours. Two things are the
    router's: `--context NAME` chooses the route of that name, and a prompt may begin with
    `/model provider,model`. The router is started if none runs.
    """
    import asyncio

    from console import claude
    from storage.home import home

    here = home()
    chosen = claude.settings(here)
    if chosen.problem:
        say(clean(chosen.problem))
    url, chosen = asyncio.run(reached(here, chosen))
    own = claude.status_line() if chosen.status_line else {}
    ctx.exit(through(here, url, chosen, ctx.args, own))


def through(
    here: Home, url: str, chosen: Settings, given: list[str], own: Mapping[str, Any]
) -> int:
    """Becomes Claude Code with the words `given`, or answers them and returns the exit code. `own`:
    settings for Claude Code beside its user's."""
    from console import claude

    context, words = claude.take_context(given)
    path = claude.program(chosen)
    if path is not None:
        become_claude(path, [*claude.with_settings(words, own)], context, url, chosen)
    from console.chat import chat

    return chat(here, url, chosen.key or claude.NO_KEY, words, context)


async def reached(here: Home, chosen: Settings) -> tuple[str, Settings]:
    """Where the CCR role is, and the settings with the key that it takes: the router knows it also
    where a config.json names a variable that is not set here. A router is started if none runs."""
    from dataclasses import replace

    from console.claude import base_url
    from console.process.presence import client_keys

    snapshot = await router_of(here)
    url = base_url(snapshot)
    if role := next((s for s in snapshot.services if s.name == "CCR" and s.state == "down"), None):
        # Claude Code tries again for minutes, and says nothing
        say(clean(f"Claude Code Router at {role.address} {role.reason}", limit=300))
    if not url:
        fail("the router listens on no port that Claude Code could use: `pointsman restart`")
    return url, replace(chosen, key=(await client_keys(here)).ccr or chosen.key)


async def router_of(here: Home) -> Snapshot:
    """The running router's view; one is started where none runs."""
    from console.options import environment_arguments
    from console.process.presence import running
    from console.process.starting import StartError, start_router

    snapshot = await running(here)
    if snapshot is not None:
        return snapshot
    say("Service not running, starting service...")
    try:
        await start_router(here, environment_arguments(), say=say)
    except StartError as error:
        fail(f"{error}\nService startup failed, please manually run `ccr start`")
    snapshot = await running(here)
    return snapshot if snapshot is not None else fail("the router ended at once: `ccr start`")


def become_claude(
    path: str, words: list[str], context: str, url: str, chosen: Settings
) -> NoReturn:
    """Turns this process into Claude Code: terminal, signals and exit code are its own."""
    from console import claude
    from storage.home import user_home

    variables = claude.environment(url, chosen)
    # a key of the person's own would make Claude Code ask which of the two credentials to use
    variables["ANTHROPIC_API_KEY"] = None
    try:
        project = claude.project_of(Path.cwd(), user_home())
    except OSError:  # a folder that is gone, or none of ours to look into: it needs no name
        project = ""
    claude.with_headers(variables, context, project, os.environ)
    merged = {
        name: value for name, value in {**os.environ, **variables}.items() if value is not None
    }
    if chosen.non_interactive:
        os.dup2(os.open(os.devnull, os.O_RDONLY), 0)
    sys.stdout.flush()
    os.execve(path, [path, *claude.arguments(words)], merged)  # noqa: S606 no shell is wanted
