"""Health: every role, provider and neighbour with its state and the reason for it; below it, what
start-up looked for, what it found, and where.

Its rule: a state is a glyph and a word, and what is not up says why.
"""

from __future__ import annotations

from collections.abc import Sequence
from operator import attrgetter
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Static

from console.screens.dialogs import Answer, Choose, Sheet
from console.screens.picker import Picker
from console.screens.view import FilteredView, FilterLine, hidden
from console.text import UNKNOWN, age, money, ms, percent, tokens, when
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.paint import Cell, Piece, Span, lines, say
from console.widgets.table import ListRows, Row, Table, every
from router.contract import (
    CELLS,
    Finding,
    ListModels,
    Models,
    ServiceChange,
    ServiceView,
)

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

#: changes of a service's state that are told
CHANGES = 100
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


def listed(services: Sequence[ServiceView]) -> list[tuple[str, ServiceView]]:
    """Every service with its key in the list, and under a provider of several keys each of them."""
    found = []
    for view in services:
        found.append((_named(view), view))
        found += [(f"{_named(view)} {key.name}", key) for key in view.keys]
    return found


def _named(view: ServiceView) -> str:
    return f"{view.kind} {view.name}"


def service(view: ServiceView, now: float) -> Row:
    state, tone = _STATES[view.state]
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
        state, tone = _STATES[change.state]
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


def _price(cost: int | None) -> str:
    """What a check costs at most, nano-dollars."""
    if cost is None:
        return "What they cost is not known: the model has no price here."
    return f"They cost at most about {money(cost)}, like anybody's." if cost else "They are free."


def _key(view: Finding) -> str:
    """Two may be about one file: what is wrong with it tells them apart."""
    return f"{view.what} {view.where} {view.state} {view.detail}"


def _told(view: Finding) -> Content:
    """The selected one with nothing cut."""
    state, tone = _FOUND[view.state]
    head = say(Span(view.what, "strong"), Span(f"  {view.where}  ", "muted"), Span(state, tone))
    return lines(head, say(view.detail))


