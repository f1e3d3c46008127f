"""Where lines of the log go out: a thread for each place, a batch at a time.

One rule: a place that is slow or gone holds up nobody but itself, and loses its oldest lines.
"""

from __future__ import annotations

import os
import select
import threading
from collections import deque
from collections.abc import Callable, Sequence
from typing import Literal

from router.contract import LogLine
from router.log.forms import as_journal, as_json, as_text

#: how the log is said on standard error
Form = Literal["text", "json"]

#: lines that may wait
WAITING = 10_000
#: seconds that a line waits for company
GATHER = 0.2
#: seconds that the end waits for a reader of standard error that takes nothing
PATIENCE = 1.0
STDERR = 2


class Outlet:
    """`emit` is called in the thread, with at least one line; it is waited for at the end, for
    `patience` seconds where not None."""

    def __init__(
        self,
        name: str,
        emit: Callable[[Sequence[LogLine]], None],
        patience: float | None = None,
    ) -> None:
        self._emit = emit
        self._patience = patience
        self._lines: deque[LogLine] = deque(maxlen=WAITING)
        self.take = self._lines.append
        self._closing = threading.Event()
        self._thread = threading.Thread(target=self._run, name=name, daemon=True)
        self._thread.start()

    def close(self) -> None:
        """Lets out what waits, and ends."""
        self._closing.set()
        self._thread.join(self._patience)

    def _run(self) -> None:
        """Without a lock: a deque's ends are safe between two threads."""
        last = False
        while not last:
            last = self._closing.wait(GATHER)
            batch = []
            while self._lines:
                batch.append(self._lines.popleft())
            if batch:
                self._emit(batch)


def stderr(form: Form) -> Outlet:
    """Standard error, in `form`; as text with priorities where journald is what reads it."""
    show = as_json if form == "json" else as_journal if _is_journal() else as_text

    def emit(batch: Sequence[LogLine]) -> None:
        waits = memoryview(b"".join([show(line) + b"\n" for line in batch]))
        try:
            while waits:
                waits = waits[_write(waits) :]
        except OSError:  # whoever read it has gone: the file and the ledger have the lines
            return

    return Outlet("log on stderr", emit, PATIENCE)


def _write(waits: memoryview) -> int:
    """Bytes written. Who gave us this end may have made it one that does not block."""
    try:
        return os.write(STDERR, waits)
    except BlockingIOError:
        select.select([], [STDERR], [])
        return 0


def _is_journal() -> bool:
    """systemd.exec(5), JOURNAL_STREAM. The variable alone tells nothing: it is inherited by those
    who write elsewhere."""
    here = os.fstat(STDERR)
    return os.environ.get("JOURNAL_STREAM") == f"{here.st_dev}:{here.st_ino}"
