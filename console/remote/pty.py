"""A pseudo-terminal as the client asked for it: its modes, its size, and a child that owns it.

Its rule: only termios and ioctl; nothing here knows SSH sessions or the event loop.
"""

from __future__ import annotations

import contextlib
import fcntl
import os
import pty
import signal
import struct
import termios
from collections.abc import Mapping

# RFC 4254, section 8: the client's terminal modes by number. Names that this platform lacks are
# left out. Index 0, 1, 3 and 6 are places in what tcgetattr returns.
_INPUT, _OUTPUT, _LOCAL, _CHARACTERS = 0, 1, 3, 6
_NAMES: dict[int, dict[int, str]] = {
    _CHARACTERS: {
        1: "VINTR", 2: "VQUIT", 3: "VERASE", 4: "VKILL", 5: "VEOF", 6: "VEOL", 7: "VEOL2",
        8: "VSTART", 9: "VSTOP", 10: "VSUSP", 11: "VDSUSP", 12: "VREPRINT", 13: "VWERASE",
        14: "VLNEXT", 17: "VSTATUS", 18: "VDISCARD",
    },
    _INPUT: {
        30: "IGNPAR", 31: "PARMRK", 32: "INPCK", 33: "ISTRIP", 34: "INLCR", 35: "IGNCR",
        36: "ICRNL", 38: "IXON", 39: "IXANY", 40: "IXOFF", 41: "IMAXBEL", 42: "IUTF8",
    },
    _OUTPUT: {70: "OPOST", 72: "ONLCR", 73: "OCRNL", 74: "ONOCR", 75: "ONLRET"},
    _LOCAL: {
        50: "ISIG", 51: "ICANON", 53: "ECHO", 54: "ECHOE", 55: "ECHOK", 56: "ECHONL",
        57: "NOFLSH", 58: "TOSTOP", 59: "IEXTEN", 60: "ECHOCTL", 61: "ECHOKE", 62: "PENDIN",
    },
}  # fmt: skip
#: Python's termios has no name for it; the bit is the same on Linux and macOS
_BITS = {"IUTF8": 0x4000}

_RESET = (
    signal.SIGINT,
    signal.SIGQUIT,
    signal.SIGHUP,
    signal.SIGTERM,
    signal.SIGTSTP,
    signal.SIGTTIN,
    signal.SIGTTOU,
    signal.SIGPIPE,
    signal.SIGCHLD,
)


def open_pair(modes: Mapping[int, int], columns: int, rows: int) -> tuple[int, int]:
    """A new terminal as (master, slave). A size of 0 becomes 80 by 24."""
    master, slave = pty.openpty()
    with contextlib.suppress(termios.error):
        _apply(slave, modes)
    resize(slave, columns, rows)
    return master, slave


#: columns and rows of the largest terminal there is. A console draws all that it is told there is:
#: at the 65535 by 65535 that a client may name, until the machine has no memory left.
WIDEST, HIGHEST = 1_000, 500


def resize(terminal: int, columns: int, rows: int) -> None:
    """The kernel then tells the programs on it (SIGWINCH). No size, or none that can be, becomes 80
    by 24."""
    columns = min(columns, WIDEST) if columns > 0 else 80
    rows = min(rows, HIGHEST) if rows > 0 else 24
    size = struct.pack("HHHH", rows, columns, 0, 0)
    fcntl.ioctl(terminal, termios.TIOCSWINSZ, size)


def _apply(slave: int, modes: Mapping[int, int]) -> None:
    settings = termios.tcgetattr(slave)
    for place, names in _NAMES.items():
        for number, name in names.items():
            if number not in modes:
                continue
            value = modes[number]
            known = getattr(termios, name, _BITS.get(name))
            if known is None:
                continue
            if place == _CHARACTERS:
                settings[place][known] = bytes([value & 0xFF])
            else:
                settings[place] = settings[place] | known if value else settings[place] & ~known
    termios.tcsetattr(slave, termios.TCSANOW, settings)


def reset_signals() -> None:
    """In the child: undoes SIG_IGN, which a server started by `&` or nohup passes on. Without this
    Ctrl-C is dead in the shell and shells outlive a hang-up."""
    for number in _RESET:
        signal.signal(number, signal.SIG_DFL)
    signal.pthread_sigmask(signal.SIG_SETMASK, ())


def own_terminal() -> None:
    """In the child, after setsid: makes the pty on fd 0 its controlling terminal. uvloop would run
    this before setsid, which is one reason why the SSH front runs on asyncio's own loop."""
    reset_signals()
    fcntl.ioctl(0, termios.TIOCSCTTY, 0)


def name(slave: int) -> str:
    return os.ttyname(slave)
