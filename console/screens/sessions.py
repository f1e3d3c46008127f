"""Sessions: each conversation as a tree with its subagents: what a branch costs, how much of it
came from a cache, how full its context is, and which models it used when.

Its rule: a session's figures are the sums of its branches; real and simulated money are not added,
and where both are, the real one is shown. The one that spoke last comes first while the cursor is
at the top; elsewhere the order stands still under it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.screens.view import View, hidden
from console.spark import gauge, spark
from console.spending import cost, total
from console.text import NANO, UNKNOWN, age, clean, fit, money, percent, tokens, width
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.paint import Cell, Piece, Span, lines, say
from console.widgets.table import ListRows, Row, Table
from router.contract import BranchLine, CostLine, ListModels, Models, RequestFilter, RequestView

COLUMNS = (
    Column("session", 20, grow=3, most=44),
    Column("requests", 8, number=True),
    Column("in", 6, number=True, drop=4),
    Column("cached", 6, number=True),
    Column("out", 6, number=True, drop=3),
    Column("cost", 8, number=True),
    Column("$/h", 7, number=True, drop=5),
    Column("context", 13),
    Column("model", 16, grow=2, middle=True, drop=1, most=44),
    Column("ago", 5, number=True),
    Column("", 8),
)
#: sessions shown, and requests of one that are drawn over time
SHOWN = 100
DRAWN = 1_000
LOOK = 2
#: sessions added up at a time: some 40 ms where each has hundreds of requests among millions
PART = 10
#: seconds below which a rate per hour says nothing
SHORT = 120.0
_GAUGE = 7
#: letters for the models of one session, in order of their first use
_LETTERS = "ABCDEFGHIJKLMNOPQRSTUVWXYZ"


@dataclass(slots=True)
class Branch:
    """A session (`agent` "" and `session_row`), or one of its branches."""

    session: str
    agent: str
    lines: list[BranchLine]
    newest: RequestView | None = None
    children: list[Branch] = field(default_factory=list)
    #: how its name is led up to: "├ ", "└ " or "" for a session
    twig: str = ""

    @property
    def key(self) -> str:
        return f"{self.session} {self.twig and (self.agent or 'main')}"

    def used(self) -> CostLine:
        """Real traffic, or simulated where there is no other."""
        real = [line.used for line in self.lines if not line.used.simulated]
        return total(real or [line.used for line in self.lines])


def tree(found: Iterable[BranchLine], newest: Iterable[RequestView]) -> list[Branch]:
    """Sessions, the one that spoke last first, each with its branches where it has subagents."""
    last = {(view.session, view.agent): view for view in newest}
    grouped: dict[str, dict[str, list[BranchLine]]] = {}
    for line in found:
        grouped.setdefault(line.session, {}).setdefault(line.agent, []).append(line)
    sessions = []
    for session, agents in grouped.items():
        together = [line for kept in agents.values() for line in kept]
        whole = Branch(session, "", together, last.get((session, "")))
        if whole.newest is None:
            views = [view for (name, _), view in last.items() if name == session]
            whole.newest = max(views, key=lambda view: view.started_at, default=None)
        if set(agents) != {""}:
            whole.children = [
                Branch(session, agent, kept, last.get((session, agent)))
                for agent, kept in sorted(agents.items())
            ]
            for child in whole.children:
                child.twig = "├ "
            whole.children[-1].twig = "└ "
        sessions.append(whole)
    sessions.sort(key=lambda one: -max(line.last_at for line in one.lines))
    return sessions


def cached(line: CostLine) -> float | None:
    """The share of the prompts that came from a cache."""
    prompt = line.tokens.prompt
    return line.tokens.cache_read / prompt if prompt else None


def per_hour(branch: Branch, now: float) -> int | None:
    """Nano-dollars an hour, from its first request to its last."""
    first = min(line.first_at for line in branch.lines)
    last = max(line.last_at for line in branch.lines)
    if last - first < SHORT:
        return None
    used = branch.used()
    if used.unpriced and used.unpriced == used.attempts:
        return None
    return round(used.cost / ((last - first) / 3600))


def target(view: RequestView) -> str:
    return f"{view.provider},{view.model}" if view.provider else ""


def context(view: RequestView | None, sizes: Mapping[str, int]) -> Cell:
    """How full the newest request's model is, by what the request sent and was answered."""
    if view is None:
        return Span(UNKNOWN, "muted")
    filled = view.tokens.prompt + view.tokens.output
    size = sizes.get(target(view))
    if not size:
        return Span(tokens(filled, 8, estimated=True), "muted")
    part = filled / size
    tone: Tone = "bad" if part >= 0.9 else "warn" if part >= 0.75 else "accent"
    return [Span(gauge(part, _GAUGE), tone), Span(f" {percent(part):>5}", "")]


def draw(branch: Branch, now: float, sizes: Mapping[str, int], open: bool, state: Span) -> Row:
    used = branch.used()
    name: list[Piece]
    if branch.twig:
        name = [Span(f"  {branch.twig}", "muted"), Span(branch.agent or "main", "")]
    else:
        mark = " " if not branch.children else "▾" if open else "▸"
        name = [Span(f"{mark} ", "muted"), Span(branch.session, "strong")]
        if branch.children:
            agents = sum(1 for child in branch.children if child.agent)
            name.append(Span(f"  {agents} agent{'s' if agents > 1 else ''}", "muted"))
    rate = per_hour(branch, now)
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
        Span(target(branch.newest) if branch.newest else UNKNOWN, "muted"),
        Span(age(now - max(line.last_at for line in branch.lines)), "muted"),
        state,
    )


