"""Health: every role, provider and neighbour with its state and the reason for it; below it, what
start-up looked for, what it found, and where.

Its rule: a state is a glyph and a word, and what is not up says why.
"""

from __future__ import annotations

from textual.app import ComposeResult
from textual.content import Content
from textual.widgets import Static

from console.screens.view import View, hidden
from console.text import UNKNOWN, age, ms
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.paint import Piece, Span, say
from console.widgets.table import ListRows, Row, Table
from router.contract import Finding, ServiceView

SERVICES = (
    Column("name", 16, grow=1),
    Column("state", 10),
    Column("mode", 8, drop=2),
    Column("p50", 6, number=True, drop=1),
    Column("requests", 8, number=True, drop=3),
    Column("errors", 6, number=True),
    Column("note", 16, grow=6),
    Column("address", 20, drop=4, grow=3),
)
FINDINGS = (
    Column("looked for", 20, grow=1),
    Column("", 9),
    Column("where", 24, grow=2),
    Column("detail", 20, grow=3),
)

_STATES: dict[str, tuple[str, Tone]] = {
    "up": ("● up", "good"),
    "degraded": ("◐ degraded", "warn"),
    "down": ("✗ down", "bad"),
    "unknown": ("○ unknown", "muted"),
    "off": ("– off", "muted"),
}
_FOUND: dict[str, tuple[str, Tone]] = {
    "found": ("✓ found", "good"),
    "made": ("+ made", "accent"),
    "absent": ("– absent", "muted"),
    "problem": ("✗ problem", "bad"),
}


def service(view: ServiceView, now: float) -> Row:
    state, tone = _STATES[view.state]
    cooling = view.cooling_until is not None and view.cooling_until > now
    if cooling:
        state, tone = "◔ cooling", "warn"
    mode = "◇ sim" if view.mode == "simulated" else view.mode or UNKNOWN
    quiet: Tone = "muted" if view.mode == "simulated" or view.state == "off" else ""
    return (
        Span(view.name, "muted" if view.state == "off" else ""),
        Span(state, tone),
        Span(mode, quiet),
        Span(ms(view.p50_ms), "" if view.p50_ms is not None else "muted"),
        Span(f"{view.requests:,}", "" if view.requests else "muted"),
        Span(f"{view.errors:,}", "bad" if view.errors else "muted"),
        _note(view, now),
        Span(view.address or UNKNOWN, "muted"),
    )


def _note(view: ServiceView, now: float) -> list[Piece]:
    """Why it is not up; else the last thing that went wrong, and how long ago."""
    said: list[Piece] = []
    if view.cooling_until is not None and view.cooling_until > now:
        said.append(Span(f"back in {age(view.cooling_until - now)}  ", "warn"))
    if view.state in ("down", "degraded") and view.reason:
        said.append(Span(view.reason, "bad" if view.state == "down" else "warn"))
    elif view.last_error:
        ago = "" if view.last_error_at is None else f"{age(now - view.last_error_at)} ago  "
        said.append(Span(f"{ago}{view.last_error}", "muted"))
    elif view.reason:
        said.append(Span(view.reason, "muted"))
    elif view.models:
        said.append(Span(", ".join(view.models[:8]), "muted"))
    return said or [""]


def whole(view: ServiceView, now: float) -> Content:
    """The selected one with nothing cut."""
    said: list[Piece] = [Span(view.name, "strong"), Span(f"  {view.address}", "muted")]
    if view.reason:
        said.append(f"   {view.reason}")
    if view.last_error:
        at = "" if view.last_error_at is None else f" {age(now - view.last_error_at)} ago"
        said.append(Span(f"   last error{at}: {view.last_error}", "warn"))
    if view.models:
        said.append(Span(f"   {len(view.models)} models: {', '.join(view.models[:12])}", "muted"))
    return say(*said)


def finding(view: Finding) -> Row:
    state, tone = _FOUND[view.state]
    return (
        Span(view.what, "muted" if view.state == "absent" else ""),
        Span(state, tone),
        Span(view.where, "muted"),
        Span(view.detail, "bad" if view.state == "problem" else "muted"),
    )


class Health(View):
    NAME = "Health"

    def __init__(self) -> None:
        super().__init__(id="health")

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(SERVICES, id="services", shy=True)
        yield Static(id="service", markup=False)
        yield Bar(id="found", classes="section")
        yield Table(FINDINGS, id="findings", shy=True)

    def draw(self) -> None:
        board = self.console_app.board
        now = self.console_app.now()
        services = self.query_one("#services", Table)
        services.show(
            ListRows(board.services, lambda s: f"{s.kind} {s.name}", lambda s: service(s, now))
        )
        services.styles.height = max(len(board.services), 1) + 1
        found = board.snapshot.findings if board.snapshot else ()
        findings = self.query_one("#findings", Table)
        findings.show(ListRows(found, lambda f: f"{f.what} {f.where}", finding))
        chosen = next(
            (s for s in board.services if f"{s.kind} {s.name}" == services.selected), None
        )
        self.query_one("#service", Static).update(whole(chosen, now) if chosen else say())
        self.query_one("#found", Bar).say(
            [Span("Found at start", "strong"), Span("   what was looked for, and where", "muted")]
        )
        self._say_title(services)

    def _say_title(self, services: Table) -> None:
        board = self.console_app.board
        counts: list[Piece] = []
        for state in ("up", "degraded", "down"):
            if count := sum(1 for s in board.services if s.state == state):
                counts.append(Span(f"  {count} {state}", _STATES[state][1]))
        if board.link == "down":
            counts.append(Span("   as it was before the router went down", "warn"))
        if board.config_error:
            counts.append(Span(f"   config not taken: {board.config_error}", "bad"))
        self.title(*counts, hint=hidden(services))
