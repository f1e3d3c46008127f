"""The router's own log: into the ledger for the console, and as JSON lines for `tail -f`.

One JSON object a line (so no text can forge a line or reach a terminal raw), rotated, 0600. Never a
prompt, never a secret: callers pass only what an error may show. The file is written a batch at a
time: a line for each of thousands of requests a second must not cost them much.
"""

from __future__ import annotations

import secrets
import sqlite3
import traceback
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal

from router.contract import LogLine
from router.log.file import LogFile
from router.log.forms import as_json
from router.log.outlet import Form, Outlet, stderr

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")

#: the source of lines about requests that never became one (doors/refusing.py)
TURNED_AWAY = "door"
#: errors whose words are about the program, never about what it was given
_WORDED = (TypeError, AttributeError, NameError, RecursionError, MemoryError, sqlite3.Error)


class Log:
    """`keep` takes each line (storage.writer.Ledger.log); `file` is what people tail; `said` is how
    it is said on standard error, None for not at all."""

    def __init__(
        self,
        keep: Callable[[LogLine], None],
        file: Path,
        level: Level,
        wall: Callable[[], float],
        said: Form | None = None,
    ) -> None:
        self._wall = wall
        self.set_level(level)
        self._file = LogFile(file)
        self._outlets = [Outlet("log", self._emit)]
        if said is not None:
            self._outlets.append(stderr(said))
        self._takers = [keep, *(outlet.take for outlet in self._outlets)]

    def add(self, taker: Callable[[LogLine], None]) -> None:
        """`taker` takes each line from now on, too."""
        self._takers.append(taker)

    def close(self) -> None:
        """Writes what waits, and ends."""
        for outlet in self._outlets:
            outlet.close()
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
        for take in self._takers:
            take(line)

    def _emit(self, batch: Sequence[LogLine]) -> None:
        text = b"\n".join([as_json(line) for line in batch]).decode()
        self._file.put(text)


def _trace(error: BaseException) -> str:
    """Where it was raised, of what type, and its words only where they name types and places: a
    KeyError or ValueError quotes the data that it met, which may be a person's prompt."""
    frames = "".join(traceback.format_tb(error.__traceback__, limit=-12))
    text = frames + type(error).__name__
    if isinstance(error, _WORDED):
        text += f": {error}"
    cause = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
    return f"{text}\nfrom {type(cause).__name__}" if cause is not None else text
