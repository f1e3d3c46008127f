"""What a running router does by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from router import upkeep
from router.pruning import EVERY, FIRST, LEAP, SET_RIGHT, Pruning


async def test_a_file_that_is_being_saved_is_waited_for(tmp_path: Path) -> None:
    there, gone, empty = tmp_path / "there", tmp_path / "gone", tmp_path / "empty"
    there.write_text("x")
    empty.touch()
    await upkeep.written({there})
    waiting = asyncio.create_task(upkeep.written({there, gone, empty}))
    await asyncio.sleep(0)
    assert not waiting.done()
    empty.write_text("x")
    gone.write_text("x")
    await waiting


def test_nothing_is_let_go_by_a_clock_that_has_leapt() -> None:
    pruning, wall, now = Pruning(1e9, 0.0), 1e9, 0.0
    assert not pruning.due(now)
    now += FIRST
    assert not pruning.leapt(wall + now, now)
    assert pruning.due(now)
    assert not pruning.due(now + EVERY - 1.0)
    now += EVERY
    wall += LEAP + 1.0
    assert pruning.leapt(wall + now, now)
    assert not pruning.leapt(wall + now, now), "it goes on from there"
    assert not pruning.due(now)
    wall -= LEAP + 1.0
    assert pruning.leapt(wall + now, now), "and back"
    assert not pruning.due(now + SET_RIGHT - 1.0)
    assert pruning.due(now + SET_RIGHT)
