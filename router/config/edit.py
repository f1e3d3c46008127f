"""Changes pointsman.toml on a person's command: comments and order stay, a backup is kept.

One rule: the file is replaced in one step, so that nobody ever reads half of it.
"""

from __future__ import annotations

import difflib
import os
import tempfile
import tomllib
from collections.abc import Mapping
from pathlib import Path


class ChangedError(Exception):
    """Somebody else wrote the file between the reading and the writing of an edit."""


def read(path: Path) -> str | None:
    """The file's text; None where there is none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None


Value = str | int | bool | list[str]
#: where in [routes] a value stands: ("targets", "think"), ("think_budget",)
Place = tuple[str, ...]


def with_routes(text: str, values: Mapping[Place, Value]) -> str:
    """The same file with these values in [routes]. Raises ValueError where it is no TOML, or
    `routes` is something else there."""
    import tomlkit  # 40 ms that only an edit needs
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        apart = all(len(path) > 1 for path in values)  # then [routes] itself has no line
        if "routes" not in document:
            document["routes"] = tomlkit.table(is_super_table=apart)
        routes = document["routes"]
        for path, value in values.items():
            *tables, last = path
            table = routes
            for name in tables:
                table = table.setdefault(name, tomlkit.table())
            table[last] = value
        made = tomlkit.dumps(document)
    except (TOMLKitError, AttributeError, TypeError) as error:
        raise ValueError(f"pointsman.toml cannot be edited: {error}") from error
    if not _holds(made, values):
        raise ValueError("pointsman.toml cannot be edited: write [routes] as a table of its own")
    return made


def _holds(text: str, values: Mapping[Place, Value]) -> bool:
    """Whether what was written reads back as it was meant."""
    read = tomllib.loads(text)
    for path, value in values.items():
        found: object = read.get("routes")
        for name in path:
            found = found.get(name) if isinstance(found, dict) else None
        if found != value:
            return False
    return True


def diff(before: str, after: str, name: str) -> tuple[str, ...]:
    """Unified, without the two lines of names; () where nothing differs."""
    old, new = before.splitlines(), after.splitlines()
    return tuple(difflib.unified_diff(old, new, name, name, n=2, lineterm=""))[2:]


def write(path: Path, text: str, before: str | None) -> None:
    """Replaces the file; what stood there is kept beside it as …toml.bak. Raises ChangedError where
    it is no longer what was edited."""
    if read(path) != before:
        raise ChangedError(f"{path} was changed meanwhile: look at the edit again")
    if before is not None:
        _replace(path.with_suffix(path.suffix + ".bak"), before)
    _replace(path, text)


def put_back(path: Path, before: str | None) -> None:
    """As it was before an edit: also when there was none."""
    if before is None:
        path.resolve().unlink(missing_ok=True)
    else:
        _replace(path, before)


def _replace(path: Path, text: str) -> None:
    """In one step, and readable by its owner alone. Where the file is kept elsewhere, with a link
    here, it is replaced there: the link is its owner's."""
    path = path.resolve()
    handle, name = tempfile.mkstemp(dir=path.parent, prefix=".pointsman-")
    try:
        with os.fdopen(handle, "w", encoding="utf-8") as file:
            file.write(text)
            file.flush()
            os.fsync(file.fileno())
        os.replace(name, path)
    except BaseException:
        Path(name).unlink(missing_ok=True)
        raise
