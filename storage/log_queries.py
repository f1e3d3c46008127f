"""The questions that a ledger is asked about lines of the log, as SQL.

Pure: text and parameters, no connection. Its rule: what a filter turns around is just what it would
let through by itself, taken away: a line that is about no request has no status to be kept out by.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

from router.contract import LogFilter
from storage.queries import Query, names, part, where
from storage.rows import LEVELS, LOG

_LINES: Final = f"SELECT {names(('id', *LOG))} FROM log"
_FIGURES: Final = {
    "status": "status",
    "took": "duration_ms",
    "ttft": "ttft_ms",
    "cost": "cost",
    "in": "input + cache_read + cache_write + cache_write_1h",
    "out": "output",
    "tries": "attempts",
}


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
        return f"{_LINES}{where(terms)} ORDER BY id LIMIT ?", [*values, limit]
    newest = f"{_LINES}{where(terms)} ORDER BY id DESC LIMIT ?"
    return f"SELECT * FROM ({newest}) ORDER BY id", [*values, limit]


def log_ids(filter: LogFilter, after: int, upto: int) -> Query:
    """Every matching id of those in (after, upto], oldest first."""
    # not by the index of times: they are looked through by id
    terms, values = _log_terms(filter, time="+at")
    terms = ["id > ?", "id <= ?", *terms]
    return f"SELECT id FROM log{where(terms)} ORDER BY id", [after, upto, *values]


#: of the first line at or after a time (ids come in the order of time, but for a moment) and of the
#: last there is; both None where there is none
LOG_REACH: Final = (
    "SELECT (SELECT id FROM log WHERE at >= ? ORDER BY at LIMIT 1), (SELECT MAX(id) FROM log)"
)

#: whether their ids have no gap
LOG_WHOLE: Final = (
    "SELECT (SELECT COUNT(*) FROM log) = (SELECT MAX(id) FROM log) - (SELECT MIN(id) FROM log) + 1"
)


def log_lines(ids: Sequence[int]) -> Query:
    """Rows for rows.read_log, in no order."""
    return f"{_LINES} WHERE id IN ({', '.join('?' * len(ids))})", list(ids)


def _log_terms(filter: LogFilter, time: str = "at") -> tuple[list[str], list[Any]]:
    terms, values = list[str](), list[Any]()
    if filter.since is not None:
        terms.append(f"{time} >= ?")
        values.append(filter.since)
    if filter.until is not None:
        terms.append(f"{time} < ?")
        values.append(filter.until)
    if filter.level != "debug":
        terms.append("level >= ?" if filter.level == "info" else "level >= 2 AND level >= ?")
        values.append(LEVELS.index(filter.level))
    if filter.source:
        terms.append("source LIKE ? ESCAPE '\\'")
        values.append(_whole(filter.source) or part(filter.source)[1:])
    if filter.request:
        terms.append("request = ? AND request <> ''")  # as for sessions, below
        values.append(filter.request)
    for word in (*filter.words, *([filter.text] if filter.text else [])):
        terms.append("(message LIKE ? ESCAPE '\\' OR source LIKE ? ESCAPE '\\')")
        values += [part(word)] * 2
    about, held = _about(filter)
    if about:  # each line asks for its own: those of a short prefix may be most of millions
        its = where(["id = log.request", *about])
        terms.append(f"(request <> '' AND EXISTS (SELECT 1 FROM request{its}))")
        values += held
    for each in filter.each:
        more, held = _log_terms(each, time)
        terms += more
        values += held
    for one in filter.but:
        none, held = _log_terms(one, time)
        terms.append(f"NOT ({' AND '.join(none) or 'TRUE'})")
        values += held
    return terms, values


def _about(filter: LogFilter) -> tuple[list[str], list[Any]]:
    """What the request of a line must be like."""
    terms = [f"{_FIGURES[figure.name]} {figure.sign} ?" for figure in filter.figures]
    values: list[Any] = [figure.value for figure in filter.figures]
    if filter.model and (whole := _whole(filter.model)):
        terms.append("(model LIKE ? ESCAPE '\\' OR provider || ',' || model LIKE ? ESCAPE '\\')")
        values += [whole] * 2
    elif filter.model:
        terms.append("provider || ',' || model LIKE ? ESCAPE '\\'")
        values.append(part(filter.model))
    if filter.session:
        terms.append("session LIKE ? ESCAPE '\\' AND session <> ''")
        values.append(_whole(filter.session) or part(filter.session)[1:])
    return terms, values


def _whole(text: str) -> str:
    """A LIKE pattern for just what follows the "=" of `text`; "" where it has none."""
    return part(text[1:])[1:-1] if text[0] == "=" else ""
