"""Structs and tables agree, and migrations are applied once, in order, whole or not at all."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path
from typing import get_args

import pytest

from router.contract import Facts, LogFilter, RequestDetail, RequestFilter
from storage import costs, database, log_queries, queries, rows, statements
from storage.costs import Grouping
from storage.database import LedgerError
from storage.readers import Archive
from storage.writer import Ledger
from tests.storage.make import attempt, detail, ledger, line, override, stored, view


@pytest.fixture
def made(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    Ledger(path).close()
    return path


@pytest.mark.parametrize(
    ("table", "columns"),
    [
        ("request", ("seq", *rows.DETAIL)),
        ("attempt", ("request", *rows.ATTEMPT)),
        ("log", ("id", *rows.LOG)),
        ("override", rows.OVERRIDE),
    ],
)
def test_every_field_has_its_column(made: Path, table: str, columns: tuple[str, ...]) -> None:
    """A field new in the contract needs a migration: this is the test that says so."""
    found = stored(made, f"SELECT name FROM pragma_table_info('{table}')")
    assert sorted(name for (name,) in found) == sorted(columns)


def test_rows_are_what_the_structs_say() -> None:
    whole = detail("r_1")
    row = rows.request_row(whole)
    assert dict(zip(rows.DETAIL, row, strict=True))["cache_write_1h"] == 4000
    pieces = [rows.attempt_row(one, "r_1")[1:] for one in whole.attempts]
    assert rows.read_detail((*row, 0), pieces) == whole
    assert rows.read_request((*row[:-2], 5)) == view("r_1", seq=5)
    assert rows.attempt_row(attempt(3), "r_1")[:2] == ("r_1", 3)
    assert rows.read_log((9, *rows.log_row(line("x", level="warning")))) == line(
        "x", id=9, level="warning"
    )
    assert rows.read_override(rows.override_row(override("o", problem="gone"))) == override("o")


def test_text_that_is_no_text_is_made_legal() -> None:
    broken = RequestDetail(view("a\ud800b"), facts=Facts(tokens=3, thinking="\udfff"))
    assert rows.legal(broken) == RequestDetail(view("a?b"), facts=Facts(tokens=3, thinking="?"))


def test_migrations_are_applied_in_order_and_whole(tmp_path: Path, made: Path) -> None:
    schema = tmp_path / "schema"
    shutil.copytree(database.SCHEMA, schema)
    (schema / "9003_third.sql").write_text("INSERT INTO second VALUES (3);")
    (schema / "9002_second.sql").write_text("CREATE TABLE second (x); -- a comment at its end")
    (schema / "notes.txt").write_text("not a migration")
    with closing(database.open_for_writing(made)) as db:
        database.migrate(db, schema)
        database.migrate(db, schema)
        assert db.execute("SELECT x FROM second").fetchall() == [(3,)]
        assert database.version(db) == 9003

        broken = "CREATE TABLE fourth (x); INSERT INTO nowhere VALUES (1);"
        (schema / "9004_broken.sql").write_text(broken)
        with pytest.raises(sqlite3.OperationalError, match="no such table: nowhere"):
            database.migrate(db, schema)
        assert db.execute("SELECT name FROM sqlite_master WHERE name = 'fourth'").fetchall() == []
        assert (database.version(db), db.in_transaction) == (9003, False)
    with pytest.raises(
        LedgerError, match=r"ledger\.db: .*schema 9003, this one knows \d+.*update this"
    ):
        Ledger(made)


#: of the first schema: one that was retried, one unpriced, one that still ran
_OLD = """
INSERT INTO request VALUES
    (1, 'r_1', 1e9, 'done', 'ccr', 'd', 'c', 's', '', 'k', 'chat', 'm', 'p', 'm', 0, 'default', 'v',
     1, 200, 5, 0, 0, 0, 7, 0, 0, 70, 2, 1.0, 2.0, '', '[]', '{}'),
    (2, 'r_2', 1e9 + 90000, 'done', 'ccr', 'd', 'c', 's', '', 'k', 'chat', 'm', 'p', 'n', 0, '',
     'v', 1, 200, 5, 0, 0, 0, 7, 0, 0, NULL, 1, 1.0, 2.0, '', '[]', '{}'),
    (3, 'r_3', 1e9 + 90001, 'running', 'ccr', 'd', 'c', 's', '', 'k', 'chat', 'm', 'p', 'n', 0, '',
     'v', 1, NULL, 0, 0, 0, 0, 0, 0, 0, 0, 0, NULL, NULL, '', '[]', '{}');
