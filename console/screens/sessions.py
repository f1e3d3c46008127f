"""Sessions: each conversation as a tree with its subagents: what a branch costs, how much of it
came from a cache, how full its context is, and which models it used when.

Its rule: a session's figures are the sums of its branches; real and simulated money are not added,
and where both are, the real one is shown. The one that spoke last comes first while the cursor is
at the top; elsewhere the order stands still under it.
"""

from __future__ import annotations

from collections.abc import Mapping
from operator import attrgetter
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.lines.sessions import Branch, cached, filled, models_over_time, per_hour, target, tree
from console.lines.spending import cost, worth
from console.query import written
from console.screens.filtered import FilteredView, FilterLine
from console.screens.view import READING, hidden
from console.spark import gauge
from console.text import UNKNOWN, age, money, percent, tokens
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.order import Order, arranged
from console.widgets.paint import Cell, Piece, Span, lines, say
from console.widgets.table import ListRows, Row, Table, every
from router.contract import BranchLine, ListModels, Models, RequestFilter, RequestView

COLUMNS = (
    Column("session", 20, grow=3, most=44, by=attrgetter("session"), words=Branch.named),
    Column("requests", 8, number=True, drop=1, by=lambda b: b.used().requests),
    Column("in", 6, number=True, drop=4, by=lambda b: b.used().tokens.prompt),
    Column("cached", 6, number=True, drop=1, by=lambda b: cached(b.used())),
    Column("out", 6, number=True, drop=3, by=lambda b: b.used().tokens.output),
    Column("cost", 8, number=True, by=lambda b: worth(b.used())),
    Column("$/h", 7, number=True, drop=5, by=per_hour),
    Column("context", 13, rising=False, by=lambda b: b.newest and filled(b.newest)),
    Column("model", 16, grow=2, middle=True, drop=2, most=44, by=lambda b: target(b.newest)),
    Column("ago", 5, number=True, rising=True, by=lambda b: -b.last_at),
    Column("", 8),
)
#: sessions shown, and requests of one that are drawn over time
SHOWN = 100
DRAWN = 1_000
LOOK = 2
#: characters of a session's id that tell it from the others of its project
SHORT_ID = 8
#: sessions added up at a time: some 40 ms where each has hundreds of requests among millions
PART = 10
_GAUGE = 7
NEWEST = Order("ago")


def context(view: RequestView | None, sizes: Mapping[str, int]) -> Cell:
    """How full the newest request's model is, by what the request sent and was answered."""
    if view is None:
        return Span(UNKNOWN, "muted")
    used = filled(view)
    size = sizes.get(target(view))
    if not size:
        return Span(tokens(used, 8, estimated=True), "muted")
    part = used / size
    tone: Tone = "bad" if part >= 0.9 else "warn" if part >= 0.75 else "accent"
    return [Span(gauge(part, _GAUGE), tone), Span(f" {percent(part):>5}", "")]


def called(branch: Branch, *, whole: bool = False) -> list[Piece]:
    """By its project where that is known: people know it, and nobody a UUID."""
    project = branch.newest.project if branch.newest else ""
    if not project:
        return [Span(branch.session, "strong")]
    id = branch.session if whole else branch.session[:SHORT_ID]
    return [Span(project, "strong"), Span(f" {id}", "muted")]


def agents(branch: Branch) -> str:
    count = sum(1 for child in branch.children if child.agent)
    return f"{count} agent{'s' if count > 1 else ''}"


def draw(
    branch: Branch, now: float, sizes: Mapping[str, int], open: bool, state: Span, switched: bool
) -> Row:
    """`switched`: an override sends it elsewhere than the rules would."""
    used = branch.used()
    name: list[Piece]
    if branch.twig:
        name = [Span(f"  {branch.twig}", "muted"), Span(branch.agent or "main", "")]
    else:
        mark = " " if not branch.children else "▾" if open else "▸"
        name = [Span(f"{mark} ", "muted"), *called(branch)]
        if branch.children and len(name) == 2:  # beside a project there is no room
            name.append(Span(f"  {agents(branch)}", "muted"))
    rate = per_hour(branch)
    quiet: Tone = "muted" if used.simulated else ""
    shown = f"◇ {cost(used)}" if used.simulated else cost(used)
    return (
        name,
        Span(f"{used.requests:,}", ""),
        Span(tokens(used.tokens.prompt, 6, estimated=used.tokens.estimated), "muted"),
        Span(percent(cached(used)), ""),
        Span(tokens(used.tokens.output, 6, estimated=used.tokens.estimated), "muted"),
        Span(shown, quiet if branch.twig else quiet or "strong"),
        Span(money(rate, lower_bound=used.unpriced > 0, cents=True), "muted"),
        context(branch.newest, sizes),
        [
            Span("⇄ " if switched else "", "accent"),
            Span(target(branch.newest) or UNKNOWN, "muted"),
        ],
        Span(age(now - branch.last_at), "muted"),
        state,
    )


