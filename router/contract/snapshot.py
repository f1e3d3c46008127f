"""snapshot() and watch(): all at once, then what changes."""

from __future__ import annotations

from msgspec import Struct, field

from router.contract.alerts import AlertView
from router.contract.costs import BudgetView, Totals
from router.contract.findings import Finding, Listener
from router.contract.overrides import OverrideView
from router.contract.requests import RequestView
from router.contract.services import ServiceView
from router.contract.visits import Visitor

VERSION = "0.1.0"
#: bumped when a console and a router of different versions could misunderstand each other
PROTOCOL = 1
#: the variable that names to a router the listening sockets it takes over: "7,8,9"
HANDED_OVER = "POINTSMAN_HANDED_OVER"
#: and how many there may be
MOST_HANDED_OVER = 16


class Beat(Struct, frozen=True, tag=True, gc=False):
    """Twice a second at most, to each watcher."""

    at: float
    running: int
    per_second: float  # requests per second over the last 10 s
    p95_ms: float | None  # duration over the last minute
    error_rate: float  # 0…1 over the last minute
    today: Totals
    requests: tuple[RequestView, ...] = ()  # every request that changed since the last beat
    budgets: tuple[BudgetView, ...] = ()  # the fullest first


class Snapshot(Struct, frozen=True, gc=False):
    version: str
    protocol: int
    pid: int
    started_at: float
    home: str
    generation: int
    simulated_only: bool  # no real provider is configured
    listeners: tuple[Listener, ...]
    findings: tuple[Finding, ...]
    services: tuple[ServiceView, ...]
    overrides: tuple[OverrideView, ...]
    running: tuple[RequestView, ...]
    recent: tuple[RequestView, ...]  # newest first, at most 200
    beat: Beat
    targets: tuple[str, ...] = ()  # every "provider,model" that an override may name
    paused: tuple[str, ...] = ()  # sessions whose new requests are refused until they are resumed
    scenarios: dict[str, str] = field(default_factory=dict)  # scenario → target, as configured
    config_error: str = ""  # why the newest edit of a config file was not taken
    visitors: tuple[Visitor, ...] = ()  # oldest first
    alerts: tuple[AlertView, ...] = ()  # newest first, at most 50
    ledger_trouble: str = ""  # why requests cannot be written down at this time
    held: bool = False  # by a service manager or a container: a restart keeps its process


class ServicesChanged(Struct, frozen=True, tag=True, gc=False):
    services: tuple[ServiceView, ...]


class OverridesChanged(Struct, frozen=True, tag=True, gc=False):
    overrides: tuple[OverrideView, ...]


class PausedChanged(Struct, frozen=True, tag=True, gc=False):
    paused: tuple[str, ...]


class AlertRaised(Struct, frozen=True, tag=True, gc=False):
    alert: AlertView


class Reloaded(Struct, frozen=True, tag=True, gc=False):
    """A config file was edited: taken (`error` empty) or refused. Ask for a new snapshot."""

    generation: int
    error: str = ""


class VisitorsChanged(Struct, frozen=True, tag=True, gc=False):
    visitors: tuple[Visitor, ...]


class Dropped(Struct, frozen=True, tag=True, gc=False):
    """The watcher was too slow: `count` changes are missing. Ask for a new snapshot."""

    count: int


Change = (
    Beat
    | ServicesChanged
    | OverridesChanged
    | PausedChanged
    | VisitorsChanged
    | AlertRaised
    | Reloaded
    | Dropped
)
