"""`pointsman override`: sends traffic elsewhere while it flies; shows and clears such switches."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.options import duration
from console.output import do, fail, json_option, out, print_json, who, with_link
from console.suggesting import Suggesting
from console.text import clean

if TYPE_CHECKING:
    from router.contract import OverrideView

section = "Change"


@click.group(cls=Suggesting)
def command() -> None:
    """Send requests to another model, for a while or until cleared."""


@command.command("set")
@click.argument("target", metavar="PROVIDER,MODEL")
@click.option("--for", "seconds", type=duration, help="30m, 2h, 1d; without it: until cleared")
@click.option("--session", help="Only requests of this session")
@click.option("--key", help="Only requests made with this key (its short name)")
@click.option("--scenario", help="Only this scenario: think, background, longContext, …")
@click.option("--force", is_flag=True, help="Before every other rule, even a request's own choice")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def set_one(
    target: str,
    seconds: float | None,
    session: str | None,
    key: str | None,
    scenario: str | None,
    force: bool,
    as_json: bool,
) -> None:
    """Set an override. It replaces one of the same scope.

    \b
    Examples:
      pointsman override set deepseek,deepseek-chat --for 30m
      pointsman override set openrouter,claude-3-5-sonnet --scenario think
    """
    from console.session_named import meant
    from router.contract import Done, Refused, SetOverride

    if session:
        typed = session
        session = with_link(lambda link: meant(link, typed))
    given = {"session": session, "key": key, "scenario": scenario}
    scopes = [f"{name}:{value}" for name, value in given.items() if value]
    if len(scopes) > 1:
        raise click.UsageError("choose one of --session, --key and --scenario")
    if not all(part.strip() for part in target.partition(",")):
        raise click.BadParameter(f"{target!r} is no target: write provider,model")
    action = SetOverride(
        scope=scopes[0] if scopes else "everywhere",
        target=target,
        seconds=seconds,
        forced=force,
        by=who(),
    )
    result = with_link(lambda link: link.act(action))
    if isinstance(result, Refused):
        fail(result.message)
    if as_json:
        print_json(result)
    elif isinstance(result, Done) and result.override is not None:
        show((result.override,))
        if result.warning:
            out(clean(result.warning, limit=500))


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def list_all(as_json: bool) -> None:
    """Show the overrides in force, with the time they have left."""
    views = with_link(lambda link: link.snapshot()).overrides
    if as_json:
        print_json(views)
    elif views:
        show(views)
    else:
        out("no overrides")


@command.command()
@click.argument("id", required=False)
@click.option("--all", "everything", is_flag=True, help="Clear every override")
@json_option
def clear(id: str | None, everything: bool, as_json: bool) -> None:
    """Clear one override by its id, or all of them."""
    from router.contract import ClearOverride

    if bool(id) == everything:
        raise click.UsageError("give an ID (see `pointsman override list`) or --all")
    action = ClearOverride(id="all" if everything else str(id), by=who())
    do(action, as_json, "cleared")


def show(views: tuple[OverrideView, ...]) -> None:
    from console.commands.status import overrides

    for line in overrides(views, time.time()):
        out(line)
