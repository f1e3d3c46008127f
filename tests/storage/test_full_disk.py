"""A disk with no room: nothing waits, rows wait in the queue, and it recovers by itself."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from storage.database import LedgerError, open_for_writing
from storage.writer import Ledger
from tests.storage.make import detail, stored


@pytest.fixture
def small_disk(tmp_path: Path) -> Iterator[Path]:
    """A file system of 24 MiB of its own."""
    folder = tmp_path / "disk"
    folder.mkdir()
    mount = ["mount", "-t", "tmpfs", "-o", "size=24m,mode=0700", "tmpfs", str(folder)]
    if os.geteuid() != 0 or subprocess.run(mount, capture_output=True).returncode != 0:
        pytest.skip("a small file system can only be mounted by root")
    try:
        yield folder
    finally:
        subprocess.run(["umount", "-l", str(folder)], check=True)


def _fill_and_free(path: Path, fill: object, free: object) -> None:
    assert callable(fill)
    assert callable(free)
    book = Ledger(path, bound=2000)
    for number in range(100):
        book.request(detail(f"before_{number}"))
    assert book.flush(10)
    fill()
    for number in range(3000):
        book.request(detail(f"during_{number}"))
    assert not book.flush(1.0)
    assert book.trouble == book.last_error != ""
    assert book.dropped == 3000 - 2000
    assert book.failed == 0
    free()
    assert book.flush(20)
    assert book.trouble == ""
    book.request(detail("after"))
    assert book.flush(10)
    book.close()
    assert stored(path, "PRAGMA integrity_check") == [("ok",)]
    count = "SELECT COUNT(*) FROM request WHERE id LIKE"
    assert stored(path, f"{count} 'before_%'") == [(100,)]
    assert stored(path, f"{count} 'during_%'") == [(2000,)]
    assert stored(path, f"{count} 'after'") == [(1,)]


def test_a_full_file_system(small_disk: Path) -> None:
    ballast = small_disk / "ballast"

    def fill() -> None:
        room = os.statvfs(small_disk)
        ballast.write_bytes(b"x" * (room.f_bavail * room.f_frsize))

    _fill_and_free(small_disk / "ledger.db", fill, ballast.unlink)
    fill()  # to SQLite it is an I/O error now: nobody is to move a healthy file away for it
    with pytest.raises(LedgerError, match="disk is full"):
        open_for_writing(small_disk / "ledger.db").execute("SELECT * FROM request")


def test_a_limit_on_the_size_of_files(tmp_path: Path) -> None:
    """As by a quota; in a process of its own, since the limit holds for all that it writes."""
    told = subprocess.run(
        [sys.executable, "-m", "tests.storage.test_full_disk", str(tmp_path / "ledger.db")],
        capture_output=True,
        text=True,
        timeout=60,
    )
    assert (told.returncode, told.stderr) == (0, "")


def _with_limit(path: Path) -> None:
    _, hard = resource.getrlimit(resource.RLIMIT_FSIZE)

    def limit(size: int) -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (size, hard))

    def fill() -> None:
        limit(max(file.stat().st_size for file in path.parent.iterdir()))

    _fill_and_free(path, fill, lambda: limit(hard))


if __name__ == "__main__":
    _with_limit(Path(sys.argv[1]))
