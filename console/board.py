"""What a console knows of its router, kept up to date from snapshots and changes. Pure.

Its rule: bounded, and honest about its own age: `link` says whether what stands here is live, has
gone stale, or is only what the ledger remembers.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

import msgspec

from router import contract
from router.contract import Beat, OverrideView, RequestView, ServiceView, Snapshot, Totals

#: finished requests kept for the Live screen; older ones are a filter away, in the ledger
RECENT = 500

#: alerts kept
ALERTS = 50

LinkState = Literal["connecting", "live", "stale", "down"]


class Board:
    """`since` is when `link` became what it is, `heard` when the router last said anything."""

    def __init__(self) -> None:
        self.link: LinkState = "connecting"
        self.since = 0.0
        self.heard = 0.0
        self.snapshot: Snapshot | None = None
        self.requests: dict[str, RequestView] = {}
        self.services: tuple[ServiceView, ...] = ()
        self.overrides: tuple[OverrideView, ...] = ()
        #: sessions whose new requests are refused
        self.paused: tuple[str, ...] = ()
        #: who is here over SSH or the browser
        self.visitors: tuple[contract.Visitor, ...] = ()
        #: newest first; `alerted` counts those that came while this console looked
        self.alerts: tuple[contract.AlertView, ...] = ()
        self.alerted = 0
        self.beat: Beat | None = None
        self.today = Totals()
        self.config_error = ""
        #: why there is no router, or none that can be understood
        self.reason = ""

    # ── from the router ───────────────────────────────────────────────────────────────────────────

    def take(self, snapshot: Snapshot, now: float) -> None:
        """A snapshot replaces all that was known, but for requests older than its own."""
        self._become("live", now)
        self.heard = now
        self.reason = ""
        self.snapshot = snapshot
        self.services = snapshot.services
        self.overrides = snapshot.overrides
        self.paused = snapshot.paused
        self.visitors = snapshot.visitors
        self.alerts = snapshot.alerts
        self.config_error = snapshot.config_error
        for request in list(self.requests.values()):
            if request.state == "running":
                # one that the new router does not name is not running any more
                self.requests[request.id] = _lost(request)
        self._keep((*snapshot.recent, *snapshot.running))
        self._beat(snapshot.beat)

    def apply(self, change: contract.Change, now: float) -> bool:
        """Takes one change in; True when a new snapshot should be asked for."""
        self._become("live", now)
        self.heard = now
        match change:
            case contract.Beat():
                self._beat(change)
            case contract.ServicesChanged():
                self.services = change.services
            case contract.OverridesChanged():
                self.overrides = change.overrides
            case contract.PausedChanged():
                self.paused = change.paused
            case contract.VisitorsChanged():
                self.visitors = change.visitors
            case contract.AlertRaised():
                self.alerts = (change.alert, *self.alerts)[:ALERTS]
                self.alerted += 1
            case contract.Reloaded():
                self.config_error = change.error
                return True
            case contract.Dropped():
                return True
        return False

    def _beat(self, beat: Beat) -> None:
        self.beat = beat
        self.today = beat.today
        self._keep(beat.requests)

    # ── without a router ──────────────────────────────────────────────────────────────────────────

    def silent(self, now: float) -> None:
        """The router is there and does not answer."""
        if self.link == "live":
            self._become("stale", now)

    def lost(self, reason: str, now: float) -> None:
        """No router answers."""
        self.reason = reason
        if self.link != "down":
            self._become("down", now)
            self.beat = None
            for request in list(self.requests.values()):
                if request.state == "running":
                    self.requests[request.id] = _lost(request)

    def remember(
        self,
        requests: Iterable[RequestView],
        overrides: Iterable[OverrideView],
        today: Totals,
    ) -> None:
        """What the ledger has, shown while no router answers: nothing runs then, whatever the
        ledger of a killed router says."""
        self.overrides = tuple(overrides)
        self.today = today
        self._keep(_lost(r) if r.state == "running" else r for r in requests)

    # ── what screens ask ──────────────────────────────────────────────────────────────────────────

    @property
    def budgets(self) -> tuple[contract.BudgetView, ...]:
        """The fullest first; none are known without a router."""
        return self.beat.budgets if self.beat is not None else ()

    @property
    def running(self) -> list[RequestView]:
        """Newest first."""
        found = [r for r in self.requests.values() if r.state == "running"]
        return sorted(found, key=_started, reverse=True)

    @property
    def finished(self) -> list[RequestView]:
        """Newest first."""
        found = [r for r in self.requests.values() if r.state != "running"]
        return sorted(found, key=_started, reverse=True)

    def _keep(self, requests: Iterable[RequestView]) -> None:
        for request in requests:
            self.requests[request.id] = request
        for request in self.finished[RECENT:]:
            del self.requests[request.id]

    def _become(self, link: LinkState, now: float) -> None:
        if self.link != link:
            self.link, self.since = link, now


def _started(request: RequestView) -> tuple[float, str]:
    return request.started_at, request.id


def _lost(request: RequestView) -> RequestView:
    return msgspec.structs.replace(request, state="interrupted")
