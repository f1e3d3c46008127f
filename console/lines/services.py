"""What the Health screen says of a service and of a finding: its row, and the whole of it. Pure.

Its rule: a state is a glyph and a word, and what is not up says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter

from textual.content import Content

from console.text import UNKNOWN, age, ms, percent, tokens, when
from console.theme import Tone
from console.widgets.columns import Column
from console.widgets.paint import Cell, Piece, Span, lines, say
from console.widgets.rows import Row
from router.contract import CELLS, Finding, ServiceChange, ServiceView

#: the worst first
_WORST = ("down", "degraded", "unknown", "up", "off")
SERVICES = (
    Column("name", 14, grow=1, by=attrgetter("name")),
    Column("state", 10, by=lambda s: _WORST.index(s.state), words=attrgetter("state")),
    Column("mode", 8, drop=5, by=attrgetter("mode")),
    Column("ttft p50", 8, number=True, drop=1, by=attrgetter("p50_ms")),
    Column("p95", 6, number=True, drop=3, by=attrgetter("p95_ms")),
    Column("took", 6, number=True, drop=6, by=attrgetter("took_p50_ms")),
    Column("requests", 8, number=True, drop=4, by=attrgetter("requests")),
    Column("errors", 6, number=True, by=lambda s: s.errors / s.requests if s.requests else None),
    Column("last hour", CELLS, drop=2),
    Column("note", 16, grow=6, words=lambda s: " ".join((s.reason, s.last_error, *s.models))),
)
FINDINGS = (
    Column("looked for", 20, grow=1, by=attrgetter("what")),
    Column("", 9, words=attrgetter("state")),
    Column("where", 24, grow=2, by=attrgetter("where")),
    Column("detail", 20, grow=3, by=attrgetter("detail")),
)
STATES: dict[str, tuple[str, Tone]] = {
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


def listed(services: Sequence[ServiceView]) -> list[tuple[str, ServiceView]]:
    """Every service with its key in the list, and under a provider of several keys each of them."""
    found = []
    for view in services:
        found.append((service_key(view), view))
        found += [(f"{service_key(view)} {key.name}", key) for key in view.keys]
    return found


def service_key(view: ServiceView) -> str:
    return f"{view.kind} {view.name}"


def service(view: ServiceView, now: float) -> Row:
    state, tone = STATES[view.state]
    cooling = view.cooling_until is not None and view.cooling_until > now
    if cooling:
        state, tone = "◔ cooling", "warn"
    mode = "◇ sim" if view.mode == "simulated" else view.mode or UNKNOWN
    quiet: Tone = "muted" if view.mode == "simulated" or view.state == "off" else ""
    return (
        Span(
            f" └ {view.name}" if view.kind == "key" else view.name,
            "muted" if view.state == "off" or view.kind == "key" else "",
        ),
        Span(state, tone),
        Span(mode, quiet),
        Span(ms(view.p50_ms), "" if view.p50_ms is not None else "muted"),
        Span(ms(view.p95_ms), "muted"),
        Span(ms(view.took_p50_ms), "muted"),
        Span(f"{view.requests:,}", "" if view.requests else "muted"),
        _errors(view),
        strip(view.history),
        _note(view, now),
    )


def _errors(view: ServiceView) -> Span:
    """The share of what went by that failed."""
    if not view.requests:
        return Span(UNKNOWN, "muted")
    part = view.errors / view.requests
    return Span(percent(part), "bad" if part >= 0.05 else "warn" if part else "muted")


def strip(history: Sequence[tuple[int, int]]) -> Cell:
    """A cell for each span of the last hour: the higher, the more of it failed."""
    shown: list[Piece] = []
    for requests, errors in history:
        part = errors / requests if requests else 0.0
        if not requests:
            shown.append(Span("·", "muted"))
        elif not errors:
            shown.append(Span("▂", "good"))
        else:
            shown.append(Span("▅" if part < 0.5 else "█", "warn" if part < 0.5 else "bad"))
    return shown or Span("")


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
    elif view.kind == "key":
        said.append(Span(view.address, "muted"))
    return said or [""]


def whole(view: ServiceView, now: float) -> Content:
    """The selected one with nothing cut."""
    said: list[Piece] = [Span(view.name, "strong"), Span(f"  {view.address}", "muted")]
    if view.place:
        said.append(Span(f"   front door: {view.place}", "muted"))
    if view.reason:
        said.append(f"   {view.reason}")
    if view.last_error:
        at = "" if view.last_error_at is None else f" {age(now - view.last_error_at)} ago"
        said.append(Span(f"   last error{at}: {view.last_error}", "warn"))
    if view.models:
        many = len(view.models)
        words = f"   {many} model{'s' if many > 1 else ''}: {', '.join(view.models[:12])}"
        said.append(Span(words, "muted"))
    return lines(say(*said), *_circuits(view, now), *_loaded(view))


def _circuits(view: ServiceView, now: float) -> list[Content]:
    """What rests, and when it may be asked again."""
    shown = []
    for circuit in view.circuits[:3]:
        key = f", key {circuit.key}" if circuit.key else ""
        words = f"open, back in {age(circuit.until - now)}"
        if circuit.state == "half-open":
            words = "half-open: the next request is its probe"
        shown.append(
            say(Span(f"  ◔ {circuit.model}{key}  ", "warn"), words, Span("   c: now", "muted", "c"))
        )
    return shown


def _loaded(view: ServiceView) -> list[Content]:
    """What a local server holds in memory."""
    shown = []
    for model in view.loaded[:3]:
        vram = "" if model.vram is None else f"   {model.vram / 2**30:.1f} GiB of VRAM"
        until = f"   until {model.expires[11:19]}" if len(model.expires) >= 19 else ""
        size = f"   context {tokens(model.context)}" if model.context else ""
        shown.append(say(Span("  ▪ ", "good"), model.model, Span(f"{size}{vram}{until}", "muted")))
    return shown


def history(changes: Sequence[ServiceChange], now: float) -> list[Content]:
    """Newest first: since when, for how long, what, and why."""
    shown = []
    until = now
    for change in changes:
        state, tone = STATES[change.state]
        shown.append(
            say(
                Span(f"{when(change.at)}  ", "muted"),
                Span(f"{age(until - change.at):>7}  ", ""),
                Span(f"{state:<11}", tone),
                Span(change.reason, "muted"),
            )
        )
        until = change.at
    return shown or [say(Span("no change of its state is kept", "muted"))]


def finding(view: Finding) -> Row:
    state, tone = _FOUND[view.state]
    return (
        Span(view.what, "muted" if view.state == "absent" else ""),
        Span(state, tone),
        Span(view.where, "muted"),
        Span(view.detail, "bad" if view.state == "problem" else "muted"),
    )


def found_key(view: Finding) -> str:
    """Two may be about one file: what is wrong with it tells them apart."""
    return f"{view.what} {view.where} {view.state} {view.detail}"


def told(view: Finding) -> Content:
    """The selected one with nothing cut."""
    state, tone = _FOUND[view.state]
    head = say(Span(view.what, "strong"), Span(f"  {view.where}  ", "muted"), Span(state, tone))
    return lines(head, say(view.detail))
