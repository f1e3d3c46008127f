"""A change of a file is told, however an editor makes it; other files in its folder are not."""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from router.config import Flags, files, watch
from tests.router.config.conftest import House


def _write(path: Path) -> None:
    path.write_text("{}")


def _rename_over(path: Path) -> None:
    fresh = path.with_suffix(".new")
    fresh.write_text("{}")
    fresh.replace(path)


def _remove(path: Path) -> None:
    path.unlink()


@pytest.mark.parametrize("edit", [_write, _rename_over, _remove])
async def test_every_way_of_saving_is_seen(house: House, edit: object) -> None:
    house.write(ccr="{ }")
    assert callable(edit)
    changes = watch(files(house.home, Flags()))
    first = asyncio.ensure_future(anext(changes))
    for _ in range(100):  # the watcher begins in its own time: edit until it has seen one
        (house.home.config / "unrelated.txt").write_text("x")
        if not house.home.ccr_json.exists():
            house.write(ccr="{ }")
        edit(house.home.ccr_json)
        done, _pending = await asyncio.wait({first}, timeout=0.3)
        if done:
            break
    assert await first == {house.home.ccr_json}
    await changes.aclose()  # type: ignore[attr-defined]


def test_the_files_are_those_that_load_looks_at(house: House, tmp_path: Path) -> None:
    usual = files(house.home, Flags(directory=tmp_path))
    assert usual == [
        house.home.toml,
        house.home.ccr_json,
        house.home.price_map,
        house.home.litellm_models,
        tmp_path / "litellm-config.yaml",
        house.home.litellm_yaml,
    ]
    named = files(house.home, Flags(directory=tmp_path, litellm_config=tmp_path / "l.yaml"))
    assert named[:2] == usual[:2]
    assert named[4:] == [tmp_path / "l.yaml"]


async def test_nothing_to_watch_ends_at_once(tmp_path: Path) -> None:
    assert [change async for change in watch([tmp_path / "gone" / "x"])] == []
