"""What the writer promises: nothing waits for it, nothing is lost silently, one row a request."""

from __future__ import annotations

import os
import sqlite3
import threading
from pathlib import Path

import pytest

from router.contract import Tokens, Totals
from storage.database import LedgerError
from storage.writer import Ledger
from tests.storage.make import attempt, detail, ledger, line, modes, override, stored, view


def test_a_long_request_is_one_row_whose_attempts_are_replaced(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path) as book:
        book.request(detail("r_1", state="running", cost=None))
        book.request(detail("r_2"))
        assert book.flush(5)
        again = detail("r_1", status=500, state="failed", cost=0)
        book.request(type(again)(again.request, again.looks, (attempt(1, outcome="timeout"),)))
        book.request(detail("r_3"))
        assert book.flush(5)
        assert stored(path, "SELECT seq, id, state, status, cost FROM request ORDER BY seq") == [
            (1, "r_1", "failed", 500, 0),
            (2, "r_2", "done", 200, 1_234_567),
            (3, "r_3", "done", 200, 1_234_567),
        ]
        assert stored(path, "SELECT number, outcome FROM attempt WHERE request = 1") == [
            (1, "timeout")
        ]
        assert stored(path, "SELECT COUNT(*) FROM attempt") == [(5,)]
        assert (book.dropped, book.failed, book.trouble, book.waiting) == (0, 0, "", 0)


def test_an_unknown_price_is_null_and_a_free_one_is_zero(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path) as book:
        for id, cost in (("unknown", None), ("free", 0), ("paid", 7)):
            book.request(detail(id, cost=cost))
        book.request(detail("played", cost=900, simulated=True))
        book.request(detail("running", cost=5, state="running"))
        assert book.flush(5)
        assert stored(path, "SELECT cost FROM request ORDER BY seq LIMIT 3") == [
            (None,),
            (0,),
            (7,),
        ]
        one = view("x").tokens
        assert book.today(0) == Totals(
            requests=3,
            errors=0,
            tokens=Tokens(
                3 * one.input,
                3 * one.cache_read,
                3 * one.cache_write,
                3 * one.cache_write_1h,
                3 * one.output,
                3 * one.reasoning,
                estimated=True,
            ),
            cost=7,
            unpriced=1,
            simulated_requests=1,
            simulated_cost=900,
        )
        assert book.today(1000.6) == Totals()


def test_what_a_killed_router_left_running_is_interrupted(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path) as book:
        running = detail("r_1", state="running")
        book.request(type(running)(running.request, (), (attempt(1), attempt(2, outcome=""))))
        book.request(detail("r_2"))
    with ledger(path):
        left = "the router ended while this ran"
        assert stored(path, "SELECT state, error FROM request ORDER BY seq") == [
            ("interrupted", left),
            ("done", ""),
        ]
        assert stored(path, "SELECT outcome, error FROM attempt WHERE request = 1") == [
            ("overload", "busy"),
            ("ours", left),
        ]


def test_overrides_outlive_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    full = override("o_1", scope="session:s", expires_at=9.5, set_by="ada", forced=True, served=1)
    with ledger(path) as book:
        book.override(full)
        book.override(override("o_2", set_at=2.0))
        book.override(override("o_3", set_at=3.0))
        book.override(override("o_2", set_at=2.0, served=7))
        book.clear_override("o_3")
        assert book.kept_overrides() == [] or book.flush(5)
    with ledger(path) as book:
        assert book.kept_overrides() == [full, override("o_2", set_at=2.0, served=7)]


def test_a_full_queue_drops_and_counts_and_keeps_the_older_rows(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path, bound=100) as book:
        # Another program holds the file: nothing can be written meanwhile.
        holder = sqlite3.connect(path, isolation_level=None)
        holder.execute("BEGIN IMMEDIATE")
        for number in range(150):
            book.log(line(str(number)))
        assert (book.dropped, book.waiting) == (50, 100)
        assert not book.flush(0.01)
        holder.execute("ROLLBACK")
        holder.close()
        assert book.flush(10)
        assert [text for (text,) in stored(path, "SELECT message FROM log ORDER BY id")] == [
            str(number) for number in range(100)
        ]


