"""What was spent, as SQL: sums by a dimension, and how they went over time. Pure.

One rule: every figure is a sum of `entry` (attempts, with what they are summed by), taken from
`roll` where whole spans are asked for and from the rows at the ends, so that the same traffic gives
the same figures however it is grouped. Simulated and real are never one line.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final, Literal

from router.contract import CostLine, CostPoint, Spend, Tokens, Totals
from storage import zones
from storage.rolls import DAY, HOUR, QUARTER, SPANS, SUMS, Window, windows
from storage.rows import Row
from storage.zones import Offsets, local

Query = tuple[str, list[Any]]
Grouping = Literal[
    "model",
    "provider",
    "door",
    "key",
    "project",
    "team",
    "user",
    "session",
    "rule",
    "outcome",
    "day",
]
Step = Literal["quarter", "hour", "day"]

#: what read_sums reads, of `entry` or of rolls
ADDED: Final = "simulated, " + ", ".join(f"SUM({name})" for name in SUMS)
_COST: Final = SUMS.index("cost")
_TOKENS: Final = SUMS.index("input")


def _kind(by: Grouping) -> str:
    """The kind of roll that has this dimension. Any kind has all of the traffic: doors are few."""
    return {"provider": "model", "day": "door"}.get(by, by)


def _name(by: Grouping, zone: Offsets) -> str:
    """The name of a line, from a name of `_kind(by)`. A provider's name holds no comma; a day is
    its number."""
    if by == "provider":
        return "substr(name, 1, instr(name, ',') - 1)"
    return f"{local(zone)} / {DAY}" if by == "day" else "name"


def costs(
    since: float | None, until: float | None, by: Grouping, zone: Offsets, limit: int | None = None
) -> Query:
    """Rows for read_cost, dearest first; days in their order, by the local time of `zone`."""
    coarsest = _coarsest(zone, DAY) if by == "day" else DAY
    source, values = _source(_kind(by), since, until, coarsest)
    order = "1" if by == "day" else f"{_COST + 3} DESC, 3 DESC, 1"
    sql = (
        f"SELECT {_name(by, zone)}, {ADDED} FROM ({source}) GROUP BY 1, 2"
        f" HAVING {_ANY} ORDER BY {order}, 2 LIMIT ?"
    )
    return sql, [*values, -1 if limit is None else limit]


def _coarsest(zone: Offsets, step: int) -> int:
    """The largest span that no step of local time cuts."""
    return next(
        (span for span in reversed(SPANS) if span <= step and all(o % span == 0 for _, o in zone)),
        QUARTER,
    )


def series(
    since: float | None, until: float | None, step: Step, by: Grouping | None, zone: Offsets
) -> Query:
    """Rows for read_point, in the order of time: hours and days of the local time of `zone`."""
    seconds = {"quarter": QUARTER, "hour": HOUR, "day": DAY}[step]
    source, values = _source(_kind(by or "door"), since, until, _coarsest(zone, seconds))
    at = {
        "quarter": "start",
        "hour": f"start - {local(zone)} % 3600",
        "day": f"{local(zone)} / {DAY}",
    }[step]
    name = _name(by, zone) if by else "''"
    sql = (
        f"SELECT {at}, {name}, {ADDED} FROM ({source})"
        f" GROUP BY 1, 2, 3 HAVING {_ANY} ORDER BY 1, {_COST + 4} DESC, 2, 3"
    )
    return sql, values


def days_of(key: str, since: float, until: float | None, zone: Offsets) -> Query:
    """Rows for read_point of one key, by local day and model. No sum is kept by both: from the
    rows, so `since` should not lie before the key's first."""
    terms, values = "key = ? AND started_at >= ?", list[Any]((key, since))
    if until is not None:
        terms, values = f"{terms} AND started_at < ?", [*values, until]
    day = f"{local(zone, 'quarter')} / {DAY}"
    return (
        f"SELECT {day}, model, {ADDED} FROM entry WHERE {terms}"
        f" GROUP BY 1, 2, 3 HAVING {_ANY} ORDER BY 1, {_COST + 4} DESC, 2, 3",
        values,
    )


