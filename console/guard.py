"""A terminal that is left clean also by a console that is killed (SIGKILL, out of memory).

Its rule: who is killed cannot clean up, so a small shell waits beside the console. It does nothing
but wait for a word; if the console goes without it, it gives the terminal back as it was.
"""

from __future__ import annotations

import os
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress

#: out of the alternate screen, mouse reports, pasted-text marks and kitty's keys; the cursor shown
CLEAN = (
    "\x1b[?1000l\x1b[?1002l\x1b[?1003l\x1b[?1006l\x1b[?1015l\x1b[?1016l\x1b[?2004l\x1b[?2048l"
    "\x1b[<u\x1b[?1049l\x1b[?25h\x1b[0m"
)
_PRINTED = CLEAN.replace("\x1b", r"\033")
#: of a background process only that may write to the terminal which does not mind being told not to
_WAIT = f"""
trap '' HUP INT QUIT TERM TSTP TTIN TTOU
was=$(stty -g </dev/tty) || exit 0
echo seen
read -r word || {{
    printf '{_PRINTED}' >/dev/tty
    stty "$was" </dev/tty
    echo 'The console was killed. The router is not affected.' >/dev/tty
}}
"""


@contextmanager
def guarded() -> Iterator[None]:
    """As long as the block lasts. Where there is no terminal or no shell, nothing stands guard."""
    if not (os.isatty(0) and os.path.exists("/bin/sh")):
        yield
        return
    guard = subprocess.Popen(
        ["/bin/sh", "-c", _WAIT],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
    )
    assert guard.stdin is not None
    assert guard.stdout is not None
    guard.stdout.readline()  # it has seen how the terminal was, or that there is none
    guard.stdout.close()
    try:
        yield
    finally:
        with suppress(BrokenPipeError):
            guard.stdin.write(b"done\n")
            guard.stdin.close()
        guard.wait()