INSERT INTO attempt VALUES
    (1, 1, 'p', 'm', 1e9, 0, 529, 'overload', 'e', 1.0, 2.0, 0, 0, 0, 0, 0, 0, 0, 0, 'r'),
    (1, 2, 'p', 'm', 1e9, 0, 200, 'ok', '', 1.0, 2.0, 5, 0, 0, 0, 7, 0, 0, 70, 'r'),
    (2, 1, 'p', 'n', 1e9 + 90000, 0, 200, 'ok', '', 1.0, 2.0, 5, 0, 0, 0, 7, 0, 0, NULL, 'r');
"""


async def test_M04_a_ledger_of_the_first_schema_ends_as_a_new_one(
    tmp_path: Path, made: Path
) -> None:
    first = tmp_path / "first"
    first.mkdir()
    shutil.copy(database.SCHEMA / "0001_ledger.sql", first)
    old = tmp_path / "old.db"
    with closing(sqlite3.connect(old)) as db:
        db.executescript("PRAGMA auto_vacuum = INCREMENTAL; PRAGMA journal_mode = WAL;")
        database.migrate(db, first)
        db.executescript(_OLD)
    with ledger(old, tail=1) as book:  # what comes next brings the old rows among the sums
        book.request(detail("new", started_at=1e9 + 90002))
        assert book.flush(5)
    for what in ("name FROM sqlite_master ORDER BY 1",
                 "m.name, c.* FROM sqlite_master m, pragma_table_xinfo(m.name) c"
                 " WHERE m.type = 'table' ORDER BY 1, 2"):  # fmt: skip
        assert stored(old, f"SELECT {what}") == stored(made, f"SELECT {what}")
    assert stored(old, "SELECT value FROM meta WHERE name = 'rolled_to'") == [(4,)]
    archive = Archive(old)
    for by in get_args(Grouping):
        lines = [line for line in await archive.costs(by=by) if not line.simulated]
        found = [sum(line.cost for line in lines), sum(line.unpriced for line in lines)]
        assert found[0] == 70 + 1_234_567, by
        assert found[1] == 1, by
    await archive.close()


def test_the_queries_of_every_screen_use_an_index(made: Path) -> None:
    asked = [
        queries.requests(RequestFilter(), 200, 5),
        queries.requests(RequestFilter(session="s"), 200, None),
        queries.request("req_"),
        costs.totals(5.0),
        costs.costs(5.0, 9e6, "model", []),
        (queries.ATTEMPTS, [5]),
        log_queries.logs(LogFilter(), 200, 5, None),
        log_queries.logs(LogFilter(), 200, None, None),
        log_queries.logs(LogFilter(request="r"), 200, None, None),
        log_queries.log_lines([1, 2]),
        *((sql, [5, 6]) for sql in statements.PRUNE),
        (statements.INTERRUPT_REQUESTS, ["x"]),
    ]
    with closing(sqlite3.connect(made)) as db:
        plans = {
            sql: [row[-1] for row in db.execute(f"EXPLAIN QUERY PLAN {sql}", values)]
            for sql, values in asked
        }
    # The newest rows are read from the end, and those that run from an index of nothing else.
    fine = ("SCAN log", "USING INDEX request_running", "USING COVERING INDEX request_running")
    slow = {
        sql: step
        for sql, steps in plans.items()
        for step in steps
        if step.startswith("SCAN") and not step.endswith(fine) and "SCAN (sub" not in step
    }
    assert slow == {}


def test_an_update_that_takes_long_says_so_now_and_then() -> None:
    times, told = iter((100.0, 104.0, 105.5, 107.0, 111.0)), list[float]()
    step = database.teller(told.append, lambda: next(times))
    assert [step() for _ in range(4)] == [0, 0, 0, 0]
    assert told == [5.5, 11.0]
