"""Pausing a session, and resuming it.

One rule: only a session that has been seen is paused.
"""

from __future__ import annotations

import sqlite3
from typing import TYPE_CHECKING

from router.contract import (
    Done,
    Pause,
    PausedChanged,
    Refused,
    RequestFilter,
    Result,
    Resume,
)
from router.control.answers import said_by
from router.pauses import PAUSE
from storage.readers import Archive, ArchiveError

if TYPE_CHECKING:
    from router.service import Router


async def pause(router: Router, action: Pause | Resume) -> Result:
    if not action.session:
        return Refused("which session? A request without one cannot be paused")
    if isinstance(action, Pause):
        if not await _seen(router, action.session):
            listed = "`pointsman session list` shows those of late"
            return Refused(f"no session {action.session[:100]!r} is known: {listed}")
        router.paused.add(action.session)
        router.ledger.keep(PAUSE, action.session, "{}")
        words = f"paused session {action.session}: its new requests are refused"
    elif action.session == "all":
        count = len(router.paused)
        words = f"resumed {count} session{'s' * (count != 1)}"
        for session in router.paused:
            router.ledger.keep(PAUSE, session, None)
        router.paused.clear()
    elif action.session in router.paused:
        router.paused.discard(action.session)
        router.ledger.keep(PAUSE, action.session, None)
        words = f"resumed session {action.session}"
    else:
        return Refused(f"session {action.session!r} is not paused")
    router.live.tell(PausedChanged(tuple(sorted(router.paused))))
    router.log.info("control", f"{said_by(action.by)}{words}")
    return Done(words)


async def _seen(router: Router, session: str) -> bool:
    """Whether a session has ever asked for something: a mistyped id must not look as if it were
    heeded. A ledger that cannot be read is no reason to let one go on."""
    live = router.live
    if any(one.caller.session == session for one in live.running.values()):
        return True
    if any(one.session == session for one in live.recent):
        return True
    archive = Archive(router.home.ledger)
    try:
        return bool(await archive.requests(RequestFilter(session=session), 1))
    except (sqlite3.Error, ArchiveError):
        return True
    finally:
        await archive.close()
