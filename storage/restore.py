"""`python -m storage.restore LEDGER`: writes requests, one JSON line each on stdin, into a ledger.

Its rule: it is a writer, so no router may have the ledger open. A line that is no request ends it
with a word on stderr and exit code 1; what came before it is kept.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable
from pathlib import Path

import msgspec

from router.contract import RequestDetail
from storage.writer import Ledger

#: lines between two waits for the disk, well below what the ledger lets wait
TOGETHER = 2_000
#: seconds that the disk may take for them
PATIENCE = 30.0


def restore(ledger: Path, lines: Iterable[bytes]) -> str:
    """Returns what was wrong, "" when all of it is kept."""
    book = Ledger(ledger)
    try:
        for number, line in enumerate(lines, 1):
            try:
                book.request(msgspec.json.decode(line, type=RequestDetail))
            except msgspec.DecodeError as error:
                return f"line {number}: {error}"
            if number % TOGETHER == 0 and not book.flush(PATIENCE):
                return f"line {number}: {book.last_error or 'the disk does not answer'}"
        return "" if book.flush(PATIENCE) else book.last_error or "the disk does not answer"
    finally:
        book.close()


if __name__ == "__main__":
    wrong = restore(Path(sys.argv[1]), sys.stdin.buffer)
    if wrong:
        sys.stderr.write(f"storage.restore: {wrong}\n")
    sys.exit(1 if wrong else 0)
