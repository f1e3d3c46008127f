"""A router's ledger to be killed: `python -m tests.storage.victim PATH PREFIX` writes without end.

It prints, once a commit is acknowledged (flush returned), how many requests that covers. One line
of each hundred goes through a row that was stored while it ran and is stored again at its end.
"""

from __future__ import annotations

import sys
from pathlib import Path

from storage.writer import Ledger
from tests.storage.make import detail, line


def main(path: str, prefix: str) -> None:
    book = Ledger(Path(path), bound=100_000)
    number = 0
    while True:
        for _ in range(100):
            number += 1
            book.request(detail(f"{prefix}_{number}", state="running", cost=None))
            book.request(detail(f"{prefix}_{number}", cost=number))
            book.log(line(f"{prefix}_{number}"))
        if book.flush(30):
            sys.stdout.write(f"{number}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main(*sys.argv[1:])
