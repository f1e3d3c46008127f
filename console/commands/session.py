"""`pointsman session`: conversations with their subagents; pauses and resumes them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.output import do, json_option, out, print_json, who, with_link
from console.suggesting import Suggesting
from console.tables import table
from console.text import age, money, percent, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.link import Link
    from router.contract import BranchLine

section = "Look"


@click.group(cls=Suggesting)
def command() -> None:
    """Conversations and their subagents; pause one, let it go on."""


@command.command("list")
@click.option("-n", "--lines", default=20, type=click.IntRange(1, 1_000), help="How many  [20]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def list_all(lines: int, as_json: bool) -> None:
    """List the sessions of late: each branch and model on a line. Works without a router."""
    found = with_link(lambda link: read(link, lines))
    if as_json:
        print_json(found)
        return
    for line in rows(found, time.time()):
        out(line)
    if not found:
        out("no sessions")


async def read(link: Link, lines: int) -> list[BranchLine]:
    return await link.archive.branches(await link.archive.sessions(lines))


def rows(found: Sequence[BranchLine], now: float) -> list[str]:
    cells = []
    for line in found:
        used, prompt = line.used, line.used.tokens.prompt
        cells.append(
            (
                line.session,
                line.agent or "main",
                used.name,
                f"{used.requests:,}",
                tokens(prompt),
                percent(used.tokens.cache_read / prompt) if prompt else "",
                tokens(used.tokens.output),
                f"{'sim ' if used.simulated else ''}{money(used.cost, used.unpriced > 0)}",
                age(now - line.last_at),
            )
        )
    heads = ("SESSION", "BRANCH", "MODEL", "REQUESTS", "IN", "CACHED", "OUT", "COST", "AGO")
    return table(heads, cells, right=(3, 4, 5, 6, 7), lesser=(5, 6, 4, 3, 1))


@command.command()
@click.argument("id")
@json_option
def pause(id: str, as_json: bool) -> None:
    """Refuse this session's new requests until it is resumed."""
    from router.contract import Pause

    do(Pause(id, by=who()), as_json)


@command.command()
@click.argument("id")
@json_option
def resume(id: str, as_json: bool) -> None:
    """Let a paused session go on; "all" for every one."""
    from router.contract import Resume

    do(Resume(id, by=who()), as_json)
