"""The ledger's one writer: a thread with the only connection that writes and checkpoints.

One rule: the event loop never waits for the disk. Its calls append to a bounded queue and return;
the thread writes in slices. When the disk refuses, rows wait in the queue and are tried again;
when the queue is full, rows are dropped and counted. Requests are served all the while.
"""

from __future__ import annotations

import sqlite3
import sys
import threading
from collections import deque
from contextlib import closing
from pathlib import Path
from typing import Final

from router.contract import (
    LogLine,
    OverrideView,
    RequestDetail,
    RequestFilter,
    RequestView,
    ServiceChange,
    Totals,
)
from storage import costs, database, queries, rows
from storage.recosting import Recosting
from storage.rolls import QUARTER
from storage.spent import Asking, Spender, spent, spent_on
from storage.store import BATCH, Clear, Item, Keep, Store

#: rows in one transaction: each rewrites the last page of every index, so few are cheap, and short
#: ones keep the thread from holding the interpreter at a stretch
SLICE: Final = 200
#: seconds that a row may wait for company before it is committed
GATHER: Final = 0.2
#: seconds until rows that the disk refused are tried again
RETRY: Final = 0.5
#: rows that are added to the sums together
TAIL: Final = 5_000
#: seconds until a thread must hand over the interpreter when another wants it. With slices this
#: keeps the loop's p99 level with no database at all (0.56 ms at 1,000 requests/s); with CPython's
#: 5 ms the longest wait of a loop at 3,000 rows/s was 13 ms instead of 7.
SWITCH: Final = 0.0002

_Queued = Item | threading.Event


