"""`pointsman costs`: what was spent, grouped; real and simulated money never share a line."""

from __future__ import annotations

import csv
import io
from collections.abc import Sequence
from datetime import datetime
from typing import TYPE_CHECKING, Literal, get_args

import click

from console.options import moment
from console.output import block, fail, out, print_json
from console.tables import table
from console.text import clean, money, percent, tokens, when

if TYPE_CHECKING:
    from console.link import Link
    from router.contract import CostLine

section = "Look"

By = Literal[
    "model",
    "provider",
    "door",
    "key",
    "project",
    "team",
    "user",
    "session",
    "rule",
    "outcome",
    "day",
    "hour",
]
#: in the order of time, all others by what they cost
_TIMES = ("day", "hour")


@click.command()
@click.option("--since", default="today", type=moment, help="today, monday, 7d, all, or a date")
@click.option("--until", type=moment, help="The same, not included  [now]")
@click.option(
    "--by", default="model", type=click.Choice(get_args(By)), help="What a line sums  [model]"
)
@click.option("--on", default="", metavar="PROVIDER,MODEL", help="What it would have cost there")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; money in nano-dollars")
@click.option("--csv", "as_csv", is_flag=True, help="Print CSV; money in dollars")
def command(
    since: float, until: float | None, by: By, on: str, as_json: bool, as_csv: bool
) -> None:
    """Show tokens and money since a day; works without a router too.

    Money is that of every attempt under its own model, so a provider's line is its bill; by outcome
    it is told apart what was spent on answers and what on retries, failures and cancelled requests.
    ≥ marks a sum in which some attempts have no known price: those count as nothing, not as free.
    """
    from console.output import with_link

    if as_json and as_csv:
        fail("choose one of --json and --csv", 2)
    lines = with_link(lambda link: read(link, since, until, by))
    there = elsewhere(lines, on) if on else None
    real = [line for line in lines if not line.simulated]
    simulated = [line for line in lines if line.simulated]
    if as_csv:
        out(as_table(lines, by).rstrip("\n"))
        return
    if as_json:
        print_json(
            {
                "since": since,
                "until": until,
                "by": by,
                "real": {"lines": real, "total": sums(real)},
                "simulated": {"lines": simulated, "total": sums(simulated)},
                **({"on": {"target": on, "cost": there}} if on else {}),
            }
        )
        return
    end = f" until {when(until)}" if until is not None else ""
    out(f"since {when(since) if since else 'the beginning'}{end}")
    block("Real", rows(real, by))
    block("Simulated (not money)", rows(simulated, by))
    if not lines:
        out("no requests")
    elif on:
        out(f"the real ones on {clean(on)}, the same tokens: ≈ {money(there)}")


def elsewhere(lines: Sequence[CostLine], on: str) -> int | None:
    """Nano-dollars of the real lines' tokens at that model's prices; None where one is unknown."""
    from console.lines.spending import cost_on, total
    from console.output import with_link
    from router.contract import ListModels, Models

    listed = with_link(lambda link: link.act(ListModels()))
    models = listed.models if isinstance(listed, Models) else ()
    model = next((each for each in models if each.target == on), None)
    if model is None:
        fail(f"no model {on!r}: `pointsman models` lists them")
    return cost_on(total([line for line in lines if not line.simulated]).tokens, model)


async def read(link: Link, since: float, until: float | None, by: By) -> list[CostLine]:
    if by != "hour":
        return await link.archive.costs(since, until, by)
    from msgspec.structs import replace

    points = await link.archive.cost_series(since, until, "hour")
    return [
        replace(point.line, name=datetime.fromtimestamp(point.at).strftime("%Y-%m-%d %H:%M"))
        for point in points
    ]


def sums(lines: Sequence[CostLine]) -> dict[str, int | float | bool | None]:
    """The total of lines of one kind; coverage is the share of attempts whose price is known."""
    attempts = sum(line.attempts for line in lines)
    unpriced = sum(line.unpriced for line in lines)
    return {
        "requests": sum(line.requests for line in lines),
        "attempts": attempts,
        "errors": sum(line.errors for line in lines),
        "prompt_tokens": sum(line.tokens.prompt for line in lines),
        "output_tokens": sum(line.tokens.output for line in lines),
        "cost": sum(line.cost for line in lines),
        "saved": sum(line.spend.saved for line in lines),
        "unpriced": unpriced,
        "lower_bound": unpriced > 0,
        "coverage": (attempts - unpriced) / attempts if attempts else None,
    }


def rows(lines: Sequence[CostLine], by: str) -> list[str]:
    """The columns of the console's Costs: what was read from a cache is no part of the input."""
    from console.lines.spending import named, total

    if not lines:
        return []
    ordered = lines if by in _TIMES else sorted(lines, key=lambda line: -line.cost)
    whole = total(lines)
    cells = [_row(named(line.name, by), line) for line in ordered]
    cells.append(_row("total", whole))
    heads = (
        *(by.upper(), "REQUESTS", "ERRORS", "INPUT", "CACHE READ", "CACHE WRITE", "OUTPUT"),
        *("COST", "CACHE SAVED", "UNPRICED"),
    )
    drawn = table(heads, cells, right=range(1, len(heads)), lesser=(8, 9, 5))
    if whole.unpriced:
        unknown = percent(whole.unpriced / whole.attempts)
        drawn.append(f"the price of {unknown} of the attempts is unknown")
    return drawn


def _row(name: str, line: CostLine) -> tuple[str, ...]:
    from console.lines.spending import cost, into_caches

    used = line.tokens
    return (
        name,
        f"{line.requests:,}",
        f"{line.errors:,}" if line.errors else "",
        tokens(used.input, estimated=used.estimated),
        tokens(used.cache_read) if used.cache_read else "",
        tokens(into_caches(used)) if into_caches(used) else "",
        tokens(used.output, estimated=used.estimated),
        cost(line),
        money(line.spend.saved) if line.spend.saved else "",
        f"{line.unpriced:,}" if line.unpriced else "",
    )


def as_table(lines: Sequence[CostLine], by: str) -> str:
    """CSV with a head. A name that a spreadsheet would take for a formula gets an apostrophe."""
    written = io.StringIO()
    writer = csv.writer(written, lineterminator="\n")
    writer.writerow(
        (
            *(by, "simulated", "requests", "attempts", "errors", "unpriced"),
            *("input", "cache_read", "cache_write", "cache_write_1h", "output", "reasoning"),
            *("cost", "cost_input", "cost_cache_read", "cost_cache_write", "cost_output"),
            *("cost_fees", "cache_saved"),
        )
    )
    for line in lines:
        used, spend = line.tokens, line.spend
        parts = (spend.input, spend.cache_read, spend.cache_write, spend.output, spend.fees)
        name = f"'{line.name}" if line.name[:1] in ("=", "+", "-", "@") else line.name
        writer.writerow(
            (
                *(name, int(line.simulated), line.requests, line.attempts, line.errors),
                *(line.unpriced, used.input, used.cache_read, used.cache_write),
                *(used.cache_write_1h, used.output, used.reasoning),
                *(dollars(amount) for amount in (line.cost, *parts, spend.saved)),
            )
        )
    return "".join(c if c.isprintable() or c == "\n" else "\N{REPLACEMENT CHARACTER}"
                   for c in written.getvalue())  # fmt: skip


def dollars(nano: int) -> str:
    """Every digit there is: "0.001500000"."""
    sign, amount = ("-", -nano) if nano < 0 else ("", nano)
    return f"{sign}{amount // 1_000_000_000}.{amount % 1_000_000_000:09d}"