def test_a_row_that_cannot_be_stored_is_counted_and_the_others_are_kept(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path) as book:
        book.request(detail("ok"))
        book.request(detail("too dear", cost=2**63))
        book.log(line("a lone surrogate \ud83c here"))
        book.request(detail("r_3", error="\udcff"))
        assert book.flush(5)
        assert stored(path, "SELECT id, error FROM request ORDER BY seq") == [
            ("ok", ""),
            ("r_3", "?"),
        ]
        assert stored(path, "SELECT message FROM log") == [("a lone surrogate ? here",)]
        assert (book.failed, book.dropped, book.trouble) == (1, 0, "")
        assert "RequestDetail" in book.last_error


def test_its_files_are_readable_by_their_owner_alone(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.touch(mode=0o644)
    before = os.umask(0)
    try:
        with ledger(path) as book:
            book.request(detail("r_1"))
            assert book.flush(5)
            names = {file.name for file in tmp_path.iterdir()}
            made = modes(tmp_path)
    finally:
        os.umask(before)
    assert names == {"ledger.db", "ledger.db-wal", "ledger.db-shm"}
    assert made == {0o600}
    assert [name.name for name in tmp_path.iterdir()] == ["ledger.db"]  # folded in on close


def test_a_file_that_is_no_ledger_is_refused_by_name(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_text("this is a letter, and quite a long one at that; " * 50)
    with pytest.raises(LedgerError, match=r"ledger\.db: .*not a database.* move `ledger"):
        Ledger(path)
    with pytest.raises(LedgerError, match="cannot be opened"):
        Ledger(tmp_path / "nowhere" / "ledger.db")


def test_M06_retention_deletes_in_batches_and_keeps_the_newest_number(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path) as book:
        for number in range(1200):
            book.request(detail(f"old {number}", started_at=10.0 + number / 1e4))
            book.log(line(f"old {number}", at=10.0))
        book.request(detail("new", started_at=5000.0))
        book.log(line("new", at=5000.0))
        assert book.flush(20)
        book.prune(999.0)
        _wait_until(lambda: stored(path, "SELECT COUNT(*) FROM log") == [(1,)])
        assert stored(path, "SELECT id FROM request") == [("new",)]
        assert stored(path, "SELECT DISTINCT request FROM attempt") == [(1201,)]
        assert stored(
            path, "SELECT MIN(value) FROM meta WHERE name LIKE '%_to' AND name <> 'rolled_to'"
        ) == [(900,)]
        book.prune(9000.0)
        _wait_until(lambda: stored(path, "SELECT COUNT(*) FROM log") == [(0,)])
        book.request(detail("next", started_at=9999.0))
        book.log(line("next", at=9999.0))
        assert book.flush(5)
        assert stored(path, "SELECT seq, id FROM request")[-1] == (1202, "next")
        assert stored(path, "SELECT id FROM log") == [(1202,)]
        assert stored(path, "PRAGMA freelist_count") == [(0,)]


def test_a_file_that_is_too_large_loses_its_oldest(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path, tail=300) as book:
        for number in range(3_000):
            book.request(detail(f"r_{number}", started_at=10_000.0 + number, error="x" * 400))
        assert book.flush(20)
        (whole,) = stored(path, "PRAGMA page_count")[0]
        book.prune(0.0, most=whole * 4096 // 2)
        _wait_until(lambda: stored(path, "PRAGMA page_count")[0][0] <= whole // 2)
        assert stored(path, "SELECT MAX(seq) FROM request") == [(3_000,)]
        kept = stored(path, "SELECT COUNT(*), SUM(cost) FROM request")
        assert 500 < kept[0][0] < 2_500
        book.request(detail("next", started_at=13_000.0))
        assert book.flush(5)
        (horizon,) = stored(path, "SELECT value FROM meta WHERE name = 'pruned_to'")[0]
        assert horizon > 10_000
        assert book.today(horizon).requests == kept[0][0] + 1
        assert book.today(horizon).cost == kept[0][1] + 1_234_567


def test_calls_from_many_threads_are_all_stored(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with ledger(path) as book:

        def write() -> None:
            for _ in range(500):
                book.log(line("x"))

        writers = [threading.Thread(target=write) for _ in range(4)]
        for writer in writers:
            writer.start()
        for writer in writers:
            writer.join()
        assert book.flush(10)
        assert stored(path, "SELECT COUNT(*) FROM log") == [(2000,)]


def _wait_until(true: object) -> None:
    """Polls; the test's own time limit is the bound."""
    assert callable(true)
    turn = threading.Event()
    while not true():
        turn.wait(0.02)
