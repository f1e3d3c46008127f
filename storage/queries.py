"""The questions that a ledger is asked about single rows, as SQL. Sums are in costs.py.

Pure: text and parameters, no connection.
"""

# ruff: noqa: S608 - what is put into the text are column names of our own, never a value
from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from typing import Any, Final

from router.contract import RequestFilter
from storage.rows import ATTEMPT, DETAIL, HEALTH, OVERRIDE, REQUEST

Query = tuple[str, list[Any]]

#: no seq and no id is higher
LAST: Final = 2**63 - 1
_SEARCHED: Final = (
    "id",
    "sent_id",
    "asked",
    "provider",
    "model",
    "rule",
    "session",
    "agent",
    "client",
    "error",
    "door",
    "key",
)


def names(columns: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in columns)


REQUESTS: Final = f"SELECT {names((*REQUEST, 'seq'))} FROM request"
_BY_REFUSAL: Final = " INDEXED BY request_refused"
_DETAILS: Final = f"SELECT {names((*DETAIL, 'seq'))} FROM request"
#: said beside the value, so that the index of these alone is used
_REFUSED: Final = "status >= 400 AND "
ATTEMPTS: Final = f"SELECT {names(ATTEMPT)} FROM attempt WHERE request = ? ORDER BY number"
#: since, until: a tag of a request with several counts with each
TAGS: Final = (
    "SELECT tag.value, COUNT(*), COALESCE(SUM(cost), 0) FROM request, json_each(tags) AS tag"
    " WHERE tags <> '' AND started_at >= ? AND started_at < ? AND state <> 'running'"
    " AND simulated = 0 GROUP BY 1 ORDER BY 3 DESC, 2 DESC, 1"
)
#: the newest request's seq
NEWEST: Final = "SELECT COALESCE(MAX(seq), 0) FROM request"
KEPT: Final = "SELECT id, data FROM kept WHERE kind = ? ORDER BY id"
OVERRIDES: Final = f"SELECT {names(OVERRIDE)} FROM override ORDER BY set_at, id"


def requests(filter: RequestFilter, limit: int, before_seq: int | None) -> Query:
    """Rows for rows.read_request, newest first, of those before `before_seq`."""
    terms, values = _request_terms(filter)
    if before_seq is not None:
        terms.append("seq < ?")
        values.append(before_seq)
    index = _BY_REFUSAL if refused(filter) and not filter.session else ""
    return f"{REQUESTS}{index}{where(terms)} ORDER BY seq DESC LIMIT ?", [*values, limit]


def requests_in(filter: RequestFilter, limit: int, spans: Sequence[tuple[int, int]]) -> Query:
    """The same, of those whose seq is in one of `spans` (both ends inside)."""
    terms, values = _request_terms(filter)
    table = "request" + _BY_REFUSAL if refused(filter) else "request"
    place = (
        "(SELECT json_extract(value, '$[0]') AS low, json_extract(value, '$[1]') AS high"
        f" FROM json_each(?)) CROSS JOIN {table}"
    )
    return (
        f"SELECT {names((*REQUEST, 'seq'))} FROM {place}"
        f"{where(['seq BETWEEN low AND high', *terms])} ORDER BY seq DESC LIMIT ?",
        [json.dumps(spans), *values, limit],
    )


#: the newest request, up to which there is a gist, and up to which there is none
SEARCHED_TO: Final[Query] = (
    "SELECT COALESCE(MAX(seq), 0), (SELECT value FROM meta WHERE name = 'rolled_to'),"
    " (SELECT value FROM meta WHERE name = 'gist_from') FROM request",
    [],
)
#: Rows are numbered as they are first stored: at most as many as run at once come out of turn.
_TOGETHER: Final = 4_000


def first_since(since: float) -> Query:
    """The lowest seq of what began at or after a time; NULL for none."""
    return (
        "SELECT MIN(seq) FROM"
        " (SELECT seq FROM request WHERE started_at >= ? ORDER BY started_at LIMIT ?)",
        [since, _TOGETHER],
    )


def last_until(until: float) -> Query:
    """The highest seq of what began before a time; NULL for none."""
    return (
        "SELECT MAX(seq) FROM"
        " (SELECT seq FROM request WHERE started_at < ? ORDER BY started_at DESC LIMIT ?)",
        [until, _TOGETHER],
    )


def refused(filter: RequestFilter) -> bool:
    """Whether only what failed is asked for."""
    return filter.status_from is not None and filter.status_from >= 400