class Sessions(FilteredView):
    NAME = "Sessions"
    KEYS = (
        ("enter", "its requests"),
        ("/", "filter"),
        ("s", "sort"),
        ("z", "fold"),
        ("o", "override"),
        ("X", "pause"),
    )
    CHANGES = frozenset(("o", "X"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("z", "fold", "Open or close the branches"),
        Binding("Z", "fold_all", "Open or close those of all sessions"),
        Binding("o", "override", "Override this session"),
        Binding("X", "pause", "Pause or resume this session"),
        Binding("y", "copy", "Copy the session's id"),
    ]

    def __init__(self) -> None:
        super().__init__(id="sessions")
        self._sessions: list[Branch] | None = None
        #: those that are shown, in the order in which they are; with their branches
        self._shown: list[Branch] = []
        self._rows: list[Branch] = []
        #: whether the branches of all are closed, but for those that were turned around
        self._all_folded = False
        self._turned: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._version: int | None = None
        self._over_time: tuple[str, list[RequestView]] = ("", [])
        self._ticks = 0

    def command(self) -> str:
        return "pointsman session list"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(
            COLUMNS, edge="top", order=NEWEST, marks=every, id="sessions-table", name="sessions"
        )
        yield Static(id="session", markup=False)
        with VerticalScroll(id="none", classes="instead"):
            yield Static(
                lines(
                    say(Span("No session yet.", "strong")),
                    say(),
                    say(
                        "Claude Code names its session by itself; other clients do with the header"
                    ),
                    say(Span("x-session-id, or metadata.user_id in the body.", "muted")),
                ),
                markup=False,
            )
        yield FilterLine("words, !words, session: model:")

    def shown(self) -> None:
        super().shown()
        self._load()

    def tick(self) -> None:
        self._ticks += 1
        if self._ticks % LOOK == 0 and not self.under_way("sessions"):
            self._load()
        self.update()

    # ── reading ───────────────────────────────────────────────────────────────────────────────────

    @work(exclusive=True, group="sessions")
    async def _load(self) -> None:
        archive = self.console_app.archive
        if archive is None:
            return
        version = await self.ask(archive.data_version(), -1)
        if version == self._version and self._sessions is not None:
            return
        names = await self.ask(archive.sessions(SHOWN), [])
        found, newest, first = list[BranchLine](), list[RequestView](), self._sessions is None
        for at in range(0, len(names), PART):
            some = names[at : at + PART]
            found += await self.ask(archive.branches(some), [])
            newest += await self.ask(archive.newest(some), [])
            if first:
                self._sessions = tree(found, newest)
                self.update()
        self._sessions = tree(found, newest)
        self._version = version
        if not self._sizes:
            answer = await self.console_app.question(ListModels())
            if isinstance(answer, Models):
                self._sizes = {m.target: m.context for m in answer.models if m.context}
        self.update()
        self._read_chosen()

    @work(exclusive=True, group="session")
    async def _read_chosen(self) -> None:
        chosen, archive = self.chosen(), self.console_app.archive
        if chosen is None or archive is None:
            return
        found = await self.ask(archive.requests(RequestFilter(session=chosen.session), DRAWN), [])
        self._over_time = (chosen.session, found)
        self.update()

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def _arrange(self, table: Table) -> list[Branch]:
        """The sessions with their branches, but for folded ones."""
        found = self.kept(COLUMNS, self._sessions or [])
        self._shown = table.settle(found, lambda b: b.session, wait=True)
        rows: list[Branch] = []
        for session in self._shown:
            rows.append(session)
            if self._unfolded(session):
                branches = session.children
                if table.order != table.default:
                    branches = arranged(branches, COLUMNS, table.order)
                for place, branch in enumerate(branches, 1):
                    branch.twig = "└ " if place == len(branches) else "├ "
                rows += branches
        return rows

    def _unfolded(self, branch: Branch) -> bool:
        return (branch.session in self._turned) is self._all_folded

    def _state(self, branch: Branch) -> Span:
        board = self.console_app.board
        running = sum(
            1
            for view in board.running
            if view.session == branch.session and (not branch.twig or view.agent == branch.agent)
        )
        if not branch.twig and branch.session in board.paused:
            return Span("‖ paused", "alarm")
        return Span(f"▸ {running} run", "accent") if running else Span("")

    def draw(self) -> None:
        now = self.console_app.now()
        switched = {override.scope for override in self.console_app.board.overrides}
        table = self.query_one(Table)
        empty = self._sessions is not None and not self._sessions
        self.instead_of(table, empty)
        self._rows = self._arrange(table)
        table.show(
            ListRows(
                self._rows,
                lambda b: b.key,
                lambda b: draw(
                    b,
                    now,
                    self._sizes,
                    self._unfolded(b),
                    self._state(b),
                    f"session:{b.session}" in switched,
                ),
            )
        )
        self.query_one("#session", Static).update(self._below())
        self._say_title(table)

    def _say_title(self, table: Table) -> None:
        board, sessions = self.console_app.board, self._sessions or []
        active = len({view.session for view in board.running if view.session})
        what = "sessions" if self.filter else "of late"
        said: list[Piece] = [READING]
        if self._sessions is not None:
            said = self.count(len(self._shown) + table.waiting, len(sessions), what)
        if active:
            said.append(Span(f"   {active} active", "accent"))
        if board.paused:
            said.append(Span(f"   ‖ {len(board.paused)} paused", "warn"))
        said += self.standing(table, "newest")
        self.title(*said, hint=hidden(table))

    def _below(self) -> Content:
        chosen = self.chosen()
        if chosen is None:
            return say()
        client = f"   {chosen.newest.client}" if chosen.newest and chosen.newest.client else ""
        many = f"   {agents(chosen)}" if chosen.children else ""
        head: list[Piece] = [
            *called(chosen, whole=True),
            Span(f"   {age(chosen.last_at - chosen.first_at)} long{many}{client}", "muted"),
        ]
        session, views = self._over_time
        if chosen.twig:
            head.append(Span(f"   {chosen.agent or 'main'}", ""))
            views = [view for view in views if view.agent == chosen.agent]
        cells = max(self.size.width - 14, 0)
        strip = models_over_time(views, cells) if session == chosen.session else []
        return lines(say(*head), *strip)

    def on_table_moved(self) -> None:
        self.update()
        chosen = self.chosen()
        if chosen is not None and chosen.session != self._over_time[0]:
            self._read_chosen()

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def chosen(self) -> Branch | None:
        key = self.query_one(Table).selected
        return next((branch for branch in self._rows if branch.key == key), None)

    def on_table_opened(self) -> None:
        if chosen := self.chosen():
            self.console_app.show_requests(written(session=chosen.session, agent=chosen.agent))

    def action_fold(self) -> None:
        if chosen := self.chosen():
            self._turned ^= {chosen.session}
            self.update()

    def action_fold_all(self) -> None:
        self._all_folded = not self._all_folded
        self._turned.clear()
        self.update()

    def action_override(self) -> None:
        if (chosen := self.chosen()) and chosen.newest:
            self.console_app.ask_override(chosen.newest)

    def _picked(self) -> list[str]:
        """The sessions of the marked rows, or of the selected one."""
        keys = self.query_one(Table).picked
        return list(dict.fromkeys(b.session for b in self._rows if b.key in keys))

    def action_pause(self) -> None:
        self.console_app.ask_pause(*self._picked(), then=self.query_one(Table).unmark)

    def action_copy(self) -> None:
        if picked := self._picked():
            what = "the session's id" if len(picked) == 1 else f"{len(picked)} sessions' ids"
            self.console_app.copy(what, *picked)
