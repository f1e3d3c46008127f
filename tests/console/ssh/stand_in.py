"""Stands for the console in tests: shows what it was given, and follows its terminal's size."""

from __future__ import annotations

import os
import signal
import sys


def show_size(*_: object) -> None:
    columns, rows = os.get_terminal_size()
    os.write(1, f"SIZE {columns}x{rows}\n".encode())  # print may not be entered twice


signal.signal(signal.SIGWINCH, show_size)
print("CONSOLE", os.environ.get("TERM"), os.environ.get("COLORTERM"), flush=True)
show_size()
for line in sys.stdin:
    print("GOT", line, end="", flush=True)
    if line == "quit\n":
        sys.exit(5)
