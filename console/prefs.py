"""What the console remembers and what a person set for it: console.toml, beside pointsman.toml.

    theme = "pointsman-dark"          # or pointsman-light, pointsman-contrast, any of Textual's
    mouse = true
    budget = 20.0                     # dollars a day, for the bar in the header
    bell = true                       # rings the terminal's bell at an alert
    group = "session"                 # how Live is grouped
    ago = true                        # Live and Logs say how long ago, not when
    wrap = true                       # long lines of the log go on below themselves
    interval = 2                      # seconds between two paints of a screen
    [sort]
    costs = "-requests"               # of each list: its column, - from the most down, + up
    [costs]
    period = "w"                      # t today, w 7 days, M 30 days
    by = "session"
    [keys]
    "live.cancel" = "ctrl+x"          # by the names that `:keys` shows
    [filters]
    failures = "status>=400"          # by name: `:filter failures`

Its rule: a file that cannot be read or written changes nothing and stops nothing; it is said once.
Comments and keys that are not ours stay.
"""

from __future__ import annotations

import os
import re
import tomllib
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from storage.home import owned_as


@dataclass(slots=True)
class Prefs:
    """`trouble` says why the file was not taken."""

    path: Path
    theme: str = ""
    mouse: bool = True
    group: str = ""
    budget: float | None = None
    bell: bool = False
    wrap: bool = False
    ago: bool = False
    interval: float = 0.5
    keys: dict[str, str] = field(default_factory=dict)
    filters: dict[str, str] = field(default_factory=dict)
    sort: dict[str, str] = field(default_factory=dict)
    costs: dict[str, str] = field(default_factory=dict)
    trouble: str = ""

    @property
    def budget_nano(self) -> int | None:
        return None if self.budget is None else round(self.budget * 1_000_000_000)

    def place(self, name: str) -> str:
        """The file, and the line on which this key stands."""
        try:
            text = self.path.read_text("utf-8")
        except (OSError, UnicodeDecodeError):
            return str(self.path)
        found = re.search(rf"""^\s*["']?{re.escape(name)}["']?\s*=""", text, re.MULTILINE)
        if found is None:
            return str(self.path)
        return f"{self.path}:{text.count(chr(10), 0, found.end()) + 1}"

    def remember(self, **values: Any) -> str:
        """Sets and writes a few values; why it could not be, or ""."""
        for name, value in values.items():
            setattr(self, name, value)
        try:
            _write(self.path, values)
        except (OSError, ValueError) as error:
            return f"{self.path.name} cannot be written: {error}"
        return ""


def read(path: Path) -> Prefs:
    prefs = Prefs(path)
    try:
        said = tomllib.loads(path.read_text("utf-8"))
    except FileNotFoundError:
        return prefs
    except (OSError, UnicodeDecodeError, tomllib.TOMLDecodeError) as error:
        prefs.trouble = f"{path}: {error}"
        return prefs
    kinds: dict[str, type | tuple[type, ...]] = {
        "theme": str,
        "mouse": bool,
        "bell": bool,
        "wrap": bool,
        "ago": bool,
        "group": str,
        "budget": (int, float),
        "interval": (int, float),
    }
    for name, kind in kinds.items():
        if isinstance(said.get(name), kind):
            setattr(prefs, name, said[name])
        elif name in said:
            prefs.trouble = f"{path}: {name} is no {getattr(kind, '__name__', 'number')}"
    prefs.keys = _words(said.get("keys"))
    prefs.filters = _words(said.get("filters"))
    prefs.sort = _words(said.get("sort"))
    prefs.costs = _words(said.get("costs"))
    for table, taken in (("keys", prefs.keys), ("filters", prefs.filters)):
        there = said.get(table, {})
        if not isinstance(there, dict):
            prefs.trouble = f"{path}: [{table}] is no table"
        elif lost := [name for name in there if name not in taken]:
            prefs.trouble = f"{prefs.place(lost[0])}: in [{table}], {lost[0]} is no text"
    return prefs


def _words(table: object) -> dict[str, str]:
    if not isinstance(table, dict):
        return {}
    return {name: value for name, value in table.items() if isinstance(value, str)}


def _write(path: Path, values: dict[str, Any]) -> None:
    import tomlkit  # 40 ms that only a change needs
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(path.read_text("utf-8") if path.exists() else "")
    except TOMLKitError as error:
        raise ValueError(str(error)) from error
    for name, value in values.items():
        if value is None:
            document.pop(name, None)
        else:
            document[name] = value
    path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
    part = path.with_suffix(".part")
    with open(part, "w", encoding="utf-8", opener=_private) as file:
        file.write(tomlkit.dumps(document))
        owned_as(path.parent, file)
    os.replace(part, path)


def _private(name: str, flags: int) -> int:
    return os.open(name, flags, 0o600)
