"""Checklist M01, M04: every sum is that of the rows, however it is grouped, cut or changed."""

from __future__ import annotations

import random
import sqlite3
from collections import Counter
from collections.abc import Iterator
from contextlib import closing
from itertools import pairwise
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

from router.contract import CostLine, RequestDetail, Spend, State, Tokens
from storage import recosting, rolls
from storage.costs import Grouping
from storage.readers import Archive
from storage.recosting import Recosting
from storage.rolls import DAY, QUARTER, SPANS, windows
from storage.writer import Ledger
from tests.storage.make import attempt, ledger, stored, view

#: a Tuesday, 17 minutes into a quarter hour of its own
START = 1_763_500_000.0
_STATES: tuple[State, ...] = ("done", "done", "done", "failed", "cancelled", "interrupted")


def made(number: int, chance: random.Random, **changes: Any) -> RequestDetail:
    """A request of up to three attempts, real and simulated, priced, free and not, over 3 days."""
    attempts = []
    for place in range(chance.choice((0, 1, 1, 1, 2, 3))):
        cost = chance.choice((None, 0, chance.randrange(10**9)))
        counts: tuple[Any, ...] = tuple(chance.randrange(1_000) for _ in range(6))
        attempts.append(
            attempt(
                place + 1,
                provider=chance.choice(("a", "b")),
                model=chance.choice(("m", "n,o", "p")),
                simulated=chance.random() < 0.3,
                cost=cost,
                spend=Spend(output=cost or 0, saved=chance.randrange(-50, 50)),
                tokens=Tokens(*counts),
            )
        )
    last = attempts[-1] if attempts else None
    fields: dict[str, Any] = {
        "state": chance.choice(_STATES) if last else "failed",
        "started_at": START + chance.randrange(3 * DAY * 10) / 10,
        "door": chance.choice(("ccr", "litellm")),
        "session": chance.choice(("", "s1", "s2", f"s{number}")),
        "key": chance.choice(("", "k1")),
        "project": chance.choice(("", "x")),
        "rule": chance.choice(("", "default", "think")) if last else "",
        "provider": last.provider if last else "",
        "model": last.model if last else "",
        "simulated": bool(last and last.simulated),
        "attempts": len(attempts),
        "cost": 0,
        "tokens": Tokens(),
    }
    return RequestDetail(view(f"r_{number}", **(fields | changes)), attempts=tuple(attempts))


Sums = dict[bool, Counter[str]]


def expected(details: list[RequestDetail], since: float, until: float) -> Sums:
    """Added up by hand, real and simulated apart."""
    found: Sums = {False: Counter(), True: Counter()}
    for detail in details:
        request = detail.request
        if not since <= request.started_at < until or request.state == "running":
            continue
        found[request.simulated]["requests"] += 1
        found[request.simulated]["errors"] += request.state in ("failed", "interrupted")
        for one in detail.attempts:
            sums = found[one.simulated]
            sums["attempts"] += 1
            sums["unpriced"] += one.cost is None
            sums["cost"] += one.cost or 0
            sums["saved"] += one.spend.saved
            sums["input"] += one.tokens.input
            sums["output"] += one.tokens.output
    return found


def summed(lines: list[CostLine]) -> Sums:
    found: Sums = {False: Counter(), True: Counter()}
    for line in lines:
        sums = found[line.simulated]
        for name in ("requests", "errors", "attempts", "unpriced", "cost"):
            sums[name] += getattr(line, name)
        sums["saved"] += line.spend.saved
        sums["input"] += line.tokens.input
        sums["output"] += line.tokens.output
    return found


@pytest.fixture(params=[7, 60, 5_000], ids="tail of {}".format)
def book(tmp_path: Path, request: pytest.FixtureRequest) -> Iterator[Ledger]:
    """One whose sums are made all the time, one now and then, one never."""
    with ledger(tmp_path / "ledger.db", tail=request.param) as opened:
        yield opened


async def test_every_sum_is_that_of_the_rows(book: Ledger) -> None:
    chance = random.Random(4)
    kept = {d.request.id: d for d in (made(number, chance) for number in range(150))}

    def store(details: list[RequestDetail]) -> None:
        for detail in details:
            kept[detail.request.id] = detail
            book.request(detail)
        assert book.flush(10)

    archive = Archive(book.path)
    running = made(500, chance, state="running")
    store([*kept.values(), running])
    await _audit(archive, list(kept.values()), chance)
    # what is newly known of a request that was added up takes the place of what was
    store([made(number, chance) for number in range(0, 150, 5)])
    ended = replace(running.request, state="done")
    store([replace(running, request=ended), *(made(n, chance) for n in range(600, 640))])
    await _audit(archive, list(kept.values()), chance)
    # other prices: rows and sums in one commit
    changed = [d for d in kept.values() if d.attempts][:20]
    seqs = dict(stored(book.path, "SELECT id, seq FROM request"))
    rows = [
        recosting.row(seqs[d.request.id], a.number, 77, Spend(fees=77), "new")
        for d in changed
        for a in d.attempts
    ]
    book.recost(Recosting(tuple(rows), {seqs[d.request.id]: 77 for d in changed}))
    assert book.flush(10)
    for detail in changed:
        again = tuple(replace(a, cost=77, spend=Spend(fees=77)) for a in detail.attempts)
        kept[detail.request.id] = replace(detail, attempts=again)
    await _audit(archive, list(kept.values()), chance)
    await archive.close()
    _are_those_of_the_rows(book.path)


