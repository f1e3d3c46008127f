"""The questions that a ledger is asked, as SQL. Pure: text and parameters, no connection.

One rule: every sum of requests goes through `SUMS` over requests that have ended, so that the
same traffic gives the same figures however it is grouped. Simulated and real are never one group.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any, Final, Literal

from router.contract import CostLine, LogFilter, RequestFilter, Tokens, Totals
from storage.rows import ATTEMPT, DETAIL, LEVELS, LOG, OVERRIDE, REQUEST, Row

Query = tuple[str, list[Any]]
Grouping = Literal["model", "provider", "door", "session", "key", "day"]

_SEARCHED: Final = (
    "id",
    "asked",
    "provider",
    "model",
    "rule",
    "session",
    "agent",
    "client",
    "error",
)

SUMS: Final = """
    simulated, COUNT(*), SUM(state IN ('failed', 'interrupted')),
    SUM(input), SUM(cache_read), SUM(cache_write), SUM(cache_write_1h), SUM(output),
    SUM(reasoning), MAX(estimated), COALESCE(SUM(cost), 0), COUNT(*) - COUNT(cost)
"""

_GROUPS: Final[dict[Grouping, str]] = {
    # A request that was refused before a model was chosen has neither name.
    "model": "CASE WHEN provider = '' THEN '' ELSE provider || ',' || model END",
    "provider": "provider",
    "door": "door",
    "session": "session",
    "key": "key",
    # The days of the person looking, as the console's "today" is.
    "day": "date(started_at, 'unixepoch', 'localtime')",
}


def _names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


REQUESTS: Final = f"SELECT {_names((*REQUEST, 'seq'))} FROM request"
_DETAILS: Final = f"SELECT {_names((*DETAIL, 'seq'))} FROM request"
_LINES: Final = f"SELECT {_names(('id', *LOG))} FROM log"
ATTEMPTS: Final = f"SELECT {_names(ATTEMPT)} FROM attempt WHERE request = ? ORDER BY number"
OVERRIDES: Final = f"SELECT {_names(OVERRIDE)} FROM override ORDER BY set_at, id"


def requests(filter: RequestFilter, limit: int, before_seq: int | None) -> Query:
    """Rows for rows.read_request, newest first."""
    terms, values = _request_terms(filter)
    if before_seq is not None:
        terms.append("seq < ?")
        values.append(before_seq)
    return f"{REQUESTS}{_where(terms)} ORDER BY seq DESC LIMIT ?", [*values, limit]


def request(id: str) -> Query:
    """At most two rows for rows.read_detail: those that begin with `id`, an exact one first."""
    return (
        f"{_DETAILS} WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
        [id, id + "\U0010ffff"],
    )


def decisions(limit: int) -> Query:
    """Rows for rows.read_detail: completions that were answered, newest first."""
    return (
        f"{_DETAILS} WHERE state = 'done' AND endpoint = 'chat' ORDER BY seq DESC LIMIT ?",
        [limit],
    )


def totals(since: float) -> Query:
    """Rows for read_totals."""
    where, values = _ended(since, None)
    return f"SELECT {SUMS} FROM request{where} GROUP BY simulated", values


def costs(since: float | None, until: float | None, by: Grouping) -> Query:
    """Rows for read_cost, dearest first; days in their order."""
    where, values = _ended(since, until)
    order = "1" if by == "day" else "11 DESC, 3 DESC, 1"
    sql = f"SELECT {_GROUPS[by]}, {SUMS} FROM request{where} GROUP BY 1, 2 ORDER BY {order}, 2"
    return sql, values


def logs(filter: LogFilter, limit: int, after_id: int | None, before_id: int | None) -> Query:
    """Rows for rows.read_log, oldest first: the first `limit` after `after_id` where that is given,
    else the last `limit` (before `before_id`)."""
    terms, values = _log_terms(filter)
    if after_id is not None:
        terms.append("id > ?")
        values.append(after_id)
    if before_id is not None:
        terms.append("id < ?")
        values.append(before_id)
    if after_id is not None:
        return f"{_LINES}{_where(terms)} ORDER BY id LIMIT ?", [*values, limit]
    newest = f"{_LINES}{_where(terms)} ORDER BY id DESC LIMIT ?"
    return f"SELECT * FROM ({newest}) ORDER BY id", [*values, limit]


def log_ids(filter: LogFilter) -> Query:
    """Every matching id, oldest first."""
    terms, values = _log_terms(filter)
    return f"SELECT id FROM log{_where(terms)} ORDER BY id", values


def log_lines(ids: Sequence[int]) -> Query:
    """Rows for rows.read_log, in no order."""
    return f"{_LINES} WHERE id IN ({', '.join('?' * len(ids))})", list(ids)


def read_totals(rows: Iterable[Row]) -> Totals:
    """Real traffic, with what was simulated beside it."""
    made = Totals()
    lines = {bool(row[0]): read_sums("", row) for row in rows}
    real, simulated = lines.get(False), lines.get(True)
    if real is not None:
        made = Totals(real.requests, real.errors, real.tokens, real.cost, real.unpriced)
    if simulated is None:
        return made
    return Totals(
        requests=made.requests,
        errors=made.errors,
        tokens=made.tokens,
        cost=made.cost,
        unpriced=made.unpriced,
        simulated_requests=simulated.requests,
        simulated_cost=simulated.cost,
    )


def read_cost(row: Row) -> CostLine:
    return read_sums(row[0], row[1:])


def read_sums(name: str, sums: Row) -> CostLine:
    """From the columns of SUMS."""
    simulated, count, errors, *kinds, estimated, cost, unpriced = sums
    return CostLine(
        name=name,
        simulated=bool(simulated),
        requests=count,
        errors=errors,
        tokens=Tokens(*(*kinds, bool(estimated))),
        cost=cost,
        unpriced=unpriced,
    )


def _ended(since: float | None, until: float | None) -> Query:
    terms, values = ["state <> 'running'"], list[Any]()
    for bound, sign in ((since, ">="), (until, "<")):
        if bound is not None:
            terms.append(f"started_at {sign} ?")
            values.append(bound)
    return _where(terms), values


def _request_terms(filter: RequestFilter) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, Any]] = [
        ("started_at >= ?", filter.since),
        ("started_at < ?", filter.until),
        ("provider = ?", filter.provider or None),
        ("model = ?", filter.model or None),
        # Said twice: an index without the empty ones is used only where their absence is certain.
        ("session = ? AND session <> ''", filter.session or None),
        ("door = ?", filter.door or None),
        ("status >= ?", filter.status_from),
        ("simulated = ?", filter.simulated),
    ]
    terms = [term for term, value in wanted if value is not None]
    values = [value for _, value in wanted if value is not None]
    if filter.text:
        terms.append("(" + " OR ".join(f"{name} LIKE ? ESCAPE '\\'" for name in _SEARCHED) + ")")
        values += [_part(filter.text)] * len(_SEARCHED)
    return terms, values


def _log_terms(filter: LogFilter) -> tuple[list[str], list[Any]]:
    terms, values = list[str](), list[Any]()
    if filter.since is not None:
        terms.append("at >= ?")
        values.append(filter.since)
    if filter.level != "debug":
        terms.append("level >= ?")
        values.append(LEVELS.index(filter.level))
    if filter.source:
        terms.append("source = ?")
        values.append(filter.source)
    if filter.request:
        terms.append("request = ? AND request <> ''")  # as for sessions, below
        values.append(filter.request)
    if filter.text:
        terms.append("(message LIKE ? ESCAPE '\\' OR source LIKE ? ESCAPE '\\')")
        values += [_part(filter.text)] * 2
    return terms, values


def _part(text: str) -> str:
    """A LIKE pattern for anything that has `text` in it."""
    for sign in "\\%_":
        text = text.replace(sign, "\\" + sign)
    return f"%{text}%"


def _where(terms: list[str]) -> str:
    return " WHERE " + " AND ".join(terms) if terms else ""
