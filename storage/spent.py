"""What was spent since a time, by name: what budgets begin with when the router starts.

One rule: exact to the nano-dollar at quarter hours, whatever retention has deleted meanwhile.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from typing import Any, Final, Literal

from storage.rolls import QUARTER

Query = tuple[str, list[Any]]
Spender = Literal["door", "key", "team", "user", "project", "session", "model"]
Asking = Literal["key", "team", "user"]
_ROLLED_TO: Final = "(SELECT value FROM meta WHERE name = 'rolled_to')"
_TAIL: Final = f"seq > {_ROLLED_TO} AND quarter >= ? AND simulated = 0 AND cost"


def spent(kind: Spender, since: float) -> Query:
    """Rows of name and nano-dollars of real traffic that began at or after `since`, which lies on a
    quarter hour. What retention deleted counts by whole days."""
    at = int(since) // QUARTER * QUARTER
    return (
        "SELECT name, SUM(cost) FROM ("
        "SELECT name, cost FROM carried WHERE kind = ? AND day >= ?"
        f" UNION ALL SELECT name, cost FROM roll WHERE kind = ? AND span = {QUARTER}"
        " AND start >= ? AND simulated = 0 AND cost"
        f" UNION ALL SELECT {kind}, cost FROM entry WHERE {_TAIL}"
        ") GROUP BY name",
        [kind, at, kind, at, at],
    )


def spent_on(kind: Asking, since: float) -> Query:
    """Rows of name, the model that was asked for, and nano-dollars: as far as rows are kept."""
    return (
        f"SELECT {kind}, asked, SUM(cost) FROM request WHERE started_at >= ? AND simulated = 0"
        f" AND cost AND {kind} <> '' GROUP BY 1, 2",
        [int(since) // QUARTER * QUARTER],
    )
