"""What is kept of many requests together: what was spent in each quarter hour, hour and day, by
every dimension, and which words stand in which stretch of them (storage/search.py).

One rule: all of it comes from the view `entry` by the statements here: GATHER, then ADD and NOTE,
then CLEAR. A row that is replaced is taken back first (a factor of -1), so that the sums are those
of the rows at every commit; a word that stands there no more stays noted. Pure: SQL and arithmetic.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from itertools import pairwise
from typing import Final, NamedTuple

from router.contract import Spend, Tokens

QUARTER: Final = 900
HOUR: Final = 3_600
DAY: Final = 86_400
SPANS: Final = (QUARTER, HOUR, DAY)

#: what is summed by: columns of `entry`. A request with several attempts has one name of each kind
#: but of "model" and "outcome", where it has one for each attempt.
KINDS: Final = ("model", "door", "key", "project", "team", "user", "session", "rule", "outcome")

_COUNTS: Final = ("requests", "errors", "attempts", "unpriced")
#: the columns that are added up, in the order of `line`
SUMS: Final = (
    *_COUNTS,
    *Tokens.__struct_fields__,
    "cost",
    *(f"spend_{name}" for name in Spend.__struct_fields__),
)
KEY: Final = ("kind", "span", "start", "name", "simulated")
_TIMES: Final = ("first_at", "last_at")

_SUMMED: Final = ", ".join(f"SUM({name}) AS {name}" for name in SUMS)


def _arm(kind: str) -> str:
    return (
        f"SELECT '{kind}' AS kind, {QUARTER} AS span, quarter AS start, {kind} AS name, simulated,"
        f" MIN(first_at) AS first_at, MAX(last_at) AS last_at, {_SUMMED}"
        " FROM fresh GROUP BY start, name, simulated"
    )


def _longer(span: int) -> str:
    return (
        f"SELECT kind, {span}, start / {span} * {span} AS begun, name, simulated,"
        f" MIN(first_at), MAX(last_at), {_SUMMED} FROM quarters"
        " GROUP BY kind, begun, name, simulated"
    )


#: what else a request is looked for by
_FOUND: Final = ("agent", "asked", "client", "error")
_FRESH: Final = ("quarter", "simulated", *KINDS, *_FOUND)


def gather(which: str) -> str:
    """SQL that puts the requests of `entry` that `which` names into FRESH, ?2 times: 1 or -1."""
    sums = ", ".join(f"?2 * SUM({name}) AS {name}" for name in SUMS)
    dimensions = ", ".join(_FRESH)
    return (
        f"INSERT INTO fresh SELECT {dimensions}, MIN(started_at), MAX(started_at), MIN(seq),"
        f" MAX(seq), {sums} FROM entry WHERE {which} GROUP BY {dimensions}"
    )


#: the writer's own table of what is being added
FRESH: Final = f"CREATE TEMP TABLE fresh ({', '.join((*_FRESH, *_TIMES, 'first', 'last', *SUMS))})"
#: those whose seqs are in the JSON array ?1
GATHER: Final = gather("seq IN (SELECT value FROM json_each(?1))")
#: those after ?1, up to ?3
GATHER_ON: Final = gather("seq > ?1 AND seq <= ?3")
#: adds what was gathered to the sums
ADD: Final = (
    f"WITH quarters AS MATERIALIZED ({' UNION ALL '.join(map(_arm, KINDS))})"
    f" INSERT INTO roll ({', '.join((*KEY, *_TIMES, *SUMS))})"
    # `WHERE 1` keeps SQLite from reading ON as a join's
    f" SELECT * FROM ({' UNION ALL '.join(['SELECT * FROM quarters', *map(_longer, SPANS[1:])])})"
    f" WHERE 1 ON CONFLICT ({', '.join(KEY)}) DO UPDATE SET"
    " first_at = MIN(first_at, excluded.first_at), last_at = MAX(last_at, excluded.last_at), "
    + ", ".join(f"{name} = {name} + excluded.{name}" for name in SUMS)
)
#: notes which words stand in it; `rule` and `model` have the provider in them
NOTE: Final = (
    "INSERT OR IGNORE INTO gist SELECT last, first, "
    + " || char(10) || ".join(("door", "key", "user", "session", "rule", "model", *_FOUND))
    + " FROM fresh"
)
CLEAR: Final = "DELETE FROM fresh"


class Window(NamedTuple):
    """A part of a time: from rolls of `span` seconds, or from the rows themselves (`span` 0). It
    begins at `since` and ends before `until`; None: open."""

    span: int
    since: float | None
    until: float | None


def windows(since: float | None, until: float | None, coarsest: int = DAY) -> list[Window]:
    """[since, until) as few parts that are exact together: whole days, quarter hours beside them,
    and single rows where an end lies inside a quarter. `coarsest`: the largest span to use."""
    spans = [span for span in (0, *SPANS) if span <= coarsest]
    before: list[Window] = []
    after: list[Window] = []
    low, high = since, until
    for finer, span in pairwise(spans):
        if low is not None and high is not None and low >= high:
            return [*before, *reversed(after)]
        up = None if low is None else -(-low // span) * span
        down = None if high is None else high // span * span
        if up is not None and down is not None and up > down:
            # no boundary of this size lies between: what is left is of the finer one
            return [*before, Window(finer, low, high), *reversed(after)]
        if up is not None and low != up:
            before.append(Window(finer, low, up))
        if down is not None and high != down:
            after.append(Window(finer, down, high))
        low, high = up, down
    if low is None or high is None or low < high:
        before.append(Window(spans[-1], low, high))
    return [*before, *reversed(after)]
