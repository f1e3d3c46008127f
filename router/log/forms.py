"""What a line of the log looks like: one form a function, each of one line.

No form lets text from outside forge a line or reach a terminal raw.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache

import msgspec
from msgspec import Struct

from router.contract import LogLine

#: sd-daemon(3): what journald takes the priority from
_PRIORITY = {"debug": 7, "info": 6, "warning": 4, "error": 3}


class _Line(Struct, omit_defaults=True):
    time: str
    level: str
    source: str
    message: str
    request: str = ""
    simulated: bool = False


_encode = msgspec.json.Encoder().encode


def as_json(line: LogLine) -> bytes:
    """An object with time (ISO 8601, UTC, ms), level, source, message; request and simulated where
    they say something."""
    told = _Line(_time(line), line.level, line.source, line.message, line.request, line.simulated)
    try:
        return _encode(told)
    except UnicodeEncodeError:  # half a surrogate pair, as in a path that is no UTF-8
        told.message = line.message.encode("utf-8", "replace").decode()
        return _encode(told)


def as_text(line: LogLine) -> bytes:
    """For people; what cannot be printed is escaped."""
    return f"{_time(line)}  {line.level:<7}  {_words(line)}".encode()


def as_journal(line: LogLine) -> bytes:
    """As journald reads it: it has the time itself, and the level as a priority."""
    return f"<{_PRIORITY[line.level]}>{_words(line)}".encode()


def _words(line: LogLine) -> str:
    about = f"  {line.request}" if line.request else ""
    mark = "simulated " if line.simulated else ""
    text = f"{line.source:<9} {mark}{line.message}{about}"
    if text.isprintable():
        return text
    return "".join([c if c.isprintable() else ascii(c)[1:-1] for c in text])


def _time(line: LogLine) -> str:
    second, part = divmod(line.at, 1)
    return f"{_second(int(second))}.{int(part * 1000):03d}Z"


@lru_cache(2)
def _second(at: int) -> str:
    """ISO 8601; of many lines the same."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
