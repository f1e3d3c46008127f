"""`pointsman status`: what runs, where it listens, how it is, what today costs."""

from __future__ import annotations

import math
import time
from typing import TYPE_CHECKING

import click

from console.output import DOWN, block, bold, out, print_json, red, say
from console.tables import table
from console.text import age, clean, clock, ms, tokens

if TYPE_CHECKING:
    from router.contract import OverrideView, ServiceView, Snapshot, Totals

section = "Look"


@click.command()
@click.option("--json", "as_json", is_flag=True, help="Print JSON")
@click.pass_context
def command(ctx: click.Context, as_json: bool) -> None:
    """Show listeners, services, overrides and today's totals."""
    import asyncio

    from console.output import no_router
    from console.process.presence import running
    from storage.home import home

    snapshot = asyncio.run(running(home()))
    if snapshot is None:
        if as_json:
            print_json({"running": False})
        say(no_router())
        ctx.exit(DOWN)
    now = time.time()
    if as_json:
        print_json(as_data(snapshot, now))
    else:
        show(snapshot, now)


def as_data(snapshot: Snapshot, now: float) -> dict[str, object]:
    return {
        "running": True,
        "version": snapshot.version,
        "pid": snapshot.pid,
        "uptime_seconds": round(now - snapshot.started_at, 1),
        "home": snapshot.home,
        "generation": snapshot.generation,
        "simulated_only": snapshot.simulated_only,
        "config_error": snapshot.config_error,
        "ledger_trouble": snapshot.ledger_trouble,
        "listeners": snapshot.listeners,
        "services": snapshot.services,
        "scenarios": snapshot.scenarios,
        "overrides": snapshot.overrides,
        "paused": snapshot.paused,
        "in_flight": snapshot.beat.running,
        "today": snapshot.beat.today,
    }


def show(snapshot: Snapshot, now: float) -> None:
    uptime = age(now - snapshot.started_at)
    out(bold(f"Pointsman {clean(snapshot.version)}") + f"  running {uptime}  pid {snapshot.pid}")
    if snapshot.simulated_only:
        out("every answer is simulated: no provider is configured (see `pointsman doctor`)")
    if snapshot.config_error:
        out(red(f"the newest edit was refused: {clean(snapshot.config_error)}"))
    if snapshot.ledger_trouble:
        why = clean(snapshot.ledger_trouble)
        out(red(f"requests are served, but cannot be written down: {why} (`pointsman doctor`)"))
    block("Listens", (f"{one.name:<10}  {clean(one.address)}" for one in snapshot.listeners))
    block("Services", services(snapshot.services))
    routes = table(("SCENARIO", "TARGET"), list(snapshot.scenarios.items()))
    block("Routes", routes)
    block("Overrides", overrides(snapshot.overrides, now))
    block("Paused sessions", (clean(session) for session in snapshot.paused))
    block("Today", today(snapshot.beat.today, snapshot.beat.running))


def services(views: tuple[ServiceView, ...]) -> list[str]:
    rows = [
        (
            view.name if view.kind != "key" else f"  {view.name}",
            view.state,
            view.mode,
            view.address,
            ms(view.p50_ms) if view.requests else "",
            f"{view.requests:,}" if view.requests else "",
            f"{view.errors:,}" if view.errors else "",
            view.reason,
        )
        for each in views
        for view in (each, *each.keys)
    ]
    heads = ("NAME", "STATE", "MODE", "ADDRESS", "P50", "REQUESTS", "ERRORS", "WHY")
    return table(heads, rows, right=(4, 5, 6), lesser=(4, 2))


def overrides(views: tuple[OverrideView, ...], now: float) -> list[str]:
    rows = [
        (
            view.id,
            view.scope + (" (forced)" if view.forced else ""),
            view.target,
            age(math.ceil(view.expires_at - now)) + " left" if view.expires_at else "until cleared",
            f"{view.served:,}",
            f"{view.set_by} {clock(view.set_at)}".strip(),
            view.problem,
        )
        for view in views
    ]
    return table(("ID", "SCOPE", "TARGET", "TIME", "SERVED", "SET", "PROBLEM"), rows, right=(4,))


def today(totals: Totals, running: int) -> list[str]:
    from console.text import money

    used = totals.tokens
    rows = [
        (
            "real",
            f"{totals.requests:,}",
            f"{totals.errors:,}",
            tokens(used.prompt, estimated=used.estimated),
            tokens(used.output, estimated=used.estimated),
            money(totals.cost, lower_bound=totals.unpriced > 0),
        )
    ]
    if totals.simulated_requests:
        cost = money(totals.simulated_cost)
        rows.append(("simulated", f"{totals.simulated_requests:,}", "", "", "", cost))
    lines = table(("", "REQUESTS", "ERRORS", "IN", "OUT", "COST"), rows, right=(1, 2, 3, 4, 5))
    return [*lines, f"{running} in flight"]
