"""What a router that restarts leaves to the next one, each in a file that is read once.

One rule: it holds for a restart alone. What was left longer ago is of a router that did not come
back, and is nobody's.
"""

from __future__ import annotations

import os
from pathlib import Path
from typing import TypeVar

import msgspec

#: seconds within which a router has taken the place of another
RESTART = 120.0

T = TypeVar("T")


def leave(path: Path, at: float, what: object) -> None:
    """`at`: the time, as `found` is told it later. Raises OSError."""
    data = msgspec.json.encode((at, what))
    with open(path, "wb", opener=lambda name, flags: os.open(name, flags, 0o600)) as file:
        file.write(data)


def found(path: Path, at: float, kind: type[T]) -> T | None:
    """What the router before left, where that has only just been."""
    try:
        # a type that is handed in: msgspec reads it as it runs, a checker cannot before
        left, what = msgspec.json.decode(path.read_bytes(), type=tuple[float, kind])  # type: ignore[valid-type]
        path.unlink()
    except (OSError, msgspec.DecodeError):
        return None
    return what if 0 <= at - left < RESTART else None
