"""What a row becomes in the database: the statements of the writer's thread, in its transactions.

Its one rule: whatever changes a request that the sums know of changes the sums with it.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Sequence
from itertools import chain
from typing import Final

import msgspec
from msgspec import Struct, json

from router.contract import LogLine, OverrideView, RequestDetail, ServiceChange
from storage import queries, recosting, rows, statements
from storage.recosting import Recosting
from storage.rolls import ADD, CLEAR, FRESH, GATHER, GATHER_ON, NOTE, QUARTER

#: rows in one statement, largest first
TOGETHER: Final = (16, 4, 1)
#: rows that retention deletes in one transaction, between two slices of new ones
BATCH: Final = 500

_json: Final = json.Encoder().encode
_LEFT: Final = "the router ended while this ran"


class Clear(Struct, frozen=True):
    """An override's end."""

    id: str


class Keep(Struct, frozen=True):
    """What is kept for the router under a kind and an id; `data` None: no more."""

    kind: str
    id: str
    data: str | None


Item = RequestDetail | LogLine | OverrideView | ServiceChange | Clear | Keep | Recosting
#: what comes seldom, a row at a time
_OTHERS: Final = (OverrideView, ServiceChange, Clear, Keep, Recosting)


class Store:
    """`rolled`: up to which seq the sums know of requests. Methods raise sqlite3.Error."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db
        db.execute("PRAGMA temp_store = MEMORY")
        db.execute(FRESH)
        (self.rolled,) = db.execute(statements.ROLLED_TO).fetchone()

    def interrupt(self) -> None:
        """What a killed router left "running" becomes "interrupted"."""
        left = [seq for (seq,) in self._db.execute(statements.RUNNING)]
        self._db.execute(statements.INTERRUPT_ATTEMPTS, (_LEFT,))
        self._db.execute(statements.INTERRUPT_REQUESTS, (_LEFT,))
        self._fold([seq for seq in left if seq <= self.rolled])

    def together(self, taken: Sequence[object]) -> bool:
        """A slice in a handful of statements: each step of one hands the interpreter over, and at
        thousands of rows a second that costs the event loop more than the rows do. False when a row
        is at fault: then nothing was stored."""
        details: dict[str, RequestDetail] = {}
        lines: list[rows.Row] = []
        others: list[Item] = []
        for item in taken:
            if isinstance(item, RequestDetail):
                # what is newly known of a request replaces what was
                details[item.request.id] = item
            elif isinstance(item, LogLine):
                lines.append(rows.log_row(item))
            elif isinstance(item, _OTHERS):
                others.append(item)
        self._db.execute("SAVEPOINT together")
        try:
            if details:
                self._store_requests(details)
            if lines:
                self._each(statements.insert_logs, lines)
            for item in others:
                self.one(item)
        except (UnicodeEncodeError, OverflowError, sqlite3.IntegrityError, sqlite3.DataError):
            self._db.execute("ROLLBACK TO together")
            return False
        self._db.execute("RELEASE together")
        return True

    def one(self, item: Item) -> None:
        execute = self._db.execute
        match item:
            case RequestDetail():
                self._store_requests({item.request.id: item})
            case LogLine():
                execute(statements.insert_logs(1), rows.log_row(item))
            case ServiceChange():
                execute(statements.INSERT_HEALTH, msgspec.structs.astuple(item))
            case OverrideView():
                execute(statements.UPSERT_OVERRIDE, rows.override_row(item))
            case Recosting():
                self._recost(item)
            case Keep(kind, id, None):
                execute(statements.FORGET, (kind, id))
            case Keep(kind, id, data):
                execute(statements.KEEP, (kind, id, data))
            case Clear():
                execute(statements.DELETE_OVERRIDE, (item.id,))

    def behind(self, tail: int) -> bool:
        """Whether there are `tail` requests that the sums do not know of."""
        (newest,) = self._db.execute(queries.NEWEST).fetchone()
        return bool(newest - self.rolled >= tail)

    def roll(self, upto: int) -> None:
        """Adds the requests up to that seq to the sums; `rolled` is the caller's to move, once that
        is committed."""
        self._add(GATHER_ON, (self.rolled, 1, upto))
        self._db.execute(statements.SET_ROLLED, (upto,))

    def prune(self, older_than: float, most: int | None) -> int:
        """Deletes a batch of what began before, or is the oldest of a file of more than `most`
        bytes; returns how many rows went."""
        limits = (self._horizon(older_than, most), BATCH)
        gone = sum(self._db.execute(sql, limits).rowcount for sql in statements.PRUNE)
        self._db.execute(statements.MOVE_HORIZON, limits[:1])
        return gone

    def _store_requests(self, details: dict[str, RequestDetail]) -> None:
        """What is known again replaces what was, in the rows and in the sums."""
        execute = self._db.execute
        known = execute(statements.KNOWN, (_json(list(details)),)).fetchall()
        summed = [seq for (seq,) in known if seq <= self.rolled]
        if known:
            self._fold(summed, -1)
            execute(statements.DELETE_ATTEMPTS, (_json([seq for (seq,) in known]),))
        self._each(statements.upsert_requests, [rows.request_row(one) for one in details.values()])
        attempts = [
            rows.attempt_row(view, id) for id, detail in details.items() for view in detail.attempts
        ]
        self._each(statements.insert_attempts, attempts)
        self._fold(summed)

    def _recost(self, changes: Recosting) -> None:
        summed = [seq for seq in changes.requests if seq <= self.rolled]
        self._fold(summed, -1)
        self._db.executemany(recosting.UPDATE_ATTEMPT, changes.attempts)
        costs = [(cost, seq) for seq, cost in changes.requests.items()]
        self._db.executemany(recosting.UPDATE_REQUEST, costs)
        self._fold(summed, known=True)

    def _fold(self, seqs: list[int], times: int = 1, *, known: bool = False) -> None:
        """Adds these requests, those of them that have ended, to the sums; -1 takes them back.
        `known`: by their words they are found already."""
        if seqs:
            self._add(GATHER, (_json(seqs), times), note=times > 0 and not known)

    def _add(self, gather: str, which: tuple[object, ...], *, note: bool = True) -> None:
        self._db.execute(gather, which)
        self._db.execute(ADD)
        if note:
            self._db.execute(NOTE)
        self._db.execute(CLEAR)

    def _each(self, statement: Callable[[int], str], many: list[rows.Row]) -> None:
        """`statement(n)` is for n rows. Few n are used, so that each is prepared only once."""
        start = 0
        for size in TOGETHER:
            while len(many) - start >= size:
                some = chain.from_iterable(many[start : start + size])
                self._db.execute(statement(size), tuple(some))
                start += size

    def _horizon(self, older_than: float, most: int | None) -> float:
        """Before which rows may go: of a file that is too large, its oldest quarter hour too."""
        if most is None:
            return older_than
        (used,) = self._db.execute(statements.USED).fetchone()
        (oldest,) = self._db.execute(statements.OLDEST).fetchone()
        if used <= most or oldest is None:
            return older_than
        return float(max(older_than, (oldest // QUARTER + 1) * QUARTER))
