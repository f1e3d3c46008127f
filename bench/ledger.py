"""The ledger at size: `python bench/ledger.py [--rows 5000000] [--folder DIR]`.

Makes a ledger of a month's traffic in a temporary folder, then asks it what the screens ask, each
question several times by the console's own reader. Times are also given as multiples of an index
probe of the same run on the same file, since a bare millisecond says more of the machine.
"""

from __future__ import annotations

import argparse
import asyncio
import sqlite3
import statistics
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent.parent))

from console.screens.logs import LOOK
from console.screens.sessions import PART
from router.contract import LogFilter, RequestFilter
from storage import database
from storage.readers import Archive
from storage.store import Store
from storage.writer import TAIL

DAYS = 30
DAY = 86_400
#: rows made in one transaction
CHUNK = 100_000
#: of a question; the median counts
TIMES = 5
#: milliseconds that a screen may wait
BOUND = 100

#: Sessions of about 250 requests over some two hours, of 8 keys, 12 projects and 10 models; one
#: request in 50 was retried, one in 60 fell back, one in 40 is unpriced.
_REQUESTS = """
WITH RECURSIVE n(i) AS (SELECT ?1 UNION ALL SELECT i + 1 FROM n WHERE i + 1 < ?2),
made AS (SELECT i, (i * 2654435761) % 1000003 AS r, i / 3000 * 12 + i % 12 AS s FROM n)
INSERT INTO request (seq, id, started_at, state, door, dialect, client, session, agent, key,
    endpoint, asked, provider, model, simulated, rule, value, stream, status, input, cache_read,
    cache_write, cache_write_1h, output, reasoning, estimated, cost, attempts, ttft_ms, duration_ms,
    error, looks, facts, project)
SELECT i + 1, printf('req_%011x%010x', i, r), ?3 + i * ?4,
    CASE WHEN r % 97 = 0 THEN 'failed' ELSE 'done' END,
    CASE s % 3 WHEN 0 THEN 'claude-code' WHEN 1 THEN 'ccr' ELSE 'litellm' END, 'anthropic_messages',
    'claude-cli/2.1.330', CASE WHEN s % 9 = 0 THEN '' ELSE printf('%08x-5f1c-4c55', s) END, '',
    printf('key-%08x', s % 8), 'chat', 'claude-sonnet-5-5', 'provider' || (s % 4),
    'model-' || ((s + (r % 13 = 0)) % 10), 0, 'default', 'claude-sonnet-5-5', 1,
    CASE WHEN r % 97 = 0 THEN 529 ELSE 200 END, r % 4000, r % 50000, r % 900, 0, r % 1200, r % 300,
    0, CASE WHEN r % 40 = 0 THEN NULL ELSE r * 37 END, 1 + (r % 50 = 0), 300.0, 2500.0, '',
    '[{"rule":"default","value":"claude-sonnet-5-5","hit":true,"target":"a,b"}]',
    '{"tokens":4000,"messages":12,"tools":14}', 'project-' || (s % 12)
FROM made
"""
_ATTEMPTS = """
INSERT INTO attempt (request, number, provider, model, started_at, simulated, status, outcome,
    error, first_byte_ms, duration_ms, input, cache_read, cache_write, cache_write_1h, output,
    reasoning, estimated, cost, reason, spend_input, spend_output, price)
SELECT r.seq, n.value, CASE WHEN n.value < r.attempts AND r.seq % 3 = 0 THEN 'other'
    ELSE r.provider END, r.model, r.started_at, 0, r.status,
    CASE WHEN n.value < r.attempts THEN 'overload' ELSE 'ok' END, '', 300.0, 2500.0,
    r.input * (n.value = r.attempts), r.cache_read * (n.value = r.attempts),
    r.cache_write * (n.value = r.attempts), 0, r.output * (n.value = r.attempts), 0, 0,
    CASE WHEN n.value = r.attempts THEN r.cost ELSE 0 END, 'rule default',
    COALESCE(r.cost, 0) * (n.value = r.attempts), 0, 'genai-prices 0.2.3'
FROM request r JOIN json_each('[1,2]') n ON n.value <= r.attempts
WHERE r.seq > ?1 AND r.seq <= ?2
"""
_LOGS = """
INSERT INTO log (at, level, source, message, request, simulated)
SELECT started_at, CASE WHEN status = 529 THEN 2 ELSE 1 END, 'exchange',
    door || ' claude-sonnet-5-5 → ' || provider || ',' || model || ' ' || state, id, 0
FROM request WHERE seq > ?1 AND seq <= ?2
"""


