"""A JSON5 file read in JSON's time: most hold no more, and json5 takes a hundred times as long.

One rule: for what only looks at a file; the router reads it with lines and complaints
(router/config/document.py).
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def parsed(text: str) -> dict[str, Any]:
    """Raises ValueError where `text` is no object."""
    try:
        value = json.loads(text)
    except ValueError:
        import json5

        value = json5.loads(text)
    if not isinstance(value, dict):
        raise ValueError("it is no object")
    return value


def read(path: Path) -> dict[str, Any]:
    """{} where there is no such file, or none that can be read."""
    try:
        return parsed(path.read_text("utf-8-sig"))
    except (OSError, ValueError):
        return {}
