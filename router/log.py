"""The router's own log: into the ledger for the console, and as JSON lines for `tail -f`.

One JSON object a line (so no text can forge a line or reach a terminal raw), rotated, 0600. Never a
prompt, never a secret: callers pass only what an error may show. Written by a thread of its own.
"""

from __future__ import annotations

import logging
import logging.handlers
import queue
import secrets
import time
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Literal

import msgspec

from router.contract import LogLine

Level = Literal["debug", "info", "warning", "error"]
LEVELS: tuple[Level, ...] = ("debug", "info", "warning", "error")

#: bytes of one log file, and how many older ones are kept
LARGEST = 20 * 1024 * 1024
OLDER = 3
#: lines that may wait for the writing thread; beyond that the file loses lines, the ledger does not
WAITING = 10_000


class Log:
    """`keep` takes each line (storage.writer.Ledger.log); `file` is what people tail."""

    def __init__(
        self, keep: Callable[[LogLine], None], file: Path, level: Level, wall: Callable[[], float]
    ) -> None:
        self._keep = keep
        self._wall = wall
        self._least = LEVELS.index(level)
        self._queue: queue.Queue[logging.LogRecord] = queue.Queue(WAITING)
        handler = logging.handlers.RotatingFileHandler(
            file, maxBytes=LARGEST, backupCount=OLDER, encoding="utf-8", delay=True
        )
        handler.setFormatter(logging.Formatter("%(message)s"))
        self._listener = logging.handlers.QueueListener(self._queue, handler)
        self._listener.start()
        self.level = level

    def close(self) -> None:
        self._listener.stop()
        for handler in self._listener.handlers:
            handler.close()

    def set_level(self, level: Level) -> None:
        self.level = level
        self._least = LEVELS.index(level)

    def debug(self, source: str, message: str, request: str = "") -> None:
        self._write("debug", source, message, request, False)

    def info(self, source: str, message: str, request: str = "", simulated: bool = False) -> None:
        self._write("info", source, message, request, simulated)

    def warning(
        self, source: str, message: str, request: str = "", simulated: bool = False
    ) -> None:
        self._write("warning", source, message, request, simulated)

    def error(self, source: str, message: str, request: str = "") -> None:
        self._write("error", source, message, request, False)

    def incident(self, source: str, error: BaseException, request: str = "") -> str:
        """Logs an unexpected error with its trace (never its locals). Returns the incident's id."""
        incident = "i_" + secrets.token_hex(4)
        trace = "".join(traceback.format_exception(error, limit=-12))
        self._write("error", source, f"incident {incident}: {trace}", request, False)
        return incident

    def _write(
        self, level: Level, source: str, message: str, request: str, simulated: bool
    ) -> None:
        if LEVELS.index(level) < self._least:
            return
        line = LogLine(
            id=0,
            at=self._wall(),
            level=level,
            source=source,
            message=message,
            request=request,
            simulated=simulated,
        )
        self._keep(line)
        fields: dict[str, object] = {
            "time": time.strftime("%Y-%m-%dT%H:%M:%S", time.gmtime(line.at))
            + f".{int(line.at % 1 * 1000):03d}Z",
            "level": level,
            "source": source,
            "message": message,
        }
        if request:
            fields["request"] = request
        if simulated:
            fields["simulated"] = True
        record = logging.makeLogRecord({"msg": msgspec.json.encode(fields).decode()})
        try:
            self._queue.put_nowait(record)
        except queue.Full:
            return
