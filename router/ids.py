"""The id of a request: told with its answer, in the ledger, in the log."""

from __future__ import annotations

import random


def new_id(at: float) -> str:
    """Begins with the time, so that the ledger's index grows at its end. An id opens nothing: it
    need not be hard to guess, and the system's randomness would cost 10 µs. `at`: Unix seconds."""
    return f"req_{int(at * 1000):011x}{random.getrandbits(40):010x}"
