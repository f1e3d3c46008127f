"""The operator's switches: kept in memory, mirrored to the ledger, gone when they expire."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable
from typing import Protocol

import msgspec

from router.contract import OverrideView, SetOverride
from router.did_you_mean import mistyped
from router.settings import SCENARIOS, Generation, Target

SCOPES = ("everywhere", "session:", "key:", "scenario:")


class Keeper(Protocol):
    """Where overrides survive a restart (storage.writer.Ledger)."""

    def override(self, view: OverrideView) -> None: ...

    def clear_override(self, id: str) -> None: ...


class BadOverrideError(ValueError):
    """The override cannot be set; the message says why and what would do."""


class Overrides:
    """All overrides in force. At most one for each scope: setting it again replaces it."""

    def __init__(
        self, kept: Iterable[OverrideView], keeper: Keeper, wall: Callable[[], float]
    ) -> None:
        self._by_scope = {view.scope: view for view in kept}
        self._keeper = keeper
        self._wall = wall

    def in_force(self) -> tuple[OverrideView, ...]:
        """Those not expired; expired ones are forgotten."""
        if not self._by_scope:
            return ()
        now = self._wall()
        for view in [v for v in self._by_scope.values() if v.expires_at and v.expires_at <= now]:
            self._drop(view)
        return tuple(self._by_scope.values())

    def views(self, generation: Generation) -> tuple[OverrideView, ...]:
        """As `in_force`, each with the reason why it could not be honoured now, if there is one."""
        return tuple(
            msgspec.structs.replace(view, problem=problem(view.target, generation))
            for view in self.in_force()
        )

    def set(self, action: SetOverride, generation: Generation) -> OverrideView:
        """Raises BadOverrideError."""
        scope = _scope(action.scope)
        trouble = problem(action.target, generation)
        if trouble:
            raise BadOverrideError(trouble)
        if action.seconds is not None and action.seconds <= 0:
            raise BadOverrideError("the time to live must be more than 0 seconds")
        target = Target.parse(action.target)
        assert target is not None
        provider = generation.provider(target.provider)
        assert provider is not None
        now = self._wall()
        view = OverrideView(
            id="o_" + secrets.token_hex(4),
            scope=scope,
            target=f"{provider.name},{target.model}",
            set_at=now,
            expires_at=None if action.seconds is None else now + action.seconds,
            set_by=action.by,
            forced=action.forced,
        )
        old = self._by_scope.get(scope)
        if old is not None:
            self._drop(old)
        self._by_scope[scope] = view
        self._keeper.override(view)
        return view

    def clear(self, id: str) -> int:
        """Clears one by id, or "all". Returns how many were cleared."""
        found = [v for v in self.in_force() if id in (v.id, "all")]
        for view in found:
            self._drop(view)
        return len(found)

    def served(self, id: str) -> None:
        """One more request was decided by this override."""
        for scope, view in self._by_scope.items():
            if view.id == id:
                counted = msgspec.structs.replace(view, served=view.served + 1)
                self._by_scope[scope] = counted
                self._keeper.override(counted)
                return

    def _drop(self, view: OverrideView) -> None:
        del self._by_scope[view.scope]
        self._keeper.clear_override(view.id)


def problem(target: str, generation: Generation) -> str:
    """Why `target` cannot be honoured; "" when it can."""
    parsed = Target.parse(target)
    if parsed is None:
        return f"{target!r} is not a target: write provider,model"
    provider = generation.provider(parsed.provider)
    if provider is None:
        names = ", ".join(sorted(generation.providers)) or "none"
        return f"no provider is named {parsed.provider!r}; configured are: {names}"
    return ""


def odd(target: str, generation: Generation) -> str:
    """What speaks against a `target` that can be honoured; "" for nothing."""
    parsed = Target.parse(target)
    provider = generation.provider(parsed.provider) if parsed else None
    return mistyped(provider, parsed.model) if parsed and provider else ""


def _scope(text: str) -> str:
    kind, colon, name = text.partition(":")
    if kind == "everywhere" and not colon:
        return text
    if kind == "scenario" and name not in SCENARIOS:
        raise BadOverrideError(f"no scenario {name!r}; there are: {', '.join(SCENARIOS)}")
    if kind not in ("session", "key", "scenario") or not name:
        raise BadOverrideError(
            f"{text!r} is not a scope: write everywhere, session:ID, key:NAME or scenario:NAME"
        )
    return text
