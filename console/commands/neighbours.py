"""`pointsman neighbours`: other programs behind the front door: which run, and starting them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from console.output import do, fail, json_option, out, print_json, who, with_link
from console.suggesting import Suggesting
from console.tables import table

if TYPE_CHECKING:
    from console.link import Link
    from router.contract import ServiceView

section = "Run"

#: seconds between two looks, and how often, while one is waited for
GLANCE, PATIENCE = 0.5, 180


@click.group(cls=Suggesting)
def command() -> None:
    """Show, start and stop what lives behind the front door."""


@command.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def status(as_json: bool) -> None:
    """Show which neighbours run and where they are reached."""

    services = with_link(lambda link: link.snapshot()).services
    found = [service for service in services if service.kind == "neighbour"]
    if as_json:
        print_json(found)
        return
    rows = [(each.name, each.state, each.place, each.address, each.reason) for each in found]
    for line in table(("NAME", "STATE", "AT", "ADDRESS", "WHY"), rows):
        out(line)


@command.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Until it answers")
@json_option
def start(name: str, wait: bool, as_json: bool) -> None:
    """Start one that is installed here; the router keeps it running.

    \b
    Examples:
      pointsman neighbours start chat --wait
      pointsman neighbours start n8n
    To have it run whenever the router does: start = true in its table of pointsman.toml.
    """
    from router.contract import StartNeighbour

    do(StartNeighbour(name, by=who()), as_json)
    if wait:
        fault = with_link(lambda link: _until_up(link, name))
        if fault:
            fail(fault)
        if not as_json:
            out(f"{name} is up")


@command.command()
@click.argument("name")
@json_option
def stop(name: str, as_json: bool) -> None:
    """Stop one that was started here."""
    from router.contract import StopNeighbour

    do(StopNeighbour(name, by=who()), as_json)


async def _until_up(link: Link, name: str) -> str:
    """Why it is not up; "" when it is."""
    seen: ServiceView | None = None
    for _ in range(int(PATIENCE / GLANCE)):
        services = (await link.snapshot()).services
        seen = next((s for s in services if s.kind == "neighbour" and s.name == name), None)
        if seen is None:
            return f"{name} is no longer configured"
        if seen.state == "up":
            return ""
        if seen.last_error:  # it is started again, and says this again
            return f"{name}: {seen.last_error}"
        await asyncio.sleep(GLANCE)
    return f"{name} does not answer: {seen.reason if seen else ''}"
