"""Who is here over SSH or the browser, and what each of them may do.

One rule: a visit lasts as long as the front's call that announced it. A front that dies takes its
visitors' rights along, and a token that nobody announced has none.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable
from typing import get_args

from router.contract import (
    Action,
    AddModels,
    Arrival,
    Cancel,
    ClearCooldown,
    ClearOverride,
    Explain,
    Invite,
    ListModels,
    Pause,
    Redeem,
    ReplayRoutes,
    Resume,
    Role,
    SetOverride,
    ShowKeys,
    ShowRoutes,
    Visitor,
    VisitorsChanged,
    WeighOverride,
)

ROLES: tuple[Role, ...] = get_args(Role)
#: the least role for each action; one that is not here changes the router itself
NEEDS: dict[type, Role] = {
    Explain: "view",
    Invite: "view",
    ListModels: "view",
    ReplayRoutes: "view",
    ShowRoutes: "view",
    WeighOverride: "view",
    SetOverride: "operate",
    ClearOverride: "operate",
    Cancel: "operate",
    ClearCooldown: "operate",
    Pause: "operate",
    Resume: "operate",
    ShowKeys: "shell",
    # it says where requests go, and with which key: what else only who has the files may
    AddModels: "shell",
}


def may(role: Role, action: Action) -> bool:
    if isinstance(action, Invite) and ROLES.index(action.role) > ROLES.index(role):
        return False  # nobody lifts another above themselves
    if isinstance(action, Redeem):
        return False  # that is a front's to do
    return ROLES.index(role) >= ROLES.index(NEEDS.get(type(action), "admin"))


class Visit:
    """One person's stay. `dismissed` is set when an operator ends it."""

    def __init__(self, arrival: Arrival) -> None:
        self.view = Visitor(
            id="v_" + secrets.token_hex(3),
            by=arrival.by,
            role=arrival.role,
            origin=arrival.origin,
            doing=arrival.doing,
            since=arrival.since,
        )
        self.dismissed = asyncio.Event()


class Visitors:
    """`tell` is called with the news for consoles."""

    def __init__(self, tell: Callable[[VisitorsChanged], None]) -> None:
        self._by_token: dict[str, Visit] = {}
        self._tell = tell

    def enter(self, arrival: Arrival) -> Visit:
        visit = self._by_token[arrival.token] = Visit(arrival)
        self._tell(VisitorsChanged(self.views()))
        return visit

    def leave(self, arrival: Arrival) -> None:
        self._by_token.pop(arrival.token, None)
        self._tell(VisitorsChanged(self.views()))

    def by_token(self, token: str) -> Visitor | None:
        visit = self._by_token.get(token)
        return visit.view if visit else None

    def dismiss(self, who: str) -> int:
        """By a visit's id, or all of one name ("ssh:ana", "ana"). Returns how many."""
        found = [v for v in self._by_token.values() if who in _names(v.view)]
        for visit in found:
            visit.dismissed.set()
        return len(found)

    def views(self) -> tuple[Visitor, ...]:
        """Oldest first."""
        return tuple(sorted((v.view for v in self._by_token.values()), key=lambda v: v.since))


def _names(visitor: Visitor) -> tuple[str, str, str]:
    return visitor.id, visitor.by, visitor.by.partition(":")[2]
