"""`pointsman health`: when services went down and came back, also of a router that is down."""

from __future__ import annotations

from typing import TYPE_CHECKING

import click

from console.options import moment
from console.output import out, print_json, with_link
from console.tables import stamp, table
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from router.contract import Condition, ServiceChange

section = "Look"


@click.command()
@click.argument("service", default="")
@click.option("--since", type=moment, help="today, monday, 7d, 14:00, or a date")
@click.option("-n", "--lines", default=50, type=click.IntRange(1), help="How many  [50]")
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
def command(service: str, since: float | None, lines: int, as_json: bool) -> None:
    """Show when services changed their state, oldest first.

    \b
    Examples:
      pointsman health --since 7d
      pointsman health deepseek
    How they are now: `pointsman status`.
    """
    found = with_link(lambda link: link.archive.health(since or 0.0, service, lines))
    found.reverse()
    if as_json:
        print_json(found)
        return
    found = changes(found)
    rows = [(stamp(one.at), one.service, one.state, clean(one.reason)) for one in found]
    for line in table(("AT", "SERVICE", "STATE", "WHY"), rows) if rows else ["nothing yet"]:
        out(line)


def changes(found: Sequence[ServiceChange]) -> list[ServiceChange]:
    """Oldest first. Every router tells each state anew as it starts: that is no change."""
    last: dict[str, Condition] = {}
    told = []
    for one in found:
        if last.get(one.service) != one.state:
            told.append(one)
        last[one.service] = one.state
    return told
