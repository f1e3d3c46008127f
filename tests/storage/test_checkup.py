"""A ledger's file that is not in order is told, with what to do, before a start fails on it."""

from __future__ import annotations

import contextlib
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest

from router.contract import LogLine
from storage.checkup import ailment
from storage.database import newest
from storage.writer import Ledger


def grown(path: Path) -> None:
    book = Ledger(path)
    for number in range(300):
        book.log(LogLine(0, float(number), "info", "test", "a line of some length " * 8))
    assert book.flush(5.0)
    book.close()


def overwritten(path: Path) -> None:
    data = bytearray(path.read_bytes())
    for at in range(8192, len(data) - 100, 4096):
        data[at : at + 60] = b"\xff" * 60
    path.write_bytes(data)


def of_the_future(path: Path) -> None:
    connection = sqlite3.connect(path)
    connection.execute(f"PRAGMA user_version = {newest() + 1}")
    connection.close()


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda path: None, ""),
        (lambda path: path.unlink(), ""),
        (lambda path: path.write_text("hello"), "it is damaged"),
        (overwritten, "it is damaged"),
        (of_the_future, f"schema {newest() + 1}, this one knows {newest()}"),
    ],
)
def test_what_a_file_suffers_from(
    tmp_path: Path, harm: Callable[[Path], object], words: str
) -> None:
    path = tmp_path / "ledger.db"
    grown(path)
    harm(path)
    told = ailment(path)
    assert words in told
    assert bool(told) is bool(words)


def test_a_file_that_takes_long_is_looked_through_in_part(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with contextlib.closing(sqlite3.connect(path)) as connection:
        connection.execute("CREATE TABLE long (n)")
        numbers = "SELECT 1 UNION ALL SELECT n + 1 FROM c WHERE n < 50000"
        connection.execute(f"INSERT INTO long WITH RECURSIVE c(n) AS ({numbers}) SELECT n FROM c")
        connection.commit()
    assert ailment(path, seconds=-1.0) == "", "it was broken off, which is no harm"
