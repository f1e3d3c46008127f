"""Whether a ledger's file is in order, as far as a short look tells.

One rule: it only reads, and it ends in time: of a file of gigabytes, a part is looked through.
"""

from __future__ import annotations

import os
import sqlite3
import time
from pathlib import Path

from storage import database

#: seconds of looking
LOOK = 3.0
#: steps of SQLite between two looks at the clock
STEPS = 100_000
DAMAGED = (
    "it is damaged. Stop the router and move `ledger.db*` away: a new one is made at the next"
    " start; `sqlite3 ledger.db .recover` gets out of it what can be read"
)


def ailment(path: Path, seconds: float = LOOK) -> str:
    """What is wrong, and what to do; "" where nothing is found, or nothing is there."""
    try:
        owner = path.stat().st_uid
    except (FileNotFoundError, NotADirectoryError):
        return ""
    except OSError as error:
        return f"cannot be reached: {(error.strerror or 'no reason given').lower()}"
    if not os.access(path, os.R_OK | os.W_OK):
        if owner == os.getuid():
            return f"cannot be read and written: `chmod 600 '{path}'`"
        return f"cannot be read and written (it belongs to uid {owner}): make it yours with chown"
    until = time.monotonic() + seconds
    try:
        connection = sqlite3.connect(database.read_only(path), uri=True, timeout=1.0)
        try:
            have, known = database.version(connection), database.newest()
            if have > known:
                return database.too_new(have, known)
            connection.set_progress_handler(lambda: time.monotonic() > until, STEPS)
            [found] = connection.execute("PRAGMA quick_check(1)").fetchone()
            return "" if found == "ok" else f"{found}: {DAMAGED}"
        finally:
            connection.close()
    except sqlite3.OperationalError as error:
        late = error.sqlite_errorcode == sqlite3.SQLITE_INTERRUPT
        return "" if late else f"cannot be opened: {error}. {database.advice(error, path)}"
    except sqlite3.DatabaseError as error:
        return f"{error}: {DAMAGED}"
