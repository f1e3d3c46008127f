"""JSON as some servers write it: with half a character at the end of a piece, with NaN or Infinity.

Its one rule: it is tried only where the plain reading has failed, and says when it fails as well.
"""

from __future__ import annotations

import json
from typing import TypeVar

import msgspec

_T = TypeVar("_T")


def loosely(data: bytes, kind: type[_T]) -> _T | None:
    """What the data tells, half a character as U+FFFD and a number that is none as null; None where
    it is no such thing."""
    try:
        value = json.loads(data, parse_constant=lambda _: None)
        text = json.dumps(value, ensure_ascii=False)
        # the two halves of one character, where both are there, become it
        whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        return msgspec.json.decode(whole, type=kind)
    except (ValueError, RecursionError):  # json's and msgspec's errors are ValueErrors
        return None
