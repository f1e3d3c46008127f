"""What runs now, what just ran, and who is watching. Lives on the router's loop; holds no text.

Every collection here is bounded, and nothing is computed for watchers that are not there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Iterable
from contextlib import suppress
from datetime import datetime, timedelta
from operator import add

from msgspec import json
from msgspec.structs import astuple, replace

from router.contract import (
    Beat,
    BudgetView,
    Change,
    Dropped,
    RequestDetail,
    RequestView,
    Tokens,
    Totals,
)
from router.record import Record

RECENT = 200
#: changes that wait for one slow watcher; beyond that they are dropped and counted
QUEUE = 64
#: finished requests remembered for rates and percentiles
MEMORY = 4096
#: seconds between two beats; the least of them once a request has come in after a beat that told
#: of no more than so many: a single one is seen at once, many cost a console two drawings a second
BEAT, SOON, FEW = 0.5, 0.15, 4


class Watcher:
    """One console's stream of changes, as lines of JSON, bounded."""

    def __init__(self) -> None:
        self._changes: deque[bytes] = deque()
        self._dropped = 0
        self._ready = asyncio.Event()

    def put(self, change: bytes) -> None:
        if len(self._changes) >= QUEUE:
            self._changes.popleft()
            self._dropped += 1
        self._changes.append(change)
        self._ready.set()

    async def get(self) -> bytes:
        """All changes since the last call; waits for the first."""
        await self._ready.wait()
        self._ready.clear()
        changes = b"".join(self._changes)
        self._changes.clear()
        if self._dropped:
            changes = line(Dropped(self._dropped)) + changes
            self._dropped = 0
        return changes


def line(change: Change) -> bytes:
    """As it is told on the control socket."""
    return json.encode(change) + b"\n"


class _Sums:
    """Totals that grow: additions for each request, a Struct only when somebody looks."""

    def __init__(self, start: Totals) -> None:
        self._requests = start.requests
        self._errors = start.errors
        self._tokens = list(astuple(start.tokens))
        self._cost = start.cost
        self._unpriced = start.unpriced
        self._simulated = start.simulated_requests
        self._simulated_cost = start.simulated_cost

    def add(self, detail: RequestDetail) -> None:
        """As the ledger sums up: tokens and money with each attempt's kind, real or simulated, and
        the request with that of its last one."""
        if detail.request.simulated:
            self._simulated += 1
        else:
            self._requests += 1
            self._errors += detail.request.state == "failed"
        for attempt in detail.attempts:
            if attempt.simulated:
                self._simulated_cost += attempt.cost or 0
                continue
            self._tokens = list(map(add, self._tokens, astuple(attempt.tokens)))
            self._cost += attempt.cost or 0
            self._unpriced += attempt.cost is None

    def totals(self) -> Totals:
        *counts, estimated = self._tokens
        return Totals(
            requests=self._requests,
            errors=self._errors,
            tokens=replace(Tokens(*counts), estimated=bool(estimated)),
            cost=self._cost,
            unpriced=self._unpriced,
            simulated_requests=self._simulated,
            simulated_cost=self._simulated_cost,
        )


class Live:
    """The running requests and the recent ones.

    `wall` gives Unix seconds, `now` the monotonic clock. `today` are the ledger's totals for the
    day at start, `before` its newest requests, newest first: a restart empties no screen.
    """

    def __init__(
        self,
        wall: Callable[[], float],
        now: Callable[[], float],
        today: Totals,
        before: Iterable[RequestView] = (),
    ) -> None:
        self._wall = wall
        self._now = now
        self.running: dict[str, Record] = {}
        self.recent: deque[RequestView] = deque(before, maxlen=RECENT)
        self._finished: deque[tuple[float, float, bool]] = deque(maxlen=MEMORY)
        self._today = _Sums(today)
        self._until = midnight(wall(), days=1)
        self._watchers: set[Watcher] = set()
        self._changed: dict[str, RequestView] = {}
        self._news = asyncio.Event()
        #: asked at each beat that somebody watches
        self.budgets: Callable[[], tuple[BudgetView, ...]] = tuple

    def open(self, record: Record) -> None:
        self.running[record.id] = record
        if self._watchers:
            self._news.set()

    def close(self, detail: RequestDetail) -> None:
        """The request has ended: counts it and shows it."""
        view = detail.request
        self.running.pop(view.id, None)
        self.recent.appendleft(view)
        self._finished.append((self._now(), view.duration_ms or 0.0, view.state == "failed"))
        self._roll_over()
        self._today.add(detail)
        if self._watchers:
            self._changed[view.id] = view

    def recount(self, today: Totals) -> None:
        """Begins anew with the ledger's totals of the day."""
        self._today = _Sums(today)

    def watch(self) -> Watcher:
        watcher = Watcher()
        self._watchers.add(watcher)
        return watcher

    def unwatch(self, watcher: Watcher) -> None:
        self._watchers.discard(watcher)

    def tell(self, change: Change) -> None:
        """Encoded once, however many look: with twenty consoles the encoding was a third of what
        they cost the router."""
        told = line(change) if self._watchers else b""
        for watcher in self._watchers:
            watcher.put(told)

    def beat(self) -> Beat:
        """The figures of this moment, without the requests."""
        now = self._now()
        self._roll_over()
        lately = _since(self._finished, now - 10)
        minute = _since(self._finished, now - 60)
        durations = sorted(duration for _, duration, _ in minute)
        return Beat(
            at=self._wall(),
            running=len(self.running),
            per_second=len(lately) / 10,
            p95_ms=durations[int(len(durations) * 0.95)] if durations else None,
            error_rate=sum(failed for *_, failed in minute) / len(minute) if minute else 0.0,
            today=self._today.totals(),
            budgets=self.budgets(),
        )

    async def pulse(self, seconds: float = BEAT, soon: float = SOON) -> None:
        """Tells the watchers what changed, twice a second, and sooner of the first requests after
        a quiet beat; idle while nobody watches."""
        told = 0
        while True:
            await asyncio.sleep(seconds if told > FEW else soon)
            if told <= FEW:
                with suppress(TimeoutError):
                    async with asyncio.timeout(seconds - soon):
                        await self._news.wait()
            self._news.clear()
            if not self._watchers:
                self._changed.clear()
                continue
            changed, self._changed = self._changed, {}
            for id, record in self.running.items():
                changed[id] = record.view()
            told = len(changed)
            self.tell(replace(self.beat(), requests=tuple(changed.values())))

    def _roll_over(self) -> None:
        at = self._wall()
        if at >= self._until:
            self._until = midnight(at, days=1)
            self._today = _Sums(Totals())


def midnight(at: float, days: int = 0) -> float:
    """Unix seconds at which the local day of `at` began, or so many days later."""
    day = datetime.fromtimestamp(at) + timedelta(days=days)
    return day.replace(hour=0, minute=0, second=0, microsecond=0).timestamp()


def _since(
    finished: Iterable[tuple[float, float, bool]], start: float
) -> list[tuple[float, float, bool]]:
    return [entry for entry in finished if entry[0] >= start]
