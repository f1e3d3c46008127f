"""What a running router does by itself."""

from __future__ import annotations

import asyncio
from pathlib import Path

from router import upkeep


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
