"""Which session a person means who typed the beginning of its id.

Its rule: an id that no session of late begins with is taken as it was typed: its session may be
older, or come yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from console.output import fail
from console.text import clean

if TYPE_CHECKING:
    from collections.abc import Sequence

    from console.link import Link

#: sessions of late that are looked through
LATE = 1_000


async def meant(link: Link, typed: str, others: Sequence[str] = ()) -> str:
    """The id that is meant, of a session of late or of `others`. Ends the command where several
    begin so."""
    known = dict.fromkeys((*others, *await link.archive.sessions(LATE)))
    if not typed or typed in known:
        return typed
    found = [session for session in known if session.startswith(typed)]
    if len(found) > 1:
        some = ", ".join(clean(session) for session in found[:5])
        fail(f"{len(found)} sessions begin with {typed}: {some}")
    return found[0] if found else typed
