"""What a front has to say of what happens: one JSON object a line on stderr.

Its rule: text from clients is JSON-escaped and bounded, so that no line can be forged, and neither
passwords nor stack traces are written.
"""

from __future__ import annotations

import logging
import sys
import time
from typing import Literal

import msgspec

Fact = str | int | float | bool | None | list[str]
_LONGEST = 300


def event(message: str, level: Literal["info", "warning", "error"] = "info", **facts: Fact) -> None:
    """Writes one line: `at` (Unix seconds), `level`, `message`, then the facts."""
    kept = {
        # `from_` stands for "from", which Python keeps to itself
        name.rstrip("_"): fact[:_LONGEST] if isinstance(fact, str) else fact
        for name, fact in facts.items()
    }
    line = {"at": round(time.time(), 3), "level": level, "message": message, **kept}
    # a client can send half a surrogate pair, which UTF-8 cannot carry
    text = msgspec.json.encode(_whole(line)).decode()
    sys.stderr.write(text + "\n")
    sys.stderr.flush()


def _whole(value: object) -> object:
    if isinstance(value, str):
        return value.encode("utf-8", "replace").decode()
    if isinstance(value, dict):
        return {key: _whole(each) for key, each in value.items()}
    return value


class _Lines(logging.Handler):
    def emit(self, record: logging.LogRecord) -> None:
        cause = record.exc_info[1] if record.exc_info else None
        why = {"cause": f"{type(cause).__name__}: {cause}"} if cause else {}
        error = record.levelno >= logging.ERROR
        event(record.getMessage()[:_LONGEST], "error" if error else "warning", **why)


def take_over() -> None:
    """Sends warnings of asyncio and asyncssh the same way."""
    logging.basicConfig(level=logging.WARNING, handlers=[_Lines()], force=True)
