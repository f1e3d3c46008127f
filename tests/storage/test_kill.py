"""kill -9 under load: whatever was acknowledged is there, and the file is whole."""

from __future__ import annotations

import os
import random
import subprocess
import sys
from pathlib import Path

import pytest

from storage.writer import Ledger
from tests.storage.make import stored


def _kill_in_the_middle(path: Path, prefix: str, commits: int, delay: float) -> int:
    """Runs a writer until it has acknowledged `commits` times and then for `delay` seconds more;
    returns how many requests it had acknowledged when it was killed."""
    victim = subprocess.Popen(
        [sys.executable, "-m", "tests.storage.victim", str(path), prefix], stdout=subprocess.PIPE
    )
    assert victim.stdout is not None
    try:
        for _ in range(commits):
            assert victim.stdout.readline()
        try:
            victim.wait(delay)
        except subprocess.TimeoutExpired:
            pass
        else:
            pytest.fail("the writer ended by itself")
    finally:
        victim.kill()
    lines = victim.stdout.read().split(b"\n")[:-1]
    victim.stdout.close()
    victim.wait()
    return int(lines[-1]) if lines else commits * 100


def _survives(path: Path, kills: int, seed: int) -> None:
    chance = random.Random(seed)
    acknowledged: dict[str, int] = {}
    for kill in range(kills):
        prefix = f"k{kill}"
        acknowledged[prefix] = _kill_in_the_middle(
            path, prefix, chance.randint(1, 6), chance.uniform(0, 0.03)
        )
    Ledger(path).close()  # recovers, and interrupts what was running
    assert stored(path, "PRAGMA integrity_check") == [("ok",)]
    done = "SELECT substr(id, 1, instr(id, '_') - 1), COUNT(*), MAX(cost) FROM request"
    rows = stored(path, f"{done} WHERE state = 'done' GROUP BY 1")
    found = {prefix: (count, highest) for prefix, count, highest in rows}
    for prefix, promised in acknowledged.items():
        count, highest = found[prefix]
        assert count >= promised
        assert count == highest  # no hole: what came first was written first
    running = "SELECT COUNT(*) FROM request WHERE state = 'running'"
    assert stored(path, running) == [(0,)]
    lost = "SELECT COUNT(*) FROM request WHERE seq NOT IN (SELECT request FROM attempt)"
    assert stored(path, lost) == [(0,)]
    assert stored(path, "SELECT MAX(seq) = COUNT(*) FROM request") == [(1,)]


def test_M06_kill_under_load(tmp_path: Path) -> None:
    _survives(tmp_path / "ledger.db", kills=10, seed=1)


@pytest.mark.long
@pytest.mark.timeout(600)
def test_kill_under_load_200_times(tmp_path: Path) -> None:
    _survives(tmp_path / "ledger.db", kills=200, seed=int.from_bytes(os.urandom(4)))
