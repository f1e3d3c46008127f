"""`python -m router.process.keeper COMMAND…`: a program of others, run while our own stdin is open.

Such a program does not watch a pipe to its parent (children.py). One rule: it and all that it
started have ended when this process has, also where the router was killed.
"""

from __future__ import annotations

import contextlib
import ctypes
import functools
import os
import signal
import subprocess
import sys
import threading

from router.process import lifeline

#: seconds to end by itself; below the patience of those who end us
GRACE = 8.0
#: as a shell says it: there is no such program
NOT_FOUND = 127
#: what we are told to end with
_ENDS = (signal.SIGTERM, signal.SIGINT)
#: of <linux/prctl.h>
_PR_SET_PDEATHSIG = 1


def main(command: list[str]) -> int:
    # what comes meanwhile waits until there is somebody to pass it on to
    signal.pthread_sigmask(signal.SIG_BLOCK, _ENDS)
    try:
        program = subprocess.Popen(
            command,
            stdin=subprocess.DEVNULL,
            start_new_session=True,
            preexec_fn=functools.partial(_end_with, os.getpid()),
        )
    except OSError as error:
        sys.stderr.write(f"{command[0]}: {error.strerror}\n")
        return NOT_FOUND
    told = threading.Event()

    def end(*_: object) -> None:
        if not told.is_set():
            told.set()
            _signal(program.pid, signal.SIGTERM)
            last = threading.Timer(GRACE, _signal, (program.pid, signal.SIGKILL))
            last.daemon = True
            last.start()

    for number in _ENDS:
        signal.signal(number, end)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)
    lifeline.watch(end)
    code = program.wait()
    _signal(program.pid, signal.SIGKILL)  # whatever it left behind
    return 0 if told.is_set() else code if code > 0 else 1


def _end_with(keeper: int) -> None:
    """Where the kernel can do it: a keeper that was killed itself leaves nothing behind, either,
    not even where it was killed before this."""
    if sys.platform == "linux":
        ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGTERM)
    if os.getppid() != keeper:
        os._exit(1)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, _ENDS)


def _signal(group: int, number: signal.Signals) -> None:
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(group, number)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
