"""What was turned away before an exchange began for it: a wrong key, a path that nobody serves, a
name that is not ours. It has no row in the ledger, so its line in the log is all there is of it.

One rule: the line has the id that its client was told, and never a key. What is not even a request
can come at any rate: of that one line a second is written for each fault, and counts the others.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from router.call import Call
from router.caller import client_of, public_name
from router.log import TURNED_AWAY, Level

if TYPE_CHECKING:
    from router.service import Router

#: keys as LiteLLM makes them: paths and words of its management API hold them
_KEY = re.compile(r"\bsk-[\w.~-]+")
#: what clients ask for that we have not: they try many a path, and go on
_COMMON = frozenset({400, 404, 405, 415})
#: seconds
_QUIET = 1.0


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


class TurnedAway:
    """What the connections tell of: what was refused before it was a request."""

    def __init__(self, router: Router) -> None:
        self._router = router
        #: by the words, which are few: when a line was written last, and how many were not since
        self._written: dict[str, tuple[float, int]] = {}

    def __call__(self, status: int, words: str, asked: str) -> str:
        """Returns its id. `asked`: "127.0.0.1, for /v1/messages"."""
        router = self._router
        router.meters.refused[status] += 1
        id, now = router.new_id(), router.now()
        at, untold = self._written.get(words, (-_QUIET, 0))
        if now - at < _QUIET:
            self._written[words] = (at, untold + 1)
            return id
        self._written[words] = (now, 0)
        more = f"; and {untold:,} like it before" if untold else ""
        text = f"refused with {status} to {asked[:400]}: {words}{more}"
        level: Level = "info" if status in _COMMON else "warning"
        router.log.write(level, TURNED_AWAY, _KEY.sub("sk-…", text), id)
        return id
