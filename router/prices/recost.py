"""History at today's prices: every attempt's usage through the price that its model now has.

One rule: only money changes, never what was used; an attempt whose provider is gone, or that was
simulated and no more is, keeps what it cost. Prices that change with time are those of the
attempt's own time.
"""

from __future__ import annotations

import sqlite3
import time
from collections.abc import Callable, Iterable
from contextlib import closing
from itertools import groupby

from msgspec.structs import astuple, replace

from router.contract import AttemptView, Recosted, Tokens
from router.messages import Usage
from router.money import Bill, bill
from router.prices import price
from router.settings import Generation
from storage import database, queries, recosting
from storage.recosting import Recosting
from storage.rows import Row, read_attempt
from storage.writer import Ledger

#: requests in one commit of the writer
PAGE = 500
#: requests that one call looks at
MOST = 10_000
#: seconds after which one call answers: who asks takes a router that is silent for five for gone
TURN = 1.0
#: times as long as it works it rests where requests run: they wait for the same interpreter
REST = 4.0
#: seconds that the writer has for one commit
PATIENCE = 60.0


def recost(
    ledger: Ledger,
    generation: Generation,
    since: float,
    after: int,
    *,
    dry_run: bool,
    busy: Callable[[], bool] = bool,
) -> Recosted:
    """Prices up to MOST requests anew, of those begun at or after `since` those that follow the
    request number `after`. `busy`: whether requests run. Blocks: to be called in a thread. Raises
    sqlite3.Error."""
    began = time.monotonic()
    total = Recosted(next=None)
    with closing(sqlite3.connect(database.read_only(ledger.path), uri=True)) as reader:
        (first,) = reader.execute(*queries.first_since(since)).fetchone()
        (last,) = reader.execute(queries.NEWEST).fetchone()
        if first is None:
            return total
        at = max(after, first - 1)
        end = min(last, at + MOST)
        while at < end:
            worked = time.thread_time()
            upto = min(at + PAGE, end)
            rows = reader.execute(recosting.PAGE, (at, upto, since)).fetchall()
            changes, sums = _page(rows, generation)
            total = Recosted(*map(sum, zip(astuple(total)[:-1], astuple(sums)[:-1], strict=True)))
            if changes.attempts and not dry_run:
                ledger.recost(changes)
                if not ledger.flush(PATIENCE):
                    raise sqlite3.OperationalError(ledger.trouble or "the ledger is busy")
            at = upto
            if busy():
                time.sleep(REST * (time.thread_time() - worked))
            if time.monotonic() > began + TURN:
                break
    return replace(total, next=at if at < last else None)


def _page(rows: Iterable[Row], generation: Generation) -> tuple[Recosting, Recosted]:
    attempts: list[Row] = []
    requests: dict[int, int | None] = {}
    seen = changed = was = now = was_unpriced = now_unpriced = 0
    for seq, group in groupby(rows, key=lambda row: row[0]):
        seen += 1
        views = [read_attempt(row[1:]) for row in group]
        bills = [_bill(view, generation) for view in views]
        different = False
        for view, made in zip(views, bills, strict=True):
            if not view.simulated:
                was, now = was + (view.cost or 0), now + (made.cost or 0)
                was_unpriced += view.cost is None
                now_unpriced += made.cost is None
            if made != Bill(view.cost, view.spend, view.price):
                attempts.append(recosting.row(seq, view.number, *made))
                different = different or made.cost != view.cost
        if different:
            changed += 1
        # the two kinds of money are never added: a request's is that of its last attempt's kind
        kind = views[-1].simulated
        costs = [b.cost for v, b in zip(views, bills, strict=True) if v.simulated is kind]
        known = [cost for cost in costs if cost is not None]
        requests[seq] = sum(known) if len(known) == len(costs) else None
    touched = {row[-2] for row in attempts}
    kept = {seq: cost for seq, cost in requests.items() if seq in touched}
    sums = Recosted(seen, changed, was, now, was_unpriced, now_unpriced)
    return Recosting(tuple(attempts), kept), sums


def _bill(view: AttemptView, generation: Generation) -> Bill:
    provider = generation.provider(view.provider)
    nothing = view.tokens == Tokens() and view.apart is None
    # the name alone is not the provider: what the simulator stood in for had the simulator's price
    other = provider is None or provider.simulated is not view.simulated
    if nothing or provider is None or other or provider.plane is not None:
        return Bill(view.cost, view.spend, view.price)
    used = view.tokens
    usage = Usage(
        input=used.input,
        cache_read=used.cache_read,
        cache_write=used.cache_write,
        cache_write_1h=used.cache_write_1h,
        output=used.output,
        reasoning=used.reasoning,
        apart=view.apart,
    )
    return bill(usage, price(provider, view.model, generation, at=view.started_at))
