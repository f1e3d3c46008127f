"""`pointsman costs`: what was spent, grouped; real and simulated money never share a line."""

from __future__ import annotations

import time
from collections.abc import Sequence
from typing import TYPE_CHECKING, Literal, get_args

import click

from console.options import moment
from console.output import block, out, print_json, table
from console.text import money, percent, tokens, when

if TYPE_CHECKING:
    from console.link import Link
    from router.contract import CostLine

section = "Look"

By = Literal["model", "provider", "door", "session", "key", "day"]


@click.command()
@click.option("--since", default="today", type=moment, help="today, 7d, 30d, all, or a date")
@click.option(
    "--by", default="model", type=click.Choice(get_args(By)), help="What a line sums  [model]"
)
@click.option("--json", "as_json", is_flag=True, help="Print JSON; money in nano-dollars")
def command(since: float, by: By, as_json: bool) -> None:
    """Show tokens and money since a day; works without a router too.

    ≥ marks a sum in which some requests have no known price: those count as nothing, not as free.
    """
    from console.output import with_link

    until = time.time()
    lines = with_link(lambda link: read(link, since, until, by))
    real = [line for line in lines if not line.simulated]
    simulated = [line for line in lines if line.simulated]
    if as_json:
        print_json(
            {
                "since": since,
                "until": until,
                "by": by,
                "real": {"lines": real, "total": sums(real)},
                "simulated": {"lines": simulated, "total": sums(simulated)},
            }
        )
        return
    out(f"since {when(since) if since else 'the beginning'}")
    block("Real", rows(real, by))
    block("Simulated (not money)", rows(simulated, by))
    if not lines:
        out("no requests")


async def read(link: Link, since: float, until: float, by: By) -> list[CostLine]:
    return await link.archive.costs(since, until, by)


def sums(lines: Sequence[CostLine]) -> dict[str, int | float | bool | None]:
    """The total of lines of one kind; coverage is the share of requests whose price is known."""
    requests = sum(line.requests for line in lines)
    unpriced = sum(line.unpriced for line in lines)
    return {
        "requests": requests,
        "errors": sum(line.errors for line in lines),
        "prompt_tokens": sum(line.tokens.prompt for line in lines),
        "output_tokens": sum(line.tokens.output for line in lines),
        "cost": sum(line.cost for line in lines),
        "unpriced": unpriced,
        "lower_bound": unpriced > 0,
        "coverage": (requests - unpriced) / requests if requests else None,
    }


def rows(lines: Sequence[CostLine], by: str) -> list[str]:
    if not lines:
        return []
    ordered = sorted(
        lines, key=(lambda line: line.name) if by == "day" else (lambda line: -line.cost)
    )
    cells = [
        (
            line.name or "(none)",
            f"{line.requests:,}",
            f"{line.errors:,}" if line.errors else "",
            tokens(line.tokens.prompt, estimated=line.tokens.estimated),
            tokens(line.tokens.cache_read) if line.tokens.cache_read else "",
            tokens(line.tokens.output, estimated=line.tokens.estimated),
            money(line.cost, lower_bound=line.unpriced > 0),
            f"{line.unpriced:,}" if line.unpriced else "",
        )
        for line in ordered
    ]
    total = sums(lines)
    covered = total["coverage"]
    cells.append(
        (
            "total",
            f"{total['requests']:,}",
            f"{total['errors']:,}" if total["errors"] else "",
            tokens(sum(line.tokens.prompt for line in lines)),
            tokens(sum(line.tokens.cache_read for line in lines)),
            tokens(sum(line.tokens.output for line in lines)),
            money(sum(line.cost for line in lines), lower_bound=bool(total["unpriced"])),
            f"{total['unpriced']:,}" if total["unpriced"] else "",
        )
    )
    heads = (by.upper(), "REQUESTS", "ERRORS", "IN", "CACHED", "OUT", "COST", "UNPRICED")
    drawn = table(heads, cells, right=range(1, len(heads)))
    if total["unpriced"]:
        drawn.append(f"the price of {percent(1 - float(covered or 0))} of the requests is unknown")
    return drawn
