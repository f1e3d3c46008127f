"""Tells when a configuration file may have changed. What to do about it is others' business."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Iterable
from pathlib import Path

from watchfiles import Change, awatch

from router.config.flags import Flags
from router.config.litellm_yaml import NAME
from storage.home import Home


def files(home: Home, flags: Flags) -> list[Path]:
    """Every file that `load` would look at, whether it is there or not."""
    if flags.litellm_config is not None:
        litellm = [flags.litellm_config]
    else:
        folders = [f for f in (flags.directory, home.config) if f is not None]
        litellm = [folder / NAME for folder in folders]
    return [home.toml, home.ccr_json, home.price_map, home.litellm_models, *litellm]


def made_next(path: Path) -> Path:
    """The path itself, else the outermost of its folders that is to be made before it."""
    while not path.parent.is_dir():
        path = path.parent
    return path


async def watch(
    paths: Iterable[Path], stop: asyncio.Event | None = None
) -> AsyncIterator[set[Path]]:
    """Yields the paths that were written, made, replaced or removed, a burst of changes at once;
    ends when `stop` is set. Of a path that is a folder: its JSON files and new folders in it.

    Folders are watched, not files: editors save by renaming a new file over the old one. A folder
    that is not there is not watched: see `made_next`.
    """
    names = {path.absolute() for path in paths}
    # a link's target is edited in its own folder
    names |= {path.resolve() for path in names}
    whole = {path for path in names if path.is_dir()}
    names -= whole
    folders = sorted({str(f) for f in (*whole, *(path.parent for path in names)) if f.is_dir()})
    if not folders:
        return

    def ours(_change: Change, text: str) -> bool:
        path = Path(text)
        return path in names or (path.parent in whole and path.suffix in ("", ".json"))

    async for changes in awatch(
        *folders, watch_filter=ours, recursive=False, debounce=200, stop_event=stop
    ):
        yield {Path(path) for _, path in changes}
