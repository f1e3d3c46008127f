"""Who may open the console in a browser: the holder of a ticket, or of a client's key.

One rule: what is kept of a ticket is a digest, one that was used or is too old opens nothing, and
all of them end with the router.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass

from router.contract import Invitation, Invite, Invited
from router.doors.callers import admitted, public_name
from router.settings import Generation

#: seconds for which a ticket for one browser is good
GOOD = 600.0
#: tickets at once: the oldest make room
MOST = 100


@dataclass(frozen=True, slots=True)
class _Kept:
    invitation: Invitation
    expires_at: float | None


class Invitations:
    def __init__(self, wall: Callable[[], float]) -> None:
        self._wall = wall
        self._kept: dict[bytes, _Kept] = {}

    def invite(self, action: Invite) -> Invited:
        ticket = secrets.token_urlsafe(24)
        expires_at = self._wall() + GOOD if action.once else None
        self._kept[_digest(ticket)] = _Kept(Invitation(action.role, action.by), expires_at)
        while len(self._kept) > MOST:
            del self._kept[next(iter(self._kept))]
        return Invited(ticket, expires_at)

    def redeem(self, ticket: str) -> Invitation | None:
        """Whom it lets in; None where it is none, too old, or was used."""
        digest = _digest(ticket)
        kept = self._kept.get(digest)
        if kept is None:
            return None
        if kept.expires_at is None:
            return kept.invitation
        del self._kept[digest]
        return kept.invitation if self._wall() < kept.expires_at else None


def by_key(key: str, generation: Generation) -> Invitation | None:
    """Whom a client's key lets in: with LiteLLM's or CCR's own key everything can be changed over
    HTTP already. The keys made for others open none: a console shows everybody's requests."""
    if not admitted(key, (*generation.litellm.keys, *generation.ccr.keys)):
        return None
    return Invitation("admin", public_name(key))


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).digest()
