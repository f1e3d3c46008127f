"""A console steps aside for requests: on a busy machine the router is served first.

Its rule: only a terminal session that is the console's own is put back, never a person's shell.

A nice value orders processes inside one session only where Linux groups processes by session
(sched_autogroup, on by default): twenty consoles, each in a session of its own and each at nice 10,
then weigh as much as twenty routers. The session's own value is what counts between sessions.
"""

from __future__ import annotations

import errno
import os
from pathlib import Path

#: of the console's process and of its session
NICE = 10
_GROUP = Path("/proc/self/autogroup")


def step_aside(group: Path = _GROUP) -> bool:
    """False where the kernel wants to be asked again later: it takes one such wish in a tenth of a
    second, from everybody together."""
    if os.getsid(0) != os.getpid():
        return True
    try:
        group.write_text(str(NICE))
    except OSError as error:
        return error.errno != errno.EAGAIN
    return True
