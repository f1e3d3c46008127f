"""pointsman.toml, as a Document.

The standard reader gives no lines, so they are found by a scan for keys.
"""

from __future__ import annotations

import re
import tomllib
from pathlib import Path

from router.config.document import Document, Place, read_text
from router.errors import ConfigError

_TABLE = re.compile(r"^\s*\[\[?\s*([^\]]+?)\s*\]\]?\s*(?:#.*)?$")
_KEY = re.compile(r"""^\s*((?:[A-Za-z0-9_-]+|"[^"]*"|'[^']*')(?:\s*\.\s*[^=\s]+)*)\s*=""")
_PART = re.compile(r""""([^"]*)"|'([^']*)'|([A-Za-z0-9_-]+)""")


def read_toml(path: Path) -> Document:
    """Raises ConfigError."""
    file, text = str(path), read_text(path)
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        at = re.search(r"\(at line (\d+)", str(error))
        line = int(at[1]) if at else text.count("\n") + 1
        problem = str(error).partition(" (at ")[0]
        raise ConfigError(f"is not TOML: {problem}", file=file, line=line) from None
    return Document(file, data, _lines(text))


def _lines(text: str) -> dict[Place, int]:
    lines: dict[Place, int] = {}
    table: Place = ()
    listed: list[Place] = []
    for number, line in enumerate(text.splitlines(), 1):
        if header := _TABLE.match(line):
            table = _parts(header[1])
            for length in range(1, len(table) + 1):
                lines.setdefault(table[:length], number)
            if line.lstrip().startswith("[["):  # one more of a list
                table = (*table, sum(found[:-1] == table for found in listed))
                listed.append(table)
            lines[table] = number
        elif entry := _KEY.match(line):
            path = (*table, *_parts(entry[1]))
            lines[path] = number
            # keys of an inline table stand on its own line
            for inner in re.finditer(r"[{,]\s*([A-Za-z0-9_-]+)\s*=", line[entry.end() :]):
                lines.setdefault((*path, inner[1]), number)
    return lines


def _parts(dotted_key: str) -> Place:
    return tuple(a or b or c for a, b, c in _PART.findall(dotted_key))
