"""The file of the log outlives what people and programs do to it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from router.log.file import LARGEST, OLDER, LogFile


@contextmanager
def opened(path: Path, largest: int = LARGEST) -> Iterator[LogFile]:
    file = LogFile(path, largest)
    try:
        yield file
    finally:
        file.close()


def test_one_that_was_moved_or_deleted_is_made_anew(tmp_path: Path) -> None:
    path = tmp_path / "logs" / "ccr.log"
    path.parent.mkdir()
    with opened(path) as file:
        file.put("one\ntwo")
        path.rename(path.with_suffix(".1"))  # as logrotate does it
        file.put("three")
        assert path.read_text() == "three\n"
        assert path.with_suffix(".1").read_text() == "one\ntwo\n"
        path.unlink()
        file.put("four")
        shutil.rmtree(path.parent)
        file.put("five")
        assert path.read_text() == "five\n"
        assert path.parent.stat().st_mode & 0o777 == 0o700


def test_a_disk_without_room_is_no_word_on_the_terminal(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "ccr.log").symlink_to("/dev/full")
    with opened(tmp_path / "ccr.log") as file:
        file.put("lost")
    assert capfd.readouterr() == ("", "")


def test_it_is_rotated_by_its_size(tmp_path: Path) -> None:
    with opened(tmp_path / "ccr.log", 100) as file:
        for number in range(12):
            file.put(f"{number} " + "x" * 40)
    names = sorted(path.name for path in tmp_path.iterdir())
    assert names == ["ccr.log", *(f"ccr.log.{n + 1}" for n in range(OLDER))]
    assert (tmp_path / "ccr.log").read_text().startswith("10 ")