class Ledger:
    """What the router keeps. Its calls may come from any thread and never wait, but for `flush`
    and `close`. `bound` is the number of rows that may wait,
    `tail` of those that wait to be summed up.

    `dropped`: rows lost because the queue was full. `failed`: rows lost because they could not be
    stored as they were. `last_error`: the newest reason for a lost row or a refused commit.
    `trouble`: why rows cannot be stored at this time; "" when they can.
    """

    def __init__(
        self,
        path: Path,
        bound: int = 10_000,
        tail: int = TAIL,
        tell: database.Tell | None = None,
    ) -> None:
        """Creates or updates the file; what a killed router left "running" becomes "interrupted".
        Raises database.LedgerError."""
        self.dropped = 0
        self.failed = 0
        self.last_error = ""
        self.trouble = ""
        self.path = path
        self._bound = bound
        self._tail = tail
        self._queue: deque[_Queued] = deque()
        self._work = threading.Event()  # something is queued
        self._now = threading.Event()  # …and should not wait for company
        self._closing = threading.Event()
        self._older_than: float | None = None
        self._most: int | None = None
        self._db = database.open_for_writing(path, tell)
        self._store = Store(self._db)
        self._interrupt_what_was_running()
        sys.setswitchinterval(SWITCH)
        self._thread = threading.Thread(target=self._run, name="ledger", daemon=True)
        self._thread.start()

    # ── from the event loop ──────────────────────────────────────────────────────────────────────

    def request(self, detail: RequestDetail) -> None:
        """Stores a request, or what is now known of one that was stored while it ran: the row keeps
        its seq, the attempts are replaced."""
        self._put(detail)

    def log(self, line: LogLine) -> None:
        """Stores a line; its id is given by the database."""
        self._put(line)

    def health(self, change: ServiceChange) -> None:
        """Stores that a service's state has changed."""
        self._put(change)

    def override(self, view: OverrideView) -> None:
        """Stores an override, or its newest state."""
        self._put(view)

    def recost(self, changes: Recosting) -> None:
        """Writes other money for attempts that were stored, and for their requests."""
        self._put(changes)

    def clear_override(self, id: str) -> None:
        self._put(Clear(id))

    def keep(self, kind: str, id: str, data: str | None) -> None:
        """Keeps JSON under a kind and an id in place of what was there; None forgets it."""
        self._put(Keep(kind, id, data))

    def prune(self, older_than: float, most: int | None = None) -> None:
        """Deletes what began before `older_than` (Unix seconds), and the oldest beyond `most` bytes
        of the file, in small batches between writes.
        The newest request always stays, so that no seq is given twice."""
        self._most = most
        self._older_than = older_than // QUARTER * QUARTER  # sums have no smaller parts
        self._work.set()

    @property
    def waiting(self) -> int:
        """Rows not yet stored."""
        return len(self._queue)

    def _put(self, item: _Queued) -> None:
        waiting = len(self._queue)
        if waiting >= self._bound:
            self.dropped += 1
            return
        self._queue.append(item)
        if not self._work.is_set():
            self._work.set()
        if waiting >= SLICE and not self._now.is_set():
            self._now.set()

    # ── at start and stop ────────────────────────────────────────────────────────────────────────

    def kept_overrides(self) -> list[OverrideView]:
        """Those set before a restart, oldest first, expired or not."""
        return [rows.read_override(row) for row in self._ask((queries.OVERRIDES, []))]

    def recent(self, limit: int) -> list[RequestView]:
        """The requests of before, newest first."""
        found = self._ask(queries.requests(RequestFilter(), limit, None))
        return [rows.read_request(row) for row in found]

    def kept(self, kind: str) -> list[tuple[str, str]]:
        """The id and the JSON of all that is kept under a kind."""
        return self._ask((queries.KEPT, [kind]))

    def spent(self, kind: Spender, since: float) -> dict[str, int]:
        """Nano-dollars by name, of what began at or after `since` and has ended. Blocks: for the
        start, and for a reload that brings a new budget; `flush` first."""
        return dict(self._ask(spent(kind, since)))

    def spent_on(self, kind: Asking, since: float) -> dict[tuple[str, str], int]:
        """The same by name and by the model that was asked for."""
        found = self._ask(spent_on(kind, since))
        return {(name, asked): cost for name, asked, cost in found}

    def today(self, since: float) -> Totals:
        """Sums of what began at or after `since` and has ended."""
        return costs.read_totals(self._ask(costs.totals(since)))

    def flush(self, timeout: float) -> bool:
        """Waits until all that was queued before is committed; False when `timeout` seconds passed.
        Blocks: on an event loop call it by asyncio.to_thread."""
        stored = threading.Event()
        self._queue.append(stored)
        self._hurry()
        return stored.wait(timeout)

    def close(self, timeout: float = 5.0) -> None:
        """Stores what is queued, tries no longer than `timeout` seconds, and closes. Blocks."""
        self._closing.set()
        self._hurry()
        self._thread.join(timeout)

    def _hurry(self) -> None:
        self._now.set()
        self._work.set()

    def _ask(self, query: queries.Query) -> list[rows.Row]:
        """By a reader's connection of its own: the writer's belongs to the thread."""
        with closing(sqlite3.connect(database.read_only(self.path), uri=True)) as reader:
            return reader.execute(*query).fetchall()

    def _interrupt_what_was_running(self) -> None:
        """On a full disk they stay as they are until the next start."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            self._store.interrupt()
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self._refused(error)

    # ── on the thread ────────────────────────────────────────────────────────────────────────────

    def _run(self) -> None:
        while not self._closing.is_set() or self._queue:
            self._work.wait()
            self._now.wait(GATHER)
            # Both are cleared before the queue is read: what comes from here on sets them again.
            self._now.clear()
            self._work.clear()
            stored = self._store_all()
            if self._closing.is_set():
                break
            if not stored:
                self._closing.wait(RETRY)
                self._hurry()
            elif self._older_than is not None:
                self._prune_batch(self._older_than)
        self._db.close()

    def _store_all(self) -> bool:
        """Empties the queue; False when the database refused."""
        while self._queue:
            if not self._store_slice():
                return False
            self._roll_on()
        return True

    def _store_slice(self) -> bool:
        """Commits the oldest rows of the queue. False when the database refused; then they stay."""
        taken = [self._queue[place] for place in range(min(SLICE, len(self._queue)))]
        failed = self.failed
        try:
            self._db.execute("BEGIN IMMEDIATE")
            if not self._store.together(taken):
                for item in taken:
                    self._store_one(item)
            self._db.execute("COMMIT")
        except sqlite3.Error as error:
            self.failed = failed  # the slice is tried again, and counted then
            self._refused(error)
            return False
        self.trouble = ""
        for item in taken:
            self._queue.popleft()
            if isinstance(item, threading.Event):
                item.set()
        return True

    def _roll_on(self) -> None:
        """Adds the newest rows to the sums, once there are enough of them: a grouping of thousands
        costs 5 us a row, one of a slice 17 us. Readers add up what is not yet among them."""
        while self._store.behind(self._tail):
            upto = self._store.rolled + self._tail
            try:
                self._db.execute("BEGIN IMMEDIATE")
                self._store.roll(upto)
                self._db.execute("COMMIT")
            except sqlite3.Error as error:
                self._refused(error)
                return
            self._store.rolled = upto

    def _store_one(self, item: _Queued) -> None:
        """Raises sqlite3.Error where the fault lies with the database and not with the row."""
        if isinstance(item, threading.Event):
            return  # who waits for it is told after the commit
        try:
            try:
                self._store.one(item)
            except UnicodeEncodeError:
                self._store.one(rows.legal(item))
        except Exception as error:
            # The thread's border: a row that cannot be stored must not stop the others.
            if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
                raise
            self.failed += 1
            self.last_error = f"a {type(item).__name__} was not stored: {error}"

    def _prune_batch(self, older_than: float) -> None:
        """One batch; calls for the next until nothing that old is left."""
        try:
            self._db.execute("BEGIN IMMEDIATE")
            gone = self._store.prune(older_than, self._most)
            self._db.execute("COMMIT")
            # As a script: execute() would take one step of it, which is one page.
            self._db.executescript(f"PRAGMA incremental_vacuum({BATCH});")
        except sqlite3.Error as error:
            self._refused(error)
            gone = 0  # the next hour's call tries again
        if gone:
            self._work.set()
        elif self._older_than == older_than:
            self._older_than = None

    def _refused(self, error: sqlite3.Error) -> None:
        self.trouble = self.last_error = str(error)
        if self._db.in_transaction:
            self._db.execute("ROLLBACK")
