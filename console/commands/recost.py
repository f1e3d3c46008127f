"""`pointsman recost`: history at the prices as they are now."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

import click

from console.options import moment
from console.output import fail, out, print_json
from console.text import money

if TYPE_CHECKING:
    from router.contract import Recosted

section = "Change"


@click.command()
@click.option("--since", default="all", type=moment, help="today, monday, 7d, a date  [all]")
@click.option("--dry-run", is_flag=True, help="Only say what would change")
@click.option("--json", "as_json", is_flag=True, help="Print JSON; money in nano-dollars")
def command(since: float, dry_run: bool, as_json: bool) -> None:
    """Price history anew, at the prices as they are now.

    For when a price was missing, wrong or changed. Rows, sums and attempts change together, a few
    hundred requests at a time; requests are served meanwhile. Works without a router too.
    """
    done = total(lambda after: ask(since, after, dry_run))
    if as_json:
        print_json(done)
        return
    would = "would change" if dry_run else "changed"
    out(f"{done.requests:,} requests looked at, {done.changed:,} {would}")
    before = money(done.before, lower_bound=done.unpriced_before > 0)
    after = money(done.after, lower_bound=done.unpriced_after > 0)
    out(f"real money: {before} → {after}")
    if done.unpriced_before or done.unpriced_after:
        out(f"attempts without a price: {done.unpriced_before:,} → {done.unpriced_after:,}")


def total(part: Callable[[int], Recosted]) -> Recosted:
    """Asks for one part after the other."""
    from msgspec.structs import astuple

    from router.contract import Recosted

    sums, at = Recosted(), 0
    while True:
        done = part(at)
        figures = zip(astuple(sums)[:-1], astuple(done)[:-1], strict=True)
        sums = Recosted(*(one + other for one, other in figures))
        if done.next is None:
            return sums
        at = done.next


def ask(since: float, after: int, dry_run: bool) -> Recosted:
    """The running router, or where there is none the configuration and the ledger as they are."""
    import asyncio

    import msgspec

    from console.link import Link, RouterDownError
    from console.output import who
    from console.process.program import ask_without_router
    from router.contract import Recost, Recosted, Refused
    from storage.home import home

    async def of_router() -> object:
        link = Link(home())
        try:
            return await link.act(Recost(since, after, dry_run, who()))
        finally:
            await link.close()

    try:
        answer = asyncio.run(of_router())
    except RouterDownError:
        words = ["recost", "--since", str(since), "--after", str(after)]
        found, said = ask_without_router([*words, *(["--dry-run"] if dry_run else [])])
        try:
            return msgspec.json.decode(found, type=Recosted)
        except msgspec.DecodeError:
            fail(said)
    if isinstance(answer, Refused):
        fail(answer.message)
    if not isinstance(answer, Recosted):
        fail("the router does not know this question: `pointsman restart` replaces it")
    return answer
