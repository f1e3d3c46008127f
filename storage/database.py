"""Opening the ledger's file: the writer's one connection, readers' connections, and migrations.

One rule: exactly one connection writes and checkpoints. SQLite before 3.51.3 can corrupt a WAL
database when two do so at the same moment (fixed 13 Mar 2026); many systems ship older ones.
"""

from __future__ import annotations

import os
import re
import sqlite3
import time
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Final

from storage.home import ROOM, free

SCHEMA: Final = Path(__file__).parent / "schema"
#: of March 2021; Debian 12 has 3.40, Ubuntu 22.04 3.37
OLDEST_SQLITE: Final = (3, 35, 0)
#: pages in the WAL until it is moved into the file, which costs two syncs: 16 MB
CHECKPOINT: Final = 4000
#: seconds that a connection waits for a lock that another program holds
PATIENCE: Final = 5.0
#: seconds between two words of an update that takes long, and steps of SQLite between two looks
WORD: Final = 5.0
STEPS: Final = 1_000_000

# Else sqlite3 asks every bool by two names how it would be stored: 0.4 us, six times a request.
sqlite3.register_adapter(bool, int)

#: told of an update that takes long, with the seconds that it has taken so far
Tell = Callable[[float], None]


class LedgerError(Exception):
    """The ledger cannot be opened. The message says which file and what to do."""


def open_for_writing(path: Path, tell: Tell | None = None) -> sqlite3.Connection:
    """The writer's connection, its schema up to date. Creates the file, readable by its owner
    alone. Raises LedgerError."""
    if sqlite3.sqlite_version_info < OLDEST_SQLITE:
        raise LedgerError(f"SQLite {sqlite3.sqlite_version} is too old: 3.35 or newer is needed")
    try:
        # SQLite gives -wal and -shm the mode of the file itself, whatever the umask.
        os.close(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        path.chmod(0o600)
        connection = sqlite3.connect(
            path, timeout=PATIENCE, isolation_level=None, check_same_thread=False
        )
    except (OSError, sqlite3.Error) as error:
        why = (error.strerror or "").lower() if isinstance(error, OSError) else error
        raise LedgerError(f"{path}: cannot be opened for writing: {why}") from error
    try:
        # Only has an effect before the first table; lets retention give space back.
        connection.execute("PRAGMA auto_vacuum = INCREMENTAL")
        connection.execute("PRAGMA journal_mode = WAL")
        # A killed process loses nothing; a power cut at most the last moments, never the file.
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute(f"PRAGMA wal_autocheckpoint = {CHECKPOINT}")
        connection.execute("PRAGMA journal_size_limit = 33554432")
        if tell is not None:
            connection.set_progress_handler(teller(tell), STEPS)
        migrate(connection)
        connection.set_progress_handler(None, 0)
    except sqlite3.Error as error:
        connection.close()
        raise LedgerError(f"{path}: {error}. {advice(error, path)}") from error
    except LedgerError as error:
        connection.close()
        raise LedgerError(f"{path}: {error}") from error
    return connection


def teller(tell: Tell, clock: Callable[[], float] = time.monotonic) -> Callable[[], int]:
    """For SQLite to call as it works; 0: it goes on."""
    began = last = clock()

    def step() -> int:
        nonlocal last
        now = clock()
        if now - last >= WORD:
            last = now
            tell(now - began)
        return 0

    return step


def advice(error: sqlite3.Error, path: Path) -> str:
    """What somebody can do about it. A disk without room for what SQLite puts beside the file is a
    plain I/O error to it."""
    full = getattr(error, "sqlite_errorcode", None) == sqlite3.SQLITE_FULL
    if full or free(path.parent) < ROOM:
        return "Its disk is full: free some space"
    return "If it is damaged, move `ledger.db*` away: a new one is made at the next start"


def read_only(path: Path) -> str:
    """The address that opens `path` for reading alone; it must exist then."""
    return path.absolute().as_uri() + "?mode=ro"


def migrations(folder: Path = SCHEMA) -> list[tuple[int, Path]]:
    """NNNN_name.sql in the order of their numbers."""
    found = ((re.match(r"(\d{4})_\w+\.sql$", path.name), path) for path in folder.iterdir())
    return sorted((int(match[1]), path) for match, path in found if match)


@cache
def newest() -> int:
    """The number of the last migration that there is."""
    return migrations()[-1][0]


def version(connection: sqlite3.Connection) -> int:
    """The number of the last migration that was applied; 0: none."""
    number: int = connection.execute("PRAGMA user_version").fetchone()[0]
    return number


def too_new(have: int, known: int) -> str:
    return f"made by a newer version (schema {have}, this one knows {known}): update this program"


def migrate(connection: sqlite3.Connection, folder: Path = SCHEMA) -> None:
    """Applies what is missing, each file in a transaction of its own. Raises LedgerError when the
    file is newer than this program, sqlite3.Error when a file fails (nothing of it is kept)."""
    files = migrations(folder)
    have, newest = version(connection), files[-1][0]
    if have > newest:
        raise LedgerError(too_new(have, newest))
    for number, path in files:
        if number <= have:
            continue
        script = path.read_text(encoding="utf-8")
        try:
            connection.executescript(
                f"BEGIN IMMEDIATE;\n{script}\nPRAGMA user_version = {number};\nCOMMIT;"
            )
        except sqlite3.Error:
            if connection.in_transaction:
                connection.execute("ROLLBACK")
            raise
