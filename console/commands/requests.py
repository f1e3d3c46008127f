"""`pointsman requests`: the newest requests, as the Live screen lists them."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

import click

from console.options import moment
from console.output import fail, out, print_json, say, with_link
from console.query import parse
from console.searching import PAGE, PAGES, matching
from console.tables import stamp, table
from console.text import UNKNOWN, money, ms, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.link import Link
    from router.contract import RequestView

section = "Look"


@click.command()
@click.argument("words", nargs=-1, metavar="[FILTER]")
@click.option(
    "--text", default="", help="Part of a model, rule, session, error, …; or how an id begins"
)
@click.option("--session", default="", help="Only this session's")
@click.option("--since", type=moment, help="today, monday, 7d, 14:00, all, or a date")
@click.option("-n", "--lines", default=20, type=click.IntRange(1, 10_000), help="How many  [20]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def command(
    words: tuple[str, ...],
    text: str,
    session: str,
    since: float | None,
    lines: int,
    as_json: bool,
) -> None:
    """List the newest requests; works without a router too. FILTER is what `/` takes in the
    console's Live screen.

    \b
    Examples:
      pointsman requests state:failed since:monday
      pointsman requests 'took>30s !provider:groq'
      pointsman requests 'cost>0.5 since:yesterdayT18:00 until:23:00'
    """
    from console.session_named import meant
    from router.contract import RequestFilter

    async def read(link: Link) -> tuple[Sequence[RequestView], bool]:
        """And whether there are no more, or as many as were asked for."""
        if not words:
            wanted = RequestFilter(since=since, text=text, session=await meant(link, session))
            return await link.archive.requests(wanted, lines), True
        filter = parse(" ".join(words), time.time())
        if misread := filter.misread("requests"):
            fail(misread)
        filter.since = since if filter.since is None else filter.since
        filter.words += (text.casefold(),) if text else ()
        filter.fields += (("session", session.casefold()),) if session else ()
        found, whole = await matching(link.archive, filter, lines)
        return found, whole or len(found) == lines

    found, whole = with_link(read)
    if not whole:
        say(f"the newest {PAGES * PAGE:,} were looked through: since: and until: reach the others")
    if as_json:
        print_json(found)
        return
    for line in rows(found):
        out(line)
    if not found:
        out("no requests")


def rows(found: Sequence[RequestView]) -> list[str]:
    cells = [
        (
            stamp(view.started_at),
            view.id,
            view.door,
            f"{view.provider},{view.model}" if view.provider else UNKNOWN,
            view.rule,
            tokens(view.tokens.prompt, estimated=view.tokens.estimated),
            tokens(view.tokens.output, estimated=view.tokens.estimated),
            f"{'sim ' if view.simulated else ''}{money(view.cost)}",
            ms(view.duration_ms),
            f"{view.state} {view.status or ''}".strip(),
        )
        for view in found
    ]
    heads = ("TIME", "ID", "DOOR", "MODEL", "RULE", "IN", "OUT", "COST", "TOOK", "STATE")
    return table(heads, cells, right=(5, 6, 7, 8), lesser=(2, 8, 6, 5, 4))
