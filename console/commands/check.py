"""`pointsman check`: which features really work at one model, by a few small real requests."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.output import DOWN, fail, out, print_json, with_link
from console.tables import table
from console.text import ms

if TYPE_CHECKING:
    from console.conformance import Found
    from console.link import Link

section = "Look"


@click.command()
@click.argument("target", metavar="PROVIDER,MODEL")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
@click.pass_context
def command(ctx: click.Context, target: str, as_json: bool) -> None:
    """Try a model's features with real requests; they cost money.

    Eight small ones: text, stream, usage, tools, an image, the token limit, thinking. The ledger
    has them under the client pointsman-check.
    """
    if "," not in target:
        raise click.UsageError("write PROVIDER,MODEL: `pointsman models` lists them")
    found = with_link(lambda link: _run(link, target))
    if as_json:
        print_json([{name: getattr(f, name) for name in f.__slots__} for f in found])
    else:
        for line in table(("", "FEATURE", "SHOWN BY", "TOOK"), [_row(f) for f in found]):
            out(line)
    ctx.exit(1 if any(f.works is False for f in found) else 0)


def _row(found: Found) -> tuple[str, str, str, str]:
    mark = {True: "✓", False: "✗", None: "○"}[found.works]
    return mark, found.name, found.detail, ms(found.took_ms)


async def _run(link: Link, target: str) -> list[Found]:
    import httpx

    from console.conformance import run
    from console.reaching import reach

    door, key = await reach(link, [target])
    try:
        return [found async for found in run(door, key, target)]
    except httpx.HTTPError as error:
        fail(f"the router does not answer: {error}", DOWN)
