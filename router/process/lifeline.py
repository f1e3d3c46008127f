"""How a child process learns that its parent is gone: its stdin closes.

One rule: works for any end of the parent, kill -9 included, and on every Unix. The parent keeps
the other end of a pipe open and never writes to it.
"""

from __future__ import annotations

import os
import threading
from collections.abc import Callable


def watch(ended: Callable[[], object]) -> None:
    """Calls `ended` once, from a thread of its own, when stdin closes."""
    threading.Thread(target=_wait, args=(ended,), name="lifeline", daemon=True).start()


def _wait(ended: Callable[[], object]) -> None:
    # os.read and not sys.stdin: a thread in sys.stdin.read() holds a lock that aborts the
    # interpreter's own exit.
    try:
        while os.read(0, 4096):
            pass
    except OSError:  # closed before we began
        pass
    ended()
