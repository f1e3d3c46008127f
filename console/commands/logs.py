"""`pointsman logs`: the router's own log, from the ledger; with -f as it grows."""

from __future__ import annotations

import asyncio
import time
from typing import TYPE_CHECKING

import click

from console.options import moment
from console.output import out, print_json
from console.query import LEVELS, Level, parse
from console.text import clean, when

if TYPE_CHECKING:
    from console.link import Link
    from router.contract import LogFilter, LogLine

section = "Look"

#: seconds between two looks at the ledger while following
GLANCE = 0.3
#: rows of one page
PAGE = 500


@click.command()
@click.argument("words", nargs=-1, metavar="[FILTER]")
@click.option("-f", "--follow", is_flag=True, help="Keep printing new lines until Ctrl-C")
@click.option("-n", "--lines", default=50, type=click.IntRange(0), help="How many  [50]")
@click.option("--level", default="debug", type=click.Choice(LEVELS), help="This one and worse")
@click.option("--source", default="", help="Part of the router: exchange, config, ssh, …")
@click.option("--request", default="", metavar="ID", help="Lines about one request")
@click.option("--text", default="", help="Lines that contain this")
@click.option("--since", type=moment, help="today, monday, 7d, 14:00, or a date")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object per line")
def command(
    words: tuple[str, ...],
    follow: bool,
    lines: int,
    level: Level,
    source: str,
    request: str,
    text: str,
    since: float | None,
    as_json: bool,
) -> None:
    """Show the router's log, oldest first; works without a router too. FILTER is what `/` takes in
    the console: words, level: source: model: session: since:, status>= took> and the like; ! before
    any of them is all the others.

    \b
    Examples:
      pointsman logs -f --level warning
      pointsman logs --request last
      pointsman logs 'timeout !health model:sonnet status>=400'
    """
    import msgspec

    from console.output import fail, with_link

    filter = parse(" ".join(words), time.time())
    if misread := filter.misread("log"):
        fail(misread)
    wanted = filter.lines(level, since)
    wanted = msgspec.structs.replace(
        wanted, text=text, source=source or wanted.source, request=request or wanted.request
    )
    with_link(lambda link: read(link, wanted, lines, follow, as_json))


async def read(link: Link, wanted: LogFilter, count: int, follow: bool, as_json: bool) -> None:
    if wanted.request:
        wanted = await about(link, wanted)
    _, newest = await link.archive.log_reach()
    for line in await link.archive.logs(wanted, count) if count else []:
        show(line, as_json)
        newest = max(newest, line.id)
    while follow:
        _, last = await link.archive.log_reach()
        found = await link.archive.logs(wanted, PAGE, after_id=newest)
        for line in found:
            show(line, as_json)
            newest = max(newest, line.id)
        if len(found) < PAGE:  # what does not match is not looked through again
            newest = max(newest, last)
        await asyncio.sleep(GLANCE)


async def about(link: Link, wanted: LogFilter) -> LogFilter:
    """With the one request that is meant by what stands for it. What was turned away at a door has
    lines and no row: it is known by its own id, or by the one that its client sent."""
    from msgspec.structs import replace

    from console.commands.why import find
    from router.contract import LogFilter

    id = wanted.request
    if id != "last" and not await link.archive.named(id):
        if await link.archive.logs(LogFilter(request=id), 1):
            return wanted
        theirs = f"(x-request-id {id})"
        if await link.archive.logs(LogFilter(words=(theirs,)), 1):
            return replace(wanted, request="", words=(*wanted.words, theirs))
    return replace(wanted, request=(await find(link, id)).id)


def show(line: LogLine, as_json: bool) -> None:
    if as_json:
        print_json(line, line=True)
        return
    color = {"error": "red", "warning": "yellow"}.get(line.level)
    level = click.style(f"{line.level:<7}", fg=color)
    mark = "simulated " if line.simulated else ""
    about = f"  {clean(line.request)}" if line.request else ""
    text = clean(line.message, limit=4000)
    out(f"{when(line.at)}  {level}  {clean(line.source):<9} {mark}{text}{about}")
