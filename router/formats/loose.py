"""JSON as some write it: with half a character where a text was cut, with NaN or Infinity, behind a
byte-order mark.

Its one rule: it is tried only where the plain reading has failed, and says when it fails as well.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable
from typing import TypeVar

import msgspec

from router.errors import CallerError

_T = TypeVar("_T")
_MARK = b"\xef\xbb\xbf"
#: an escape of one half alone, and what is before it: backslashes that stand for themselves
_FIRST_HALF = re.compile(
    rb"(?<!\\)((?:\\\\)*)\\u[dD][89abAB][0-9a-fA-F]{2}(?!\\u[dD][c-fC-F][0-9a-fA-F]{2})"
)
_SECOND_HALF = re.compile(
    rb"(?<!\\)(?<!\\u[dD][89abAB][0-9a-fA-F]{2})((?:\\\\)*)\\u[dD][c-fC-F][0-9a-fA-F]{2}"
)


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


def mended(data: bytes) -> bytes:
    """A client's body without a byte-order mark, and half a character as U+FFFD; the same object
    where it has neither."""
    whole = data.removeprefix(_MARK)
    if b"\\ud" in whole or b"\\uD" in whole:
        whole = _SECOND_HALF.sub(rb"\1\\ufffd", _FIRST_HALF.sub(rb"\1\\ufffd", whole))
    return data if whole == data else whole


def read(parse: Callable[[bytes], _T], data: bytes) -> _T:
    """What `parse` makes of it, also where it has to be mended before. JavaScript cuts texts in the
    middle of a character: a conversation that holds one would be refused for ever. Raises
    CallerError."""
    try:
        return parse(data)
    except CallerError:
        if (whole := mended(data)) is data:
            raise
        return parse(whole)
