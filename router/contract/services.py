"""The health of roles, providers and neighbours."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

#: spans of a service's history, and how long each is, in seconds
CELLS = 30
SPAN = 120.0

Condition = Literal["up", "degraded", "down", "unknown", "off"]


class Circuit(Struct, frozen=True, gc=False):
    """A model that failed too often: "open" rests until `until`; "half-open" may be probed once."""

    model: str
    key: int  # which of the provider's keys, from 1; 0: its only one
    state: Literal["open", "half-open"]
    until: float


class Loaded(Struct, frozen=True, gc=False):
    """A model that a local server holds in memory. `expires` as the server writes it (ISO)."""

    model: str
    context: int | None = None
    vram: int | None = None  # bytes
    expires: str = ""


class ServiceView(Struct, frozen=True, gc=False):
    """Health of a role, a provider or a neighbour. `reason` says why it is not "up"."""

    name: str
    kind: Literal["router", "role", "provider", "local", "key", "ssh", "neighbour"]
    state: Condition
    mode: Literal["embedded", "external", "simulated", "real", ""] = ""
    address: str = ""
    reason: str = ""
    checked_at: float | None = None
    models: tuple[str, ...] = ()
    requests: int = 0  # attempts since the router started
    errors: int = 0
    p50_ms: float | None = None  # time to first byte
    last_error: str = ""
    last_error_at: float | None = None
    cooling_until: float | None = None
    p95_ms: float | None = None  # time to first byte
    took_p50_ms: float | None = None  # the whole answer
    took_p95_ms: float | None = None
    #: what went by in each of the last CELLS spans, oldest first: (requests, errors)
    history: tuple[tuple[int, int], ...] = ()
    circuits: tuple[Circuit, ...] = ()  # of what rests or is being probed
    loaded: tuple[Loaded, ...] = ()  # of an Ollama
    place: str = ""  # of a neighbour: its path at the front door; a name, where it has but that
    keys: tuple[ServiceView, ...] = ()  # of a provider with several: kind "key", name "key 1"…


class ServiceChange(Struct, frozen=True, gc=False):
    """A service's state from `at` on, until its next change."""

    at: float
    service: str
    kind: str
    state: Condition
    reason: str = ""