def models_over_time(views: Sequence[RequestView], cells: int) -> list[Content]:
    """A strip with a letter for the model that served most in each span, money below it, and the
    letters' meaning."""
    served = sorted((view for view in views if view.provider), key=lambda v: v.started_at)
    if not served or cells < 10:
        return []
    first, last = served[0].started_at, served[-1].started_at
    span = max((last - first) / cells, 1e-9)
    letters: dict[str, str] = {}
    counts: list[dict[str, int]] = [{} for _ in range(cells)]
    spent = [0.0] * cells
    for view in served:
        name = target(view)
        letter = letters.setdefault(name, _LETTERS[min(len(letters), len(_LETTERS) - 1)])
        place = min(int((view.started_at - first) / span), cells - 1)
        counts[place][letter] = counts[place].get(letter, 0) + 1
        spent[place] += (view.cost or 0) / NANO
    tones: tuple[Tone, ...] = ("accent", "good", "warn", "strong")
    tone = {letter: tones[place % len(tones)] for place, letter in enumerate(letters.values())}
    strip: list[Piece] = [Span(fit("models", 10), "muted")]
    for count in counts:
        letter = max(count, key=lambda each: count[each]) if count else ""
        strip.append(Span(letter, tone[letter]) if letter else Span("·", "muted"))
    uses = Counter(letters[target(view)] for view in served)
    legend: list[Piece] = [Span(" " * 10)]
    room = cells
    for name, letter in sorted(letters.items(), key=lambda item: -uses[item[1]]):
        words = f" {clean(name)} {uses[letter]:,}×   "
        room -= width(words) + 1
        if room < 0:
            break
        legend += [Span(letter, tone[letter]), Span(words, "muted")]
    return [
        say(*strip),
        say(Span(fit("money", 10), "muted"), Span(spark(spent), "muted")),
        say(*legend),
    ]


class Sessions(View):
    NAME = "Sessions"
    KEYS = (
        ("enter", "its requests"),
        ("space", "fold"),
        ("o", "override"),
        ("X", "pause"),
    )
    CHANGES = frozenset(("o", "X"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("space", "fold", "Open or close the branches"),
        Binding("o", "override", "Override this session"),
        Binding("X", "pause", "Pause or resume this session"),
        Binding("y", "copy", "Copy the session's id"),
    ]

    def __init__(self) -> None:
        super().__init__(id="sessions")
        self._sessions: list[Branch] | None = None
        #: the order in which they are shown, and how many others there are by now
        self._order: list[str] = []
        self._waiting = 0
        self._folded: set[str] = set()
        self._sizes: dict[str, int] = {}
        self._version: int | None = None
        self._over_time: tuple[str, list[RequestView]] = ("", [])
        self._ticks = 0

    def command(self) -> str:
        return "pointsman session list"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(COLUMNS, edge="top", id="sessions-table")
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

    def shown(self) -> None:
        super().shown()
        self._load()

    def tick(self) -> None:
        self._ticks += 1
        if self._ticks % LOOK == 0:
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

    def _arrange(self, following: bool) -> None:
        known = [session.session for session in self._sessions or []]
        standing = [name for name in self._order if name in known]
        self._order = standing if standing and not following else known
        self._waiting = len(known) - len(self._order)

    def _rows(self) -> list[Branch]:
        shown: list[Branch] = []
        known = {session.session: session for session in self._sessions or []}
        for session in (known[name] for name in self._order if name in known):
            shown.append(session)
            if session.session not in self._folded:
                shown += session.children
        return shown

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
        table = self.query_one(Table)
        empty = self._sessions is not None and not self._sessions
        self.instead_of(table, empty)
        self._arrange(table.following)
        rows = self._rows()
        table.show(
            ListRows(
                rows,
                lambda b: b.key,
                lambda b: draw(b, now, self._sizes, b.session not in self._folded, self._state(b)),
            )
        )
        self.query_one("#session", Static).update(self._below())
        self._say_title(table)

    def _say_title(self, table: Table) -> None:
        board, sessions = self.console_app.board, self._sessions or []
        active = len({view.session for view in board.running if view.session})
        said: list[Piece] = [Span(f"  {len(sessions)} of late", "muted")]
        if active:
            said.append(Span(f"   {active} active", "accent"))
        if board.paused:
            said.append(Span(f"   ‖ {len(board.paused)} paused", "warn"))
        if self._waiting:
            said.append(Span(f"   +{self._waiting} new ↑ g", "accent", "g"))
        elif not table.following:
            said.append(Span("   order frozen, g: newest", "muted", "g"))
        self.title(*said, hint=hidden(table))

    def _below(self) -> Content:
        chosen = self.chosen()
        if chosen is None:
            return say()
        first = min(line.first_at for line in chosen.lines)
        last = max(line.last_at for line in chosen.lines)
        client = f"   {chosen.newest.client}" if chosen.newest and chosen.newest.client else ""
        head: list[Piece] = [
            Span(chosen.session, "strong"),
            Span(f"   {age(last - first)} long{client}", "muted"),
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
        return next((branch for branch in self._rows() if branch.key == key), None)

    def on_table_opened(self) -> None:
        if chosen := self.chosen():
            self.console_app.show_requests(chosen.agent if chosen.agent else chosen.session)

    def action_fold(self) -> None:
        if chosen := self.chosen():
            self._folded ^= {chosen.session}
            self.update()

    def action_override(self) -> None:
        if (chosen := self.chosen()) and chosen.newest:
            self.console_app.ask_override(chosen.newest)

    def action_pause(self) -> None:
        if chosen := self.chosen():
            self.console_app.ask_pause(chosen.session)

    def action_copy(self) -> None:
        if chosen := self.chosen():
            self.console_app.copy(chosen.session, "the session's id")