async def _audit(archive: Archive, details: list[RequestDetail], chance: random.Random) -> None:
    spans = [(0.0, 9e9), (START + DAY / 2, START + 2.5 * DAY)]
    for _ in range(4):
        one, other = sorted(START + chance.randrange(3 * DAY * 10) / 10 for _ in "ab")
        spans.append((one, other))
    for since, until in spans:
        right = expected(details, since, until)
        for by in get_args(Grouping):
            assert summed(await archive.costs(since, until, by)) == right, (by, since, until)
        for step in ("quarter", "hour", "day"):
            points = await archive.cost_series(since, until, step, "model")
            assert summed([point.line for point in points]) == right, step
            assert [p.at for p in points] == sorted(p.at for p in points)
    totals = await archive.totals(0)
    real, played = (expected(details, 0.0, 9e9)[kind] for kind in (False, True))
    assert (totals.requests, totals.cost, totals.unpriced) == (
        real["requests"], real["cost"], real["unpriced"],
    )  # fmt: skip
    assert (totals.simulated_requests, totals.simulated_cost) == (
        played["requests"], played["cost"],
    )  # fmt: skip


def _are_those_of_the_rows(path: Path) -> None:
    """All that was added and taken back over time is what one look at the rows gives."""
    with closing(sqlite3.connect(path)) as db:
        columns = ", ".join((*rolls.KEY, *rolls.SUMS))
        every = f"SELECT {columns} FROM roll WHERE requests OR attempts ORDER BY 1, 2, 3, 4, 5"
        grown = db.execute(every).fetchall()
        (upto,) = db.execute("SELECT value FROM meta WHERE name = 'rolled_to'").fetchone()
        db.execute("DELETE FROM roll")
        db.execute(rolls.FRESH)
        db.execute(rolls.GATHER_ON, (0, 1, upto))
        db.execute(rolls.ADD)
        assert db.execute(every).fetchall() == grown


async def test_spend_is_told_apart_by_what_became_of_it(tmp_path: Path) -> None:
    """M01: one row for each attempt, whatever became of it, and its money under that name."""
    tried = {
        "answered": ["a"], "failed": ["a"], "cancelled": ["a"], "interrupted": ["a"],
        "retried": ["a", "a"], "failed over": ["a", "b"],
    }  # fmt: skip
    with ledger(tmp_path / "ledger.db", tail=3) as book:
        for price, (outcome, providers) in enumerate(tried.items(), 1):
            state = outcome if outcome in ("failed", "cancelled", "interrupted") else "done"
            attempts = tuple(
                attempt(place, provider=name, simulated=False, cost=10**price)
                for place, name in enumerate(providers, 1)
            )
            request = view(outcome, state=state, attempts=len(attempts), provider=providers[-1])
            book.request(RequestDetail(request, attempts=attempts))
        none = view("x", state="failed", attempts=0, provider="", model="", cost=0)
        book.request(RequestDetail(none))
        assert book.flush(5)
        archive = Archive(book.path)
        found = {line.name: line for line in await archive.costs(by="outcome")}
        await archive.close()
    assert {name: line.cost for name, line in found.items()} == {
        "answered": 10 + 10**5 + 10**6,
        "failed": 10**2,
        "cancelled": 10**3,
        "interrupted": 10**4,
        "retried": 10**5,
        "failed over": 10**6,
        "refused": 0,
    }
    assert found["retried"].requests == found["failed over"].requests == 0
    assert sum(line.requests for line in found.values()) == 7
    assert found["refused"].attempts == 0


_TIME = st.one_of(
    st.none(), st.floats(0, 40 * DAY), st.integers(0, 40).map(lambda d: d * DAY / 1.0)
)


@given(_TIME, _TIME, st.sampled_from(SPANS))
def test_windows_cover_a_time_once_and_without_a_gap(
    since: float | None, until: float | None, coarsest: int
) -> None:
    found = windows(since, until, coarsest)
    if since is not None and until is not None and since >= until:
        assert found == []
        return
    assert found[0].since == since
    assert found[-1].until == until
    for one, other in pairwise(found):
        assert one.until == other.since
    for window in found:
        assert window.span <= coarsest
        if window.span:
            assert (window.since or 0) % window.span == (window.until or 0) % window.span == 0
        else:
            assert window.until is not None
            assert window.since is not None
            assert 0 < window.until - window.since <= 2 * QUARTER
