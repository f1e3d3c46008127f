"""Switches that an operator set."""

from __future__ import annotations

from msgspec import Struct


class OverrideView(Struct, frozen=True, gc=False):
    """A switch the operator set. `scope` is "everywhere", "session:ID", "key:NAME" or
    "scenario:NAME"; `forced` puts it before every other rule."""

    id: str
    scope: str
    target: str  # "provider,model"
    set_at: float
    expires_at: float | None = None
    set_by: str = ""
    forced: bool = False
    served: int = 0
    problem: str = ""  # why it cannot be honoured now; loud in red
