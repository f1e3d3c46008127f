"""A file of lines, the log's or what a neighbour says: rotated by its size, 0600.

One rule: nothing that happens to the file ends its writer. One that was moved or deleted
(logrotate, a person who tidies up) is made anew; what a full disk does not take is lost without a
word, since `/readyz` and the console tell of the disk already.
"""

from __future__ import annotations

import contextlib
import logging
import logging.handlers
import os
from pathlib import Path

#: bytes of one file, and how many older ones are kept
LARGEST = 20 * 1024 * 1024
OLDER = 3


class LogFile(logging.handlers.RotatingFileHandler):
    def __init__(self, path: Path, largest: int = LARGEST, older: int = OLDER) -> None:
        super().__init__(path, maxBytes=largest, backupCount=older, encoding="utf-8", delay=True)

    def put(self, text: str) -> None:
        """Whole lines, without the last line's end."""
        if not self._in_place():
            self.close()
            with contextlib.suppress(OSError):
                Path(self.baseFilename).parent.mkdir(mode=0o700, exist_ok=True)
        self.emit(logging.makeLogRecord({"msg": text}))

    def close(self) -> None:
        with contextlib.suppress(OSError):  # of what could not be written
            super().close()

    def _in_place(self) -> bool:
        """Whether what is written reaches whoever opens the file by its name."""
        if self.stream is None:
            return False
        try:
            return os.path.samestat(os.stat(self.baseFilename), os.fstat(self.stream.fileno()))
        except OSError:
            return False

    def handleError(self, record: logging.LogRecord) -> None:
        pass
