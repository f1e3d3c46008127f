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
    found, paused = with_link(lambda link: read(link, lines))
    if as_json:
        from msgspec.structs import asdict

        print_json([{**asdict(line), "paused": line.session in paused} for line in found])
        return
    for line in rows(found, paused, time.time()):
        out(line)
    if not found and not paused:
        out("no sessions")


async def read(link: Link, lines: int) -> tuple[list[BranchLine], tuple[str, ...]]:
    """And which sessions are paused; none where no router runs."""
    found = await link.archive.branches(await link.archive.sessions(lines))
    return found, await held(link)


async def held(link: Link) -> tuple[str, ...]:
    from console.link import RouterDownError

    try:
        return (await link.snapshot()).paused
    except RouterDownError:
        return ()


def rows(found: Sequence[BranchLine], paused: Sequence[str], now: float) -> list[str]:
    cells: list[tuple[str, ...]] = []
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
                "paused" if line.session in paused else "",
            )
        )
    listed = {line.session for line in found}
    cells += [(one, *[""] * 8, "paused") for one in paused if one not in listed]
    heads = (
        "SESSION",
        "BRANCH",
        "MODEL",
        "REQUESTS",
        "IN",
        "CACHED",
        "OUT",
        "COST",
        "AGO",
        "STATE",
    )
    return table(heads, cells, right=(3, 4, 5, 6, 7), lesser=(5, 6, 4, 3, 1))


@command.command()
@click.argument("id")
@json_option
def pause(id: str, as_json: bool) -> None:
    """Refuse this session's new requests until it is resumed. The beginning of its id is enough."""
    from console.session_named import meant
    from router.contract import Pause

    session = with_link(lambda link: meant(link, id))
    do(Pause(session, by=who()), as_json)


@command.command()
@click.argument("id")
@json_option
def resume(id: str, as_json: bool) -> None:
    """Let a paused session go on; "all" for every one."""
    from console.session_named import meant
    from router.contract import Resume

    async def named(link: Link) -> str:
        return id if id == "all" else await meant(link, id, await held(link))

    session = with_link(named)
    do(Resume(session, by=who()), as_json)
