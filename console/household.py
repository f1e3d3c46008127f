"""The folders and files of a home: what of them is not in order, and what `doctor --fix` mends.

One rule: what needs a decision (a file that is damaged, a folder of somebody else's) is told with
what to do, and left alone.
"""

from __future__ import annotations

import contextlib
import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

from console.text import clean

if TYPE_CHECKING:
    from router.contract import Finding
    from storage.home import Home

#: bytes free on the ledger's disk below which rows will soon be lost
LOW = 200_000_000


def mended(here: Home) -> Iterator[str]:
    """Does what needs no decision; a line for each thing done, or why it could not be."""
    try:
        here.make()
    except OSError as error:
        yield f"not made: {error}"
    files = (here.toml, here.ccr_json, here.litellm_yaml, here.ccr_log)
    for path in (here.config, *_theirs(here), *files, *_ours(here)):
        try:
            mode = path.stat().st_mode
            right = 0o700 if path.is_dir() else 0o600
            if mode & closed_to(path, here):
                path.chmod(right)
                yield f"mended: only you can read {clean(str(path))} now (was {mode & 0o777:o})"
            elif mode & right != right:
                path.chmod(right)
                yield f"mended: you can write {clean(str(path))} now (was {mode & 0o777:o})"
        except (FileNotFoundError, NotADirectoryError):
            continue
        except OSError as error:
            yield f"not mended: {clean(str(path))}: {(error.strerror or '').lower()}"


def findings(here: Home, ailment: str) -> Iterator[Finding]:
    """Our own files must be their owner's alone: they tell who asked whom for what. `ailment`: what
    the ledger's file suffers from, "" for nothing."""
    from router.contract import Finding

    yield from _folders(here)
    for path in (here.config, *_theirs(here), *_ours(here)):
        try:
            mode = path.stat().st_mode
        except OSError:
            continue
        if mode & closed_to(path, here):
            wanted = "700" if path.is_dir() else "600"
            what = "change" if mode & 0o022 else "read"
            text = f"others can {what} it (mode {mode & 0o777:o}): `chmod {wanted} '{path}'`"
            yield Finding("file mode", str(path), "problem", text)
    yield from _foreign(here)
    if ailment:
        yield Finding("ledger", str(here.ledger), "problem", ailment)
    elif (size := _size(here.ledger)) is not None:
        free = shutil.disk_usage(here.data).free
        text = f"{(size + (_size(here.wal) or 0)) / 1e6:,.1f} MB; {_amount(free)} free on its disk"
        if free > LOW:
            yield Finding("ledger", str(here.ledger), "found", text)
        else:
            text += ": rows are lost once it is full, requests are served all the same"
            yield Finding("ledger", str(here.ledger), "problem", text)
    yield _of_home(here)


def closed_to(path: Path, here: Home) -> int:
    """The bits of a mode that must not be set. The folders of the configurations are a person's
    own: others may look into them, where their files are closed; who may write there chooses what
    runs."""
    return 0o022 if path in (here.config, *_theirs(here)) else 0o077


def _ours(here: Home) -> tuple[Path, ...]:
    return (
        *(here.data, here.run, here.logs, here.ledger, here.router_output),
        *(here.host_key, here.ssh_users, here.litellm_models),
    )


def _theirs(here: Home) -> tuple[Path, ...]:
    """CCR's folders, which are no folders of ours alone."""
    return here.ccr, here.ccr_log.parent


def _amount(size: int) -> str:
    return f"{size / 1e9:,.1f} GB" if size >= 1e9 else f"{size / 1e6:,.1f} MB"


def _size(path: Path) -> int | None:
    try:
        return path.stat().st_size
    except OSError:
        return None


def _folders(here: Home) -> Iterator[Finding]:
    """Those that are there, and in which nothing can be made."""
    from router.contract import Finding

    for folder in (here.data, here.run, here.logs, *_theirs(here)):
        try:
            owner = folder.stat().st_uid
        except OSError:  # one that is missing is made, unless its own folder is such a one
            continue
        if not folder.is_dir():
            text = "a folder belongs there, and this is a file: move it away"
        elif not os.access(folder, os.W_OK | os.X_OK):
            text = f"cannot be written (it belongs to uid {owner}): make it yours with chown"
            if owner == os.getuid():
                text = f"cannot be written: `chmod 700 '{folder}'`"
        else:
            continue
        yield Finding("folder", str(folder), "problem", text)


def _foreign(here: Home) -> Iterator[Finding]:
    """A folder of somebody else's: they may put another configuration in it, and so a program of
    theirs to be run. The system's own user may do that anyway, and the one as whom the router runs
    decides for itself: it is another one's where root asks about a service."""
    from router.contract import Finding

    whose = {os.getuid(), 0}
    with contextlib.suppress(OSError):
        whose.add(here.socket.stat().st_uid)
    for folder in (here.config, here.data, here.ccr):
        with contextlib.suppress(OSError):
            if (owner := folder.stat().st_uid) not in whose:
                text = f"belongs to another user (uid {owner}), who can change what runs here"
                yield Finding("owner", str(folder), "problem", text)


def _of_home(here: Home) -> Finding:
    from router.contract import Finding

    place = next(path for path in (here.config, *here.config.parents) if path.exists())
    if not (place.is_dir() and os.access(place, os.W_OK | os.X_OK)):
        text = f"{place} cannot be written: choose another home with POINTSMAN_HOME"
        return Finding("home", str(here.config), "problem", text)
    return Finding("home", str(here.config), "found" if here.config.exists() else "absent")
