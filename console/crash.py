"""What is left behind when the console itself fails: an id on the screen, the trace in a file.

Its rule: no value of a local variable is written anywhere: locals hold keys and other people's
text. (Textual's own handler prints them to the terminal.)
"""

from __future__ import annotations

import os
import secrets
import traceback
from pathlib import Path


def record(error: BaseException, logs: Path) -> str:
    """Writes the trace to a file of its own, readable by its owner alone; the message to show."""
    incident = secrets.token_hex(4)
    path = logs / f"console-{incident}.log"
    trace = traceback.TracebackException.from_exception(error, capture_locals=False)
    try:
        logs.mkdir(parents=True, exist_ok=True, mode=0o700)
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w") as file:
            file.writelines(trace.format())
    except OSError as problem:
        return f"The console failed, incident {incident}; no trace: {problem.strerror} at {logs}."
    return f"The console failed, incident {incident}. The router is not affected. Trace: {path}"
