"""Sessions and their subagents, as SQL: who of late, what each branch used, where each stands.

Pure. One rule: which sessions are shown is found in the newest rows alone, so that it costs the
same in a ledger of any size; what they used is then summed over all their rows, by their index.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from router.contract import BranchLine
from storage.costs import ADDED, read_sums
from storage.queries import REQUESTS, Query
from storage.rows import Row

#: newest rows in which sessions of late are looked for
NEWEST: Final = 20_000


def recent(limit: int) -> Query:
    """Sessions, the one that spoke last first."""
    return (
        f"SELECT session FROM (SELECT session, seq FROM request ORDER BY seq DESC LIMIT {NEWEST})"
        " WHERE session <> '' GROUP BY session ORDER BY MAX(seq) DESC LIMIT ?",
        [limit],
    )


def lines(sessions: Sequence[str]) -> Query:
    """Rows for read_line."""
    return (
        f"SELECT session, agent, MIN(started_at), MAX(started_at), model, {ADDED} FROM entry"
        f" WHERE session IN ({_marks(sessions)}) AND session <> ''"
        " GROUP BY session, agent, model, simulated ORDER BY 3",
        list(sessions),
    )


def newest(sessions: Sequence[str]) -> Query:
    """Rows for rows.read_request: the newest answered completion of each branch."""
    return (
        f"{REQUESTS} WHERE seq IN (SELECT MAX(seq) FROM request"
        f" WHERE session IN ({_marks(sessions)}) AND session <> ''"
        " AND state = 'done' AND endpoint = 'chat' GROUP BY session, agent)",
        list(sessions),
    )


def read_line(row: Row) -> BranchLine:
    session, agent, first_at, last_at, name, *sums = row
    return BranchLine(session, agent, first_at, last_at, read_sums(name, tuple(sums)))


def _marks(values: Sequence[str]) -> str:
    return ", ".join("?" * len(values))