def words_of(filter: RequestFilter) -> list[str]:
    """What must stand in a request's words for it to match."""
    text = [filter.text] if filter.text else []
    named = (filter.provider, filter.model, filter.door, filter.key, filter.user)
    return [*text, *filter.words, *(name for name in named if name)]


def gist(filter: RequestFilter, after: int, most: int, upto: int) -> Query:
    """First and last seqs of where a match may be: the first up to `upto`, the last in (after,
    most], newest first."""
    words = words_of(filter)
    terms = ["last > ?", "last <= ?", "first <= ?", *["words LIKE ? ESCAPE '\\'"] * len(words)]
    return (
        f"SELECT first, last FROM gist{where(terms)} ORDER BY last DESC",
        [after, most, upto, *map(part, words)],
    )


def singles(filter: RequestFilter, limit: int, before: int) -> Query:
    """Seqs, in no order, of what the gist does not tell: what runs, and ids that begin with a word
    of the filter. At most the newest `limit` of each."""
    parts = ["SELECT seq FROM request WHERE state = 'running' AND seq < ?"]
    values: list[Any] = [before]
    for text in {filter.text, *filter.words} - {""}:
        for written in {text, text.lower(), text.upper()}:
            for name, there in (("id", ""), ("sent_id", " AND sent_id <> ''")):
                parts.append(
                    f"SELECT * FROM (SELECT seq FROM request WHERE {name} >= ? AND {name} < ?"
                    f"{there} AND seq < ? ORDER BY {name} DESC LIMIT ?)"
                )
                values += [written, written + "\U0010ffff", before, limit]
    return " UNION ".join(parts), values


def named(id: str) -> Query:
    """Rows for rows.read_request: those whose id begins so, or that a client sent with just this
    id; newest first."""
    return (
        f"{REQUESTS} WHERE seq IN ("
        "SELECT * FROM (SELECT seq FROM request WHERE id >= ? AND id < ? ORDER BY id DESC LIMIT 50)"
        " UNION ALL SELECT seq FROM request WHERE sent_id = ? AND sent_id <> ''"
        ") ORDER BY seq DESC LIMIT 50",
        [id, id + "\U0010ffff", id],
    )


def request(id: str) -> Query:
    """At most two rows for rows.read_detail: those that begin with `id`, an exact one first."""
    return (
        f"{_DETAILS} WHERE id >= ? AND id < ? ORDER BY id LIMIT 2",
        [id, id + "\U0010ffff"],
    )


def health(since: float, service: str, limit: int) -> Query:
    """Rows of HEALTH, newest first; `service` "" is all."""
    terms = ["at >= ?", *(["service = ?"] if service else [])]
    values = [since, *([service] if service else []), limit]
    return f"SELECT {names(HEALTH)} FROM health{where(terms)} ORDER BY at DESC LIMIT ?", values


def decisions(limit: int) -> Query:
    """Rows for rows.read_detail: completions that were answered, newest first."""
    return (
        f"{_DETAILS} WHERE state = 'done' AND endpoint = 'chat' ORDER BY seq DESC LIMIT ?",
        [limit],
    )


def _request_terms(filter: RequestFilter) -> tuple[list[str], list[Any]]:
    wanted: list[tuple[str, Any]] = [
        ("started_at >= ?", filter.since),
        ("started_at < ?", filter.until),
        ("provider = ?", filter.provider or None),
        ("model = ?", filter.model or None),
        # Said twice: an index without the empty ones is used only where their absence is certain.
        ("session = ? AND session <> ''", filter.session or None),
        ("door = ?", filter.door or None),
        ("key = ?", filter.key or None),
        ('"user" = ?', filter.user or None),
        (f"{_REFUSED if refused(filter) else ''}status >= ?", filter.status_from),
        ("simulated = ?", filter.simulated),
        ("duration_ms >= ?", filter.took_from),
        ("cost >= ?", filter.cost_from),
    ]
    terms = [term for term, value in wanted if value is not None]
    values = [value for _, value in wanted if value is not None]
    for word in (filter.text, *filter.words):
        if word:
            some = (f"{name} LIKE ? ESCAPE '\\'" for name in _SEARCHED)
            terms.append(f"({' OR '.join(some)})")
            values += [part(word)] * len(_SEARCHED)
    return terms, values


def part(text: str) -> str:
    """A LIKE pattern for anything that has `text` in it."""
    for sign in "\\%_":
        text = text.replace(sign, "\\" + sign)
    return f"%{text}%"


def where(terms: list[str]) -> str:
    return " WHERE " + " AND ".join(terms) if terms else ""
