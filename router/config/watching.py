"""Tells when a configuration file may have changed. What to do about it is others' business."""

from __future__ import annotations

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
    return [home.toml, home.ccr_json, *litellm]


async def watch(paths: Iterable[Path]) -> AsyncIterator[set[Path]]:
    """Yields the paths that were written, made, replaced or removed, a burst of changes at once.

    Folders are watched, not files: editors save by renaming a new file over the old one. A folder
    that is not there is not watched.
    """
    names = {path.absolute() for path in paths}
    # a link's target is edited in its own folder
    names |= {path.resolve() for path in names}
    folders = sorted({str(path.parent) for path in names if path.parent.is_dir()})
    if not folders:
        return

    def ours(_change: Change, path: str) -> bool:
        return Path(path) in names

    async for changes in awatch(*folders, watch_filter=ours, recursive=False, debounce=200):
        yield {Path(path) for _, path in changes}
