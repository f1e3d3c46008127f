"""`pointsman neighbours`: other programs behind the front door: which run, and starting them."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING

import click

from console.output import fail, out, print_json, table, who, with_link
from console.text import clean

if TYPE_CHECKING:
    from console.link import Link
    from router.contract import ServiceView, StartNeighbour, StopNeighbour

section = "Run"

#: seconds between two looks, and how often, while one is waited for
GLANCE, PATIENCE = 0.5, 180


@click.group()
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
    rows = [(service.name, service.state, service.address, service.reason) for service in found]
    for line in table(("NAME", "STATE", "ADDRESS", "WHY"), rows):
        out(line)


@command.command()
@click.argument("name")
@click.option("--wait", is_flag=True, help="Until it answers")
def start(name: str, wait: bool) -> None:
    """Start one that is installed here; the router keeps it running until it ends itself.

    \b
    Examples:
      pointsman neighbours start chat --wait
      pointsman neighbours start n8n
    To have it run whenever the router does: start = true in its table of pointsman.toml.
    """
    from router.contract import StartNeighbour

    _do(StartNeighbour(name, by=who()))
    if wait:
        fault = with_link(lambda link: _until_up(link, name))
        if fault:
            fail(fault)
        out(f"{name} is up")


@command.command()
@click.argument("name")
def stop(name: str) -> None:
    """Stop one that was started here."""
    from router.contract import StopNeighbour

    _do(StopNeighbour(name, by=who()))


def _do(action: StartNeighbour | StopNeighbour) -> None:
    from router.contract import Done, Refused

    result = with_link(lambda link: link.act(action))
    if isinstance(result, Refused):
        fail(result.message)
    if isinstance(result, Done):
        out(clean(result.message, limit=500))


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
        await asyncio.sleep(GLANCE)
    return f"{name} does not answer: {seen.reason if seen else ''}"
