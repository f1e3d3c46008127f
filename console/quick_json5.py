"""A JSON5 file read in JSON's time: json5 takes a hundred times as long, and 40 ms to import.

One rule: for what only looks at a file; the router reads it with lines and complaints
(router/config/read_json5.py).
"""

from __future__ import annotations

import json
import re

TYPE_CHECKING = False  # typing's own, without the milliseconds of importing it
if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path
    from typing import Any

_TOKEN = re.compile(
    r"""\s+|//[^\n]*|/\*.*?\*/
    |(?P<text>"(?:\\.|[^"\\\n])*")
    |(?P<single>'[^'"\\\n]*')
    |(?P<mark>[{}\[\]:,])
    |(?P<word>[^\s{}\[\]:,"'/]+)
    |(?P<odd>.)""",
    re.VERBOSE | re.DOTALL,
)


def parsed(text: str) -> dict[str, Any]:
    """Raises ValueError where `text` is no object."""
    try:
        value = json.loads(text)
    except ValueError:
        value = _json5(text)
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


def _json5(text: str) -> Any:
    try:
        return json.loads(" ".join(_plain(text)))
    except ValueError:
        import json5

        return json5.loads(text)


def _plain(text: str) -> Iterator[str]:
    """The tokens of what most people use of JSON5, as JSON: no comments, no comma at an end, names
    and single quotes in double ones. What is left as it is, JSON refuses."""
    comma = word = before = ""
    for found in _TOKEN.finditer(text):
        kind, piece = found.lastgroup, found[0]
        if kind is None:
            continue
        if word:
            yield f'"{word}"' if piece == ":" else word
            word = ""
        if comma and piece not in ("}", "]"):
            yield comma
        comma = ""
        if piece == "," and before not in ("{", "["):
            comma = piece
        elif kind == "word":
            word = piece
        else:
            yield f'"{piece[1:-1]}"' if kind == "single" else piece
        before = piece
    yield word + comma


def read(path: str | Path) -> dict[str, Any]:
    """{} where there is no such file, or none that can be read."""
    try:
        with open(path, encoding="utf-8-sig") as file:
            return parsed(file.read())
    except (OSError, ValueError):
        return {}
