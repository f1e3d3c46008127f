"""File descriptors: as many as the system lets us have, and no more clients than those can serve.

One rule: who is let in can be answered. An answer needs a second descriptor, for its provider; a
router that has none left can neither ask nor write down.
"""

from __future__ import annotations

import resource
from contextlib import suppress

#: for the ledger, logs, children, consoles and probes; an idle router has about 40
RESERVED = 96
#: of any use; macOS refuses more than 10240
_MOST = (65_536, 10_240)


def raised() -> int:
    """Raises the soft limit, 1024 or 256 by tradition, towards the hard one. Returns what is in
    force."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for most in _MOST:
        wanted = most if hard == resource.RLIM_INFINITY else min(most, hard)
        if soft == resource.RLIM_INFINITY or soft >= wanted:
            break
        with suppress(OSError, ValueError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return wanted
    return _MOST[0] if soft == resource.RLIM_INFINITY else soft


def clients(descriptors: int, wanted: int) -> int:
    """How many of the `wanted` connections of clients the descriptors allow."""
    return max(1, min(wanted, (descriptors - RESERVED) // 2))
