"""What a console reads of the ledger: history, costs and the log, with or without a router.

One rule: reading never hinders the writer. The connection is read-only and every answer is fetched
at once, since an open read transaction would keep the WAL from being folded back into the file.
"""

from __future__ import annotations

import asyncio
import sqlite3
import time
from array import array
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any

import aiosqlite

from router.contract import (
    BranchLine,
    CostLine,
    CostPoint,
    LogFilter,
    LogLine,
    OverrideView,
    RequestDetail,
    RequestFilter,
    RequestView,
    ServiceChange,
    Totals,
)
from storage import branches, checkup, costs, database, log_queries, queries, rows
from storage.costs import Grouping, Step
from storage.queries import Query
from storage.search import search, searched
from storage.zones import offsets

#: ids asked for in one statement; SQLite takes 32,766 parameters
PAGE = 1000
#: requests that are looked at together in a search: some 5 ms, where the disk must be asked 50
STRETCH = 2_000
#: ids taken over at once, so that a million of them do not hold up the screen
GULP = 50_000

_EVERY_REQUEST = RequestFilter()
_EVERY_LINE = LogFilter()


class ArchiveError(Exception):
    """The ledger's file cannot be read. The message says which and why."""


class Archive:
    """Read-only. Opens when first asked; while there is no ledger, every answer is empty."""

    def __init__(self, path: Path, stretch: int = STRETCH) -> None:
        self._path = path
        self._stretch = stretch
        self._db: aiosqlite.Connection | None = None
        self._opening = asyncio.Lock()

    async def close(self) -> None:
        """Must be awaited: the connection has a thread, which ends here."""
        async with self._opening:
            if self._db is not None:
                await self._db.close()
                self._db = None

    async def ailment(self) -> str:
        """What is wrong with the file itself, as far as a short look tells; "" for nothing."""
        return await asyncio.to_thread(checkup.ailment, self._path)

    async def requests(
        self,
        filter: RequestFilter = _EVERY_REQUEST,
        limit: int = 200,
        before_seq: int | None = None,
    ) -> list[RequestView]:
        """Newest first; `before_seq` gives the page after a row."""
        if searched(filter):
            found = await search(self._all, filter, limit, before_seq, self._stretch)
        else:
            found = await self._all(queries.requests(filter, limit, before_seq))
        return [rows.read_request(row) for row in found]

    async def named(self, id: str) -> list[RequestView]:
        """Those whose id begins so, or that came with just this x-request-id: the newest few."""
        found = await self._all(queries.named(id)) if id else []
        return [rows.read_request(row) for row in found]

    async def request(self, id: str) -> RequestDetail | None:
        """By its id or the beginning of it; None when none or more than one begins so."""
        found = await self._all(queries.request(id)) if id else []
        exact = [row for row in found if row[0] == id]
        if len(exact or found) != 1:
            return None
        row = (exact or found)[0]
        attempts = await self._all((queries.ATTEMPTS, [row[-1]]))
        return rows.read_detail(row, attempts)

    async def decisions(self, limit: int) -> list[RequestDetail]:
        """The newest completions that were answered, with their facts and without attempts."""
        return [rows.read_detail(row, []) for row in await self._all(queries.decisions(limit))]

    async def sessions(self, limit: int) -> list[str]:
        """Those of late, the one that spoke last first."""
        return [row[0] for row in await self._all(branches.recent(limit))]

    async def branches(self, sessions: Sequence[str]) -> list[BranchLine]:
        """What each session and each of its subagents used, by model; oldest first."""
        found = await self._all(branches.lines(sessions)) if sessions else []
        return [branches.read_line(row) for row in found]

    async def newest(self, sessions: Sequence[str]) -> list[RequestView]:
        """The newest answered completion of each session and of each of its subagents."""
        found = await self._all(branches.newest(sessions)) if sessions else []
        return [rows.read_request(row) for row in found]

    async def hits(self, since: float) -> list[tuple[str, str, int]]:
        """Which rule decided how often, and for which "provider,model"."""
        return [
            costs.read_hit(row)
            for row in await self._all(costs.costs(await self._kept(since), None, "rule", []))
            if row[0]
        ]

    async def costs(
        self,
        since: float | None = None,
        until: float | None = None,
        by: Grouping = "model",
        limit: int | None = None,
    ) -> list[CostLine]:
        """Sums of what began in [since, until) and has ended, dearest first ("day": in order, by
        local days). Real and simulated traffic have lines of their own. `limit` leaves out the
        cheapest: there may be a session for each of a million requests."""
        since = await self._kept(since)
        zone = offsets(since, until, time.time()) if by == "day" else []
        query = costs.costs(since, until, by, zone, limit)
        return [costs.read_cost(row) for row in await self._all(query)]

    async def cost_series(
        self,
        since: float | None = None,
        until: float | None = None,
        step: Step = "day",
        by: Grouping | None = None,
    ) -> list[CostPoint]:
        """The same over time: a point for each step (quarter hours, local hours or local days) and
        line, in the order of time. Steps without traffic have none."""
        since = await self._kept(since)
        zone = offsets(since, until, time.time())
        query = costs.series(since, until, step, by, zone)
        return [costs.read_point(row, step) for row in await self._all(query)]

    async def days_of(self, key: str, since: float, until: float | None) -> list[CostPoint]:
        """What one key spent on each model, by local days in order. Looks at every row there is."""
        query = costs.days_of(key, since, until, offsets(since, until, time.time()))
        return [costs.read_point(row, "day") for row in await self._all(query)]

    async def tags(self, since: float, until: float | None) -> list[tuple[str, int, int]]:
        """Requests and nano-dollars by tag, dearest first; real traffic."""
        bounds = [since, until if until is not None else 1e12]
        return [(tag, count, cost) for tag, count, cost in await self._all((queries.TAGS, bounds))]

    async def totals(self, since: float) -> Totals:
        """Sums of what began at or after `since` and has ended."""
        kept = await self._kept(since)
        return costs.read_totals(await self._all(costs.totals(kept or since)))

    async def _kept(self, since: float | None) -> float | None:
        """`since`, but not before what retention has left."""
        pruned = await self._one(costs.PRUNED_TO, 0)
        return max(since or pruned, pruned) or None

    async def logs(
        self,
        filter: LogFilter = _EVERY_LINE,
        limit: int = 200,
        after_id: int | None = None,
        before_id: int | None = None,
    ) -> list[LogLine]:
        """Oldest first: the first `limit` lines after `after_id`, or else the last ones (before
        `before_id`)."""
        found = await self._all(log_queries.logs(filter, limit, after_id, before_id))
        return [rows.read_log(row) for row in found]

    async def health(
        self, since: float = 0.0, service: str = "", limit: int = 200
    ) -> list[ServiceChange]:
        """When services changed their state, newest first; `service` "" is all."""
        found = await self._all(queries.health(since, service, limit))
        return [ServiceChange(*row) for row in found]

    async def log_reach(self, since: float | None = None) -> tuple[int, int]:
        """The ids of the first line at or after `since` and of the last; (0, -1) without any."""
        found = await self._all((log_queries.LOG_REACH, [since or 0.0]))
        first, last = found[0] if found else (None, None)
        return (0, -1) if first is None or last is None else (first, last)

    async def log_whole(self) -> bool:
        """Whether the ids of all lines follow upon each other: then one need not look at each."""
        return bool(await self._one(log_queries.LOG_WHOLE, 0))

    async def log_ids(
        self, filter: LogFilter = _EVERY_LINE, after: int = 0, upto: int = queries.LAST
    ) -> array[int]:
        """Every matching line's id in (after, upto], oldest first: 8 bytes a line, for a table over
        a million. Looking for a text takes 2.4 µs a line: ask for a part at a time."""
        ids: array[int] = array("q")
        db = await self._connection()
        if db is None:
            return ids
        try:
            async with db.execute(*log_queries.log_ids(filter, after, upto)) as cursor:
                while gulp := await cursor.fetchmany(GULP):
                    ids.extend([row[0] for row in gulp])
        except sqlite3.Error as error:
            raise self._broken(error) from error
        return ids

    async def log_lines(self, ids: Iterable[int]) -> dict[int, LogLine]:
        """The lines of these ids; those that retention deleted are missing."""
        wanted: Sequence[int] = list(ids)
        lines: dict[int, LogLine] = {}
        for start in range(0, len(wanted), PAGE):
            for row in await self._all(log_queries.log_lines(wanted[start : start + PAGE])):
                lines[row[0]] = rows.read_log(row)
        return lines

    async def overrides(self) -> list[OverrideView]:
        """Those kept, oldest first, expired or not."""
        return [rows.read_override(row) for row in await self._all((queries.OVERRIDES, []))]

    async def data_version(self) -> int:
        """A number that changes with every commit of the writer; 0 without a ledger."""
        return int(await self._one("PRAGMA data_version", 0))

    async def _one(self, sql: str, without: Any) -> Any:
        found = await self._all((sql, []))
        return found[0][0] if found else without

    async def _all(self, query: Query) -> list[rows.Row]:
        db = await self._connection()
        if db is None:
            return []
        try:
            # aiosqlite promises sqlite3.Row; without a row_factory they are tuples
            return [*await db.execute_fetchall(*query)]  # type: ignore[list-item]
        except sqlite3.Error as error:
            raise self._broken(error) from error

    async def _connection(self) -> aiosqlite.Connection | None:
        if self._db is not None:
            return self._db
        async with self._opening:
            try:
                there = self._path.exists()
            except OSError as error:  # its folder is not ours to look into
                raise self._broken(error) from error
            if self._db is None and there:
                self._db = await self._open()
            return self._db

    async def _open(self) -> aiosqlite.Connection | None:
        """None while the writer has not made its tables yet. A file of an older version is refused:
        what its columns mean is known to the migrations alone."""
        db: aiosqlite.Connection | None = None
        try:
            db = await aiosqlite.connect(
                database.read_only(self._path),
                uri=True,
                isolation_level=None,
                timeout=database.PATIENCE,
            )
            await db.execute("PRAGMA query_only = 1")
            ((made,),) = await db.execute_fetchall("PRAGMA user_version")
        except BaseException as error:  # also when whoever asked no longer wants to know
            if db is not None:
                await db.close()
            if isinstance(error, sqlite3.Error):
                raise self._broken(error) from error
            raise
        if made >= database.newest():
            return db
        await db.close()
        if made:
            raise ArchiveError(
                f"{self._path} is of an older version (schema {made}, this one reads"
                f" {database.newest()}): `pointsman start` brings it up to date"
            )
        return None

    def _broken(self, error: sqlite3.Error | OSError) -> ArchiveError:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else error
        return ArchiveError(f"{self._path} cannot be read: {why}")
