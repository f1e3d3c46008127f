"""Health: every role, provider and neighbour with its state and the reason for it; below it, what
start-up looked for, what it found, and where.

Its rule: a check costs what any request costs, so it is asked about before it runs.
"""

from __future__ import annotations

from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.widgets import Static

from console.lines.services import (
    FINDINGS,
    SERVICES,
    STATES,
    finding,
    found_key,
    history,
    listed,
    service,
    service_key,
    told,
    whole,
)
from console.query import written
from console.screens.dialogs import Answer, Choose, Sheet
from console.screens.filtered import FilteredView, FilterLine
from console.screens.picker import Picker
from console.screens.view import hidden
from console.text import money
from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span, say
from console.widgets.table import ListRows, Table, every
from router.contract import (
    ListModels,
    Models,
    ServiceView,
)

#: changes of a service's state that are told
CHANGES = 100


def _price(cost: int | None) -> str:
    """What a check costs at most, nano-dollars."""
    if cost is None:
        return "What they cost is not known: the model has no price here."
    return f"They cost at most about {money(cost)}, like anybody's." if cost else "They are free."


class Health(FilteredView):
    NAME = "Health"
    KEYS = (
        ("enter", "its requests"),
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
        misread = self.misread
        rows = listed(services.settle(kept, service_key))
        services.show(ListRows(rows, lambda row: row[0], lambda row: service(row[1], now)))
        services.styles.height = max(len(rows), 1) + 1
        known = board.snapshot.findings if board.snapshot else ()
        findings = self.query_one("#findings", Table)
        found = findings.settle(self.kept(FINDINGS, known), found_key)
        self.misread = misread and self.misread  # what one of the lists understands is well said
        findings.show(ListRows(found, found_key, finding))
        chosen = self.chosen()
        said = whole(chosen, now) if chosen else say()
        if findings.has_focus:  # there its line is cut, and it may end in what to type
            said = next((told(f) for f in found if found_key(f) == findings.selected), said)
        self.query_one("#service", Static).update(said)
        self.query_one("#found", Bar).say(
            [
                Span("Found at start", "strong"),
                *(
                    self.count(len(found), len(known), "looked for")
                    if self.filter
                    else [Span("   what was looked for, and where", "muted")]
                ),
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

    def on_table_opened(self, event: Table.Opened) -> None:
        """Live, with what a provider was asked."""
        chosen = self._provider()
        if event.table.id != "services" or chosen is None:
            return
        if chosen.kind in ("provider", "local"):
            self.console_app.show_requests(written(provider=chosen.name))
        else:
            self.console_app.say("requests are listed of a provider")

    @work(exclusive=True, group="history")
    async def action_history(self) -> None:
        app, chosen = self.console_app, self._provider()
        if chosen is None or app.archive is None:
            return
        read = self.ask(app.archive.health(0.0, chosen.name, CHANGES), [])
        changes = await app.keys_after(read)
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
            self.console_app.copy("the service" if many == 1 else f"{many} services", *words)

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
        listed = await app.keys_after(app.question(ListModels()))
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
                counts.append(Span(f"  {count} {state}", STATES[state][1]))
        if self.filter:
            counts += self.count(shown, len(board.services), "services")
        counts += self.standing(services)
        if board.link == "down":
            counts.append(Span("   as it was before the router went down", "warn"))
        if board.config_error:
            counts.append(Span(f"   config not taken: {board.config_error}", "bad"))
        if board.snapshot and board.snapshot.ledger_trouble:
            words = f"   requests cannot be written down: {board.snapshot.ledger_trouble}"
            counts.append(Span(words, "bad"))
        self.title(*counts, hint=hidden(services))
