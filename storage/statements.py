"""What the writer says to the database, as SQL. Text only; queries.py has what readers ask."""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from collections.abc import Sequence
from functools import cache
from typing import Final

from storage.rolls import KEY as ROLL_KEY
from storage.rolls import KINDS, SPANS
from storage.rows import ATTEMPT, DETAIL, HEALTH, LOG, OVERRIDE


def _insert(table: str, columns: Sequence[str], many: int = 1, first: str = "?") -> str:
    """`first` stands for the value of a row's first column."""
    marks = f"({', '.join([first] + ['?'] * (len(columns) - 1))})"
    return f"INSERT INTO {table} ({', '.join(columns)}) VALUES {', '.join([marks] * many)}"


def _upsert(table: str, columns: Sequence[str], many: int = 1) -> str:
    changed = ", ".join(f"{name} = excluded.{name}" for name in columns if name != "id")
    return f"{_insert(table, columns, many)} ON CONFLICT (id) DO UPDATE SET {changed}"


@cache
def upsert_requests(many: int) -> str:
    """Rows of DETAIL. A request that was there keeps its seq."""
    return _upsert("request", DETAIL, many)


@cache
def insert_attempts(many: int) -> str:
    """Rows of the request's id and ATTEMPT."""
    seq = "(SELECT seq FROM request WHERE id = ?)"
    return _insert("attempt", ("request", *ATTEMPT), many, first=seq)


@cache
def insert_logs(many: int) -> str:
    """Rows of LOG."""
    return _insert("log", LOG, many)


#: HEALTH
INSERT_HEALTH: Final = _insert("health", HEALTH)
#: OVERRIDE
UPSERT_OVERRIDE: Final = _upsert("override", OVERRIDE)
#: the override's id
DELETE_OVERRIDE: Final = "DELETE FROM override WHERE id = ?"
#: kind, id, data
KEEP: Final = "INSERT OR REPLACE INTO kept VALUES (?, ?, ?)"
FORGET: Final = "DELETE FROM kept WHERE kind = ? AND id = ?"

#: of those of these ids (a JSON array) that are stored
KNOWN: Final = "SELECT seq FROM request WHERE id IN (SELECT value FROM json_each(?))"
#: of the requests with these seqs (a JSON array)
DELETE_ATTEMPTS: Final = "DELETE FROM attempt WHERE request IN (SELECT value FROM json_each(?))"
RUNNING: Final = "SELECT seq FROM request WHERE state = 'running'"

#: the error to note, for both; attempts first
INTERRUPT_ATTEMPTS: Final = (
    "UPDATE attempt SET outcome = 'ours', error = ? WHERE outcome = '' AND request IN"
    " (SELECT seq FROM request WHERE state = 'running')"
)
INTERRUPT_REQUESTS: Final = (
    "UPDATE request SET state = 'interrupted', error = ? WHERE state = 'running'"
)

_OLD: Final = (
    "(SELECT seq FROM request WHERE started_at < ?1 AND seq < (SELECT MAX(seq) FROM request)"
    " ORDER BY started_at LIMIT ?2)"
)
_OLD_ROLLS: Final = (
    f"(SELECT {', '.join(ROLL_KEY)} FROM roll WHERE kind = '{{kind}}' AND span = {{span}}"
    " AND start <= ?1 - {span} LIMIT ?2)"
)
#: what is older than this, at most so many rows; attempts first
PRUNE: Final = (
    f"DELETE FROM attempt WHERE request IN {_OLD}",
    f"DELETE FROM request WHERE seq IN {_OLD}",
    "DELETE FROM gist WHERE (last, first, words) IN (SELECT last, first, words FROM gist"
    " WHERE last < (SELECT MIN(seq) FROM request) LIMIT ?2)",
    "DELETE FROM log WHERE id IN (SELECT id FROM log WHERE at < ?1 LIMIT ?2)",
    # the newest of each service stays: it is how things are since then
    "DELETE FROM health WHERE rowid IN (SELECT rowid FROM health AS old WHERE at < ?1 AND EXISTS"
    " (SELECT 1 FROM health AS new WHERE new.service = old.service AND new.at > old.at) LIMIT ?2)",
    *(
        f"DELETE FROM roll WHERE ({', '.join(ROLL_KEY)}) IN "
        + _OLD_ROLLS.format(kind=kind, span=span)
        for kind in KINDS
        for span in SPANS
    ),
)
#: bytes of the file that hold something
USED: Final = (
    "SELECT (p.page_count - f.freelist_count) * s.page_size"
    " FROM pragma_page_count p, pragma_freelist_count f, pragma_page_size s"
)
OLDEST: Final = (
    "SELECT MIN(at) FROM (SELECT MIN(started_at) AS at FROM request"
    " WHERE seq < (SELECT MAX(seq) FROM request) UNION ALL SELECT MIN(at) FROM log)"
)
#: since when the history is whole
MOVE_HORIZON: Final = (
    "UPDATE meta SET value = MAX(value, ?) WHERE name IN ('reaches_back_to', 'pruned_to')"
)
#: up to which request the sums are made
ROLLED_TO: Final = "SELECT value FROM meta WHERE name = 'rolled_to'"
SET_ROLLED: Final = "UPDATE meta SET value = ? WHERE name = 'rolled_to'"