def make(path: Path, rows: int, now: float) -> None:
    """A month that ends now. Without syncs: the file is thrown away."""
    db = database.open_for_writing(path)
    db.execute("PRAGMA synchronous = OFF")
    store = Store(db)
    step = DAYS * DAY / rows
    for start in range(0, rows, CHUNK):
        end = min(start + CHUNK, rows)
        db.execute("BEGIN")
        db.execute(_REQUESTS, (start, end, now - DAYS * DAY, step))
        db.execute(_ATTEMPTS, (start, end))
        if end > rows - 1_000_000:  # the log is kept for as long, but is no longer than this
            db.execute(_LOGS, (start, end))
        for upto in range(start + TAIL, end + 1 if end < rows else max(end - 4_000, 0) + 1, TAIL):
            store.roll(upto)
            store.rolled = upto
        db.execute("COMMIT")
    db.close()


async def ask(path: Path, now: float) -> int:
    """Prints each question's time; returns how many were too slow."""
    archive = Archive(path)
    midnight = now // DAY * DAY
    newest = (await archive.requests(RequestFilter(), 1))[0]
    since = {"today": midnight, "7 d": midnight - 6 * DAY, "30 d": midnight - 29 * DAY}
    month = since["30 d"]
    questions: list[tuple[str, Callable[[], Awaitable[object]]]] = [
        (f"costs {period} by {by}", partial(archive.costs, at, now, by))
        for period, at in since.items()
        for by in ("model", "provider", "key", "session", "project", "rule", "outcome", "day")
    ]
    questions += [
        (
            "30 d by session, the dearest 200",
            lambda: archive.costs(month, now, "session", 200),
        ),
        ("costs since a minute of a day", lambda: archive.costs(now - 6.31 * DAY, now - 1_234)),
        ("hours of 30 d", lambda: archive.cost_series(month, now, "hour")),
        ("days of 30 d by model", lambda: archive.cost_series(month, now, "day", "model")),
        ("quarters of today by key", lambda: archive.cost_series(midnight, now, "quarter", "key")),
        ("totals of today", lambda: archive.totals(midnight)),
        ("newest requests", lambda: archive.requests(RequestFilter(), 200)),
        ("an older page", lambda: archive.requests(RequestFilter(), 200, newest.seq // 2)),
        ("requests of a model", lambda: archive.requests(RequestFilter(model="model-3"), 200)),
        ("errors", lambda: archive.requests(RequestFilter(status_from=400), 200)),
        ("no such model", lambda: archive.requests(RequestFilter(model="gone"), 200)),
        ("no such word", lambda: archive.requests(RequestFilter(text="no such word"), 200)),
        ("one session", lambda: archive.requests(RequestFilter(session=newest.session), 200)),
        ("one request", lambda: archive.request(newest.id)),
        ("sessions of late", lambda: archive.sessions(50)),
        ("rules of today", lambda: archive.hits(midnight)),
        ("newest log lines", lambda: archive.logs(LogFilter(), 200)),
        ("warnings", lambda: archive.logs(LogFilter(level="warning"), 200)),
        ("whether the log has gaps", archive.log_whole),
        ("a part of the log's ids", lambda: archive.log_ids(LogFilter(), 0, 20_000)),
        ("every warning's id", lambda: archive.log_ids(LogFilter(level="warning"))),
    ]
    some, last = await archive.sessions(PART), (await archive.log_reach())[1]
    questions += [
        ("branches of some sessions", lambda: archive.branches(some)),
        (
            "a part of the log by session",
            lambda: archive.log_ids(LogFilter(session="0"), last - LOOK, last),
        ),
        (
            "a part of the log by model",
            lambda: archive.log_ids(LogFilter(model="model-3"), last - LOOK, last),
        ),
        ("where those stand", lambda: archive.newest(some)),
    ]
    probe = await _median(lambda: archive._one("SELECT seq FROM request WHERE seq = 1", 0))
    print(f"{'an index probe':<34} {probe:9.2f} ms")
    slow = 0
    for name, question in questions:
        took = await _median(question)
        slow += took > BOUND
        mark = "  over" if took > BOUND else ""
        print(f"{name:<34} {took:9.2f} ms {took / probe:9.0f} probes{mark}")
    await archive.close()
    return slow


async def _median(question: Callable[[], Awaitable[object]]) -> float:
    """Milliseconds."""
    took: list[float] = []
    for _ in range(TIMES):
        start = time.perf_counter()
        await question()
        took.append((time.perf_counter() - start) * 1000)
    return statistics.median(took)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--rows", type=int, default=5_000_000)
    parser.add_argument("--folder", type=Path, help="keeps the ledger there, and uses one it finds")
    given = parser.parse_args()
    with tempfile.TemporaryDirectory() as temporary:
        path = (given.folder or Path(temporary)) / "ledger.db"
        now = time.time()
        if not path.exists():
            start = time.perf_counter()
            make(path, given.rows, now)
            took, size = time.perf_counter() - start, path.stat().st_size / 1e6
            print(f"{given.rows:,} requests made in {took:.0f} s, {size:,.0f} MB")
        else:
            with sqlite3.connect(path) as db:
                (now,) = db.execute("SELECT MAX(started_at) FROM request").fetchone()
        return min(asyncio.run(ask(path, now)), 1)


if __name__ == "__main__":
    sys.exit(main())