class Health(FilteredView):
    NAME = "Health"
    KEYS = (
        ("t", "check it"),
        ("c", "end its rest"),
        ("h", "history"),
        ("/", "filter"),
        ("s", "sort"),
        ("v", "visitors"),
        ("tab", "what was found"),
    )
    CHANGES = frozenset(("t", "c"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("t", "check", "Check which features work there, with real requests"),
        Binding("c", "wake", "End its rest after errors"),
        Binding("h", "history", "When it went down and came back"),
        Binding("v", "visitors", "Who is here over SSH or the browser"),
        Binding("y", "copy", "Copy its address and last error"),
    ]

    def __init__(self) -> None:
        super().__init__(id="health")

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(SERVICES, edge="top", marks=every, shy=True, id="services", name="health")
        yield Static(id="service", markup=False)
        yield Bar(id="found", classes="section")
        yield Table(FINDINGS, edge="top", shy=True, id="findings", name="findings")
        yield FilterLine("words, !words, name: state: note:")

    def draw(self) -> None:
        board = self.console_app.board
        now = self.console_app.now()
        services = self.query_one("#services", Table)
        kept = self.kept(SERVICES, board.services)
        rows = listed(services.settle(kept, _named))
        services.show(ListRows(rows, lambda row: row[0], lambda row: service(row[1], now)))
        services.styles.height = max(len(rows), 1) + 1
        known = board.snapshot.findings if board.snapshot else ()
        findings = self.query_one("#findings", Table)
        found = findings.settle(self.kept(FINDINGS, known), _key)
        findings.show(ListRows(found, _key, finding))
        chosen = self.chosen()
        said = whole(chosen, now) if chosen else say()
        if findings.has_focus:  # there its line is cut, and it may end in what to type
            said = next((_told(f) for f in found if _key(f) == findings.selected), said)
        self.query_one("#service", Static).update(said)
        self.query_one("#found", Bar).say(
            [
                Span("Found at start", "strong"),
                self.count(len(found), len(known), "looked for")
                if self.filter
                else Span("   what was looked for, and where", "muted"),
                *self.standing(findings),
            ]
        )
        self._say_title(services, len(kept))

    def chosen(self) -> ServiceView | None:
        key = self.query_one("#services", Table).selected
        return dict(listed(self.console_app.board.services)).get(str(key))

    def _picked(self) -> list[ServiceView]:
        """The marked ones, or the chosen one."""
        keys = self.query_one("#services", Table).picked
        return [view for key, view in listed(self.console_app.board.services) if key in keys]

    def _provider(self) -> ServiceView | None:
        """The chosen one, or whose key it is."""
        return self._whose(self.chosen())

    def _whose(self, chosen: ServiceView | None) -> ServiceView | None:
        if chosen is not None and chosen.kind == "key":
            services = self.console_app.board.services
            return next((s for s in services if any(key is chosen for key in s.keys)), None)
        return chosen

    def command(self) -> str:
        return "pointsman status"

    @work(exclusive=True, group="history")
    async def action_history(self) -> None:
        app, chosen = self.console_app, self._provider()
        if chosen is None or app.archive is None:
            return
        changes = await self.ask(app.archive.health(0.0, chosen.name, CHANGES), [])
        app.push_screen(Sheet(f"{chosen.name} over time", history(changes, app.now())))

    def action_visitors(self) -> None:
        self.console_app.show_visitors()

    def action_wake(self) -> None:
        chosen = [view for view in map(self._whose, self._picked()) if view is not None]
        names = [view.name for view in chosen if view.kind in ("provider", "local")]
        self.console_app.wake(*names, then=self.query_one("#services", Table).unmark)

    def action_copy(self) -> None:
        if picked := self._picked():
            words = (f"{view.name} {view.address} {view.last_error}".strip() for view in picked)
            many = len(picked)
            self.console_app.copy(
                "\n".join(words), "the service" if many == 1 else f"{many} services"
            )

    @work(exclusive=True, group="check")
    async def action_check(self) -> None:
        """Asks first: real requests cost money."""
        from console.conformance import CHECKS, MOST_INPUT, MOST_OUTPUT
        from console.screens.checking import Checking

        app, chosen = self.console_app, self._provider()
        if chosen is None or app.refuses_change():
            return
        if chosen.kind not in ("provider", "local"):
            app.say("only a provider can be checked")
            return
        listed = await app.question(ListModels())
        models = {m.target: m for m in listed.models} if isinstance(listed, Models) else {}
        offered = [f"{chosen.name},{model}" for model in chosen.models]
        if not offered:
            app.say(f"{chosen.name} lists no model")
            return
        target: str | None = offered[0]
        if len(offered) > 1:
            target = await self.app.push_screen_wait(Picker("Check which model?", offered, models))
        if not target:
            return
        model = models.get(target)
        cost: int | None = None
        if model is not None and model.input is not None and model.output is not None:
            cost = round(model.input * MOST_INPUT + model.output * MOST_OUTPUT)
        detail = [
            say(Span(f"{len(CHECKS)} real requests to {target}.", "muted")),
            say(Span(_price(cost), "warn")),
        ]
        answers = [Answer("", "esc", "no, leave it"), Answer("yes", "t", "check it")]
        if await self.app.push_screen_wait(Choose(f"Check {target}?", detail, answers)):
            self.app.push_screen(Checking(target))

    def _say_title(self, services: Table, shown: int) -> None:
        board = self.console_app.board
        counts: list[Piece] = []
        for state in ("up", "degraded", "down"):
            if count := sum(1 for s in board.services if s.state == state):
                counts.append(Span(f"  {count} {state}", _STATES[state][1]))
        if self.filter:
            counts.append(self.count(shown, len(board.services), "services"))
        counts += self.standing(services)
        if board.link == "down":
            counts.append(Span("   as it was before the router went down", "warn"))
        if board.config_error:
            counts.append(Span(f"   config not taken: {board.config_error}", "bad"))
        if board.snapshot and board.snapshot.ledger_trouble:
            words = f"   requests cannot be written down: {board.snapshot.ledger_trouble}"
            counts.append(Span(words, "bad"))
        self.title(*counts, hint=hidden(services))
