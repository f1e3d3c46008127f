"""What was turned away before an exchange began for it: a wrong key, a path that nobody serves, a
name that is not ours. It has no row in the ledger, so its line in the log is all there is of it.

One rule: the line has the id that its client was told, and never a key.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.doors.call import Call
from router.doors.callers import client_of, public_name
from router.log import TURNED_AWAY, Level

if TYPE_CHECKING:
    from router.service import Router

#: keys as LiteLLM makes them: paths and words of its management API hold them
_KEY = re.compile(r"\bsk-[\w.~-]+")
#: what clients ask for that we have not: they try many a path, and go on
_COMMON = frozenset({400, 404, 405, 415})


def refused(router: Router, call: Call, status: int, words: str) -> None:
    """Writes it down. Call it before the answer goes out: both have the same id."""
    router.meters.refused[status] += 1
    level: Level = "info" if status in _COMMON else "warning"
    who = ", ".join(filter(None, (client_of(call.headers), public_name(call.key))))
    if sent := call.headers.get("x-request-id", ""):
        who += f" (x-request-id {sent[:100]})"
    path: str = call.scope["path"]
    text = f"{call.method} {path[:300]} refused with {status} to {who or 'a client'}: {words[:500]}"
    router.log.write(level, TURNED_AWAY, _KEY.sub("sk-…", text), call.named())