def totals(since: float) -> Query:
    """Rows for read_totals."""
    source, values = _source("door", since, None, DAY)
    return f"SELECT {ADDED} FROM ({source}) GROUP BY simulated", values


#: what was taken back leaves a line of zeros
_ANY: Final = "SUM(requests) OR SUM(attempts)"
_COLUMNS: Final = ", ".join(SUMS)
_ROLLED_TO: Final = "(SELECT value FROM meta WHERE name = 'rolled_to')"
#: Before this there are no rows: `since` must not lie before it.
PRUNED_TO: Final = "SELECT value FROM meta WHERE name = 'pruned_to'"


def _source(kind: str, since: float | None, until: float | None, coarsest: int) -> Query:
    """name, simulated, start, first_at, last_at and SUMS of one kind, over a time."""
    parts: list[str] = []
    values: list[Any] = []
    for window in windows(since, until, coarsest):
        if window.span:
            sql, bounds = _rolled(kind, window)
        else:
            sql, bounds = _entries(kind, window, f"seq <= {_ROLLED_TO}")
        parts.append(sql)
        values += bounds
    # what is not yet among the sums; `+` keeps the search by seq
    sql, bounds = _entries(kind, Window(0, since, until), f"seq > {_ROLLED_TO}", "+started_at")
    parts.append(sql)
    values += bounds
    return " UNION ALL ".join(parts), values


def _rolled(kind: str, window: Window) -> Query:
    terms, values = ["kind = ?", "span = ?"], list[Any]((kind, window.span))
    for bound, sign in ((window.since, ">="), (window.until, "<")):
        if bound is not None:
            terms.append(f"start {sign} ?")
            values.append(int(bound))
    return (
        f"SELECT name, simulated, start, first_at, last_at, {_COLUMNS}"
        f" FROM roll WHERE {' AND '.join(terms)}",
        values,
    )


def _entries(kind: str, window: Window, which: str, time: str = "started_at") -> Query:
    terms, values = [which], list[Any]()
    for bound, sign in ((window.since, ">="), (window.until, "<")):
        if bound is not None:
            terms.append(f"{time} {sign} ?")
            values.append(bound)
    return (
        f"SELECT {kind} AS name, simulated, quarter AS start, started_at AS first_at,"
        f" started_at AS last_at, {_COLUMNS} FROM entry WHERE {' AND '.join(terms)}",
        values,
    )


# ── the answers ───────────────────────────────────────────────────────────────────────────────────


def read_cost(row: Row) -> CostLine:
    return read_sums(zones.name(row[0]) if isinstance(row[0], int) else row[0], row[1:])


def read_point(row: Row, step: Step) -> CostPoint:
    at, name, *sums = row
    line = read_sums(zones.name(name) if isinstance(name, int) else name, tuple(sums))
    return CostPoint(zones.midnight(at) if step == "day" else float(at), line)


def read_totals(rows: Iterable[Row]) -> Totals:
    """Real traffic, with what was simulated beside it."""
    lines = {bool(row[0]): read_sums("", row) for row in rows}
    nothing = read_sums("", (0, *([0] * len(SUMS))))
    real, simulated = lines.get(False, nothing), lines.get(True, nothing)
    return Totals(
        requests=real.requests,
        errors=real.errors,
        tokens=real.tokens,
        cost=real.cost,
        unpriced=real.unpriced,
        simulated_requests=simulated.requests,
        simulated_cost=simulated.cost,
    )


def read_hit(row: Row) -> tuple[str, str, int]:
    """Of rows by "rule": the rule, "provider,model" and how many requests it sent there."""
    rule, _, model = row[0].partition(",")
    return rule, model, row[2]


def read_sums(name: str, sums: Row) -> CostLine:
    """From `simulated` and the columns of SUMS."""
    simulated, *figures = sums
    requests, errors, attempts, unpriced = figures[:_TOKENS]
    *kinds, estimated = figures[_TOKENS:_COST]
    return CostLine(
        name=name,
        simulated=bool(simulated),
        requests=requests,
        errors=errors,
        tokens=Tokens(*(*kinds, estimated > 0)),
        cost=figures[_COST],
        unpriced=unpriced,
        attempts=attempts,
        spend=Spend(*figures[_COST + 1 :]),
    )
