"""The router's own log: into the ledger for the console, and as JSON lines for `tail -f`.

One JSON object a line (so no text can forge a line or reach a terminal raw), rotated, 0600. Never a
prompt, never a secret: callers pass only what an error may show. A thread of its own writes the
file, a batch at a time: a line for each of thousands of requests a second must not cost them much.
"""

from __future__ import annotations

import logging
import logging.handlers
import secrets
import sqlite3
import threading
import traceback
from collections import deque
from collections.abc import Callable
from datetime import UTC, datetime
from functools import lru_cache
from pathlib import Path
from typing import Literal

import msgspec
from msgspec import Struct

from router.contract import LogLine

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")

#: bytes of one log file, and how many older ones are kept
LARGEST = 20 * 1024 * 1024
OLDER = 3
#: lines that may wait for the writing thread; beyond that the file loses the oldest of them
WAITING = 10_000
#: errors whose words are about the program, never about what it was given
_WORDED = (TypeError, AttributeError, NameError, RecursionError, MemoryError, sqlite3.Error)
#: seconds that a line waits for company
GATHER = 0.2


class Log:
    """`keep` takes each line (storage.writer.Ledger.log); `file` is what people tail."""

    def __init__(
        self, keep: Callable[[LogLine], None], file: Path, level: Level, wall: Callable[[], float]
    ) -> None:
        self._keep = keep
        self._wall = wall
        self.set_level(level)
        self._file = logging.handlers.RotatingFileHandler(
            file, maxBytes=LARGEST, backupCount=OLDER, encoding="utf-8", delay=True
        )
        self._lines: deque[LogLine] = deque(maxlen=WAITING)
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name="log", daemon=True)
        self._thread.start()
        #: takes each line, too (OpenTelemetry)
        self.also: Callable[[LogLine], None] | None = None

    def close(self) -> None:
        """Writes what waits, and ends."""
        self._closing.set()
        self._thread.join()
        self._file.close()

    def set_level(self, level: Level) -> None:
        self.level = level
        self._least = LEVELS.index(level)
        #: whether `debug` is kept: ask first, where making its words costs something
        self.debugs = level == "debug"

    def debug(self, source: str, message: str, request: str = "", simulated: bool = False) -> None:
        self.write("debug", source, message, request, simulated)

    def info(self, source: str, message: str, request: str = "", simulated: bool = False) -> None:
        self.write("info", source, message, request, simulated)

    def warning(
        self, source: str, message: str, request: str = "", simulated: bool = False
    ) -> None:
        self.write("warning", source, message, request, simulated)

    def error(self, source: str, message: str, request: str = "") -> None:
        self.write("error", source, message, request, False)

    def incident(self, source: str, error: BaseException, request: str = "") -> str:
        """Logs an unexpected error with its trace (never its locals). Returns the incident's id."""
        incident = "i_" + secrets.token_hex(4)
        self.write("error", source, f"incident {incident}: {_trace(error)}", request)
        return incident

    def write(
        self,
        level: Level,
        source: str,
        message: str,
        request: str = "",
        simulated: bool = False,
    ) -> None:
        if LEVELS.index(level) < self._least:
            return
        line = LogLine(0, self._wall(), level, source, message, request, simulated)
        self._keep(line)
        self._lines.append(line)
        if self.also is not None:
            self.also(line)

    def _run(self) -> None:
        """Without a lock: a deque's ends are safe between two threads."""
        last = False
        while not last:
            last = self._closing.wait(GATHER)
            batch = []
            while self._lines:
                batch.append(_json(self._lines.popleft()))
            if batch:
                self._file.emit(logging.makeLogRecord({"msg": b"\n".join(batch).decode()}))


def _trace(error: BaseException) -> str:
    """Where it was raised, of what type, and its words only where they name types and places: a
    KeyError or ValueError quotes the data that it met, which may be a person's prompt."""
    frames = "".join(traceback.format_tb(error.__traceback__, limit=-12))
    text = frames + type(error).__name__
    if isinstance(error, _WORDED):
        text += f": {error}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{text}\nfrom {type(cause).__name__}" if cause is not None else text


class _Line(Struct, omit_defaults=True):
    """As it stands in the file."""

    time: str
    level: Level
    source: str
    message: str
    request: str = ""
    simulated: bool = False


_encode = msgspec.json.Encoder().encode


def _json(line: LogLine) -> bytes:
    second, part = divmod(line.at, 1)
    at = f"{_second(int(second))}.{int(part * 1000):03d}Z"
    return _encode(_Line(at, line.level, line.source, line.message, line.request, line.simulated))


@lru_cache(2)
def _second(at: int) -> str:
    """ISO 8601; of many lines the same."""
    return datetime.fromtimestamp(at, UTC).strftime("%Y-%m-%dT%H:%M:%S")
