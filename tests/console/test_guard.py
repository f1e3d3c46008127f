"""A console that is killed leaves the terminal as it was; one that ends by itself is not interfered
with."""

from __future__ import annotations

import os
import pty
import subprocess
import sys
import termios

import pytest

#: as a person's shell does: the terminal is its own, and it outlives what it starts
LEADER = """
import fcntl, subprocess, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
subprocess.run([sys.executable, "-c", sys.argv[1]])
sys.stdin.readline()
"""
CONSOLE = """
import os, signal, sys, tty
from console.guard import guarded
with guarded():
    sys.stdout.write("\\x1b[?1049h\\x1b[?25lpainted")
    sys.stdout.flush()
    tty.setraw(0)
    {end}
sys.stdout.write("ended")
"""


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "ended"])
def test_the_terminal_is_given_back(killed: bool) -> None:
    end = "os.kill(os.getpid(), signal.SIGKILL)" if killed else "pass"
    master, slave = pty.openpty()
    before = termios.tcgetattr(slave)
    leader = subprocess.Popen(
        [sys.executable, "-c", LEADER, CONSOLE.format(end=end)],
        stdin=slave, stdout=slave, stderr=slave, start_new_session=True,
    )  # fmt: skip
    try:
        seen = b""
        while b"painted" not in seen:
            seen += os.read(master, 4096)
        while (b"was killed" if killed else b"ended") not in seen:
            seen += os.read(master, 4096)
        if killed:
            assert b"\x1b[?1049l" in seen
            assert b"\x1b[?25h" in seen
            assert termios.tcgetattr(slave)[:4] == before[:4]
        else:
            assert b"\x1b[?1049l" not in seen
    finally:
        leader.kill()
        leader.wait()
        os.close(slave)
        os.close(master)
