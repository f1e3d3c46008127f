"""Who may open the console in a browser: the holder of a ticket, or of a client's key.

One rule: what is kept of a ticket is a digest, one that was used or is too old opens nothing, and
all of them end when the router is stopped: a restart hands them on, in a file that is read once.
"""

from __future__ import annotations

import hashlib
import secrets
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import msgspec

from router.caller import admitted, public_name
from router.contract import Invitation, Invite, Invited
from router.process import bequest
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
    def __init__(self, wall: Callable[[], float], path: Path) -> None:
        """`path`: what a router that restarts hands on."""
        self._wall = wall
        self._path = path
        self._kept: dict[bytes, _Kept] = {}
        #: at first, those that the router before let in
        self._browsers = bequest.found(path, wall(), dict[bytes, Invitation]) or {}

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
        if (browser := self._browsers.get(digest)) is not None:
            return msgspec.structs.replace(browser, again=ticket)
        kept = self._kept.get(digest)
        if kept is None:
            return None
        if kept.expires_at is not None:
            del self._kept[digest]
            if self._wall() >= kept.expires_at:
                return None
        again = secrets.token_urlsafe(24)
        self._browsers[_digest(again)] = kept.invitation
        while len(self._browsers) > MOST:
            del self._browsers[next(iter(self._browsers))]
        return msgspec.structs.replace(kept.invitation, again=again)

    def hand_on(self) -> None:
        """Writes down which browsers were let in, for the router after a restart."""
        bequest.leave(self._path, self._wall(), self._browsers)


def by_key(key: str, generation: Generation) -> Invitation | None:
    """Whom a client's key lets in: with LiteLLM's or CCR's own key everything can be changed over
    HTTP already. The keys made for others open none: a console shows everybody's requests."""
    if not admitted(key, (*generation.litellm.keys, *generation.ccr.keys)):
        return None
    return Invitation("admin", public_name(key))


def _digest(ticket: str) -> bytes:
    return hashlib.sha256(ticket.encode("utf-8", "replace")).digest()
