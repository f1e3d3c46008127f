"""`pointsman requests`: the newest requests, as the Live screen lists them."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.options import moment
from console.output import out, print_json, with_link
from console.tables import stamp, table
from console.text import UNKNOWN, money, ms, tokens

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract import RequestView

section = "Look"


@click.command()
@click.option(
    "--text", default="", help="Part of a model, rule, session, error, …; or how an id begins"
)
@click.option("--session", default="", help="Only this session's")
@click.option("--since", type=moment, help="today, 7d, 12h, all, or a date")
@click.option("-n", "--lines", default=20, type=click.IntRange(1, 10_000), help="How many  [20]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def command(text: str, session: str, since: float | None, lines: int, as_json: bool) -> None:
    """List the newest requests; works without a router too."""
    from router.contract import RequestFilter

    wanted = RequestFilter(since=since, text=text, session=session)
    found = with_link(lambda link: link.archive.requests(wanted, lines))
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
