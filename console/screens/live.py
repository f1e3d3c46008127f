"""Live: what runs now and what just ran; for each where it went, why, and at what price.

Its rule: rows never move under the cursor. At the top the newest come in; once the cursor has left
the top the order stands still, rows change in place, and the title counts what waits above.
"""

from __future__ import annotations

import shlex
from collections.abc import Callable, Sequence
from operator import attrgetter
from typing import ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.query import parse
from console.screens.view import FilteredView, FilterLine, hidden
from console.text import UNKNOWN, fit, moment, money, ms, rate, tokens
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.order import Order
from console.widgets.paint import Cell, Piece, Span, lines, plain, say
from console.widgets.table import Heading, Key, ListRows, Row, Table, every
from router.contract import Finding, RequestView

#: what went wrong comes first where one sorts by how it ended
_STATES = ("failed", "interrupted", "cancelled", "running", "done")
COLUMNS = (
    Column("time", 8, number=True, by=attrgetter("started_at")),
    Column("door", 7, drop=4, by=attrgetter("door")),
    Column("asked", 14, drop=5, grow=1, middle=True, wish=17, most=34, by=attrgetter("asked")),
    Column("provider,model", 22, grow=5, middle=True, wish=28, most=48, by=lambda r: target(r)),
    Column("why", 14, drop=1, grow=4, wish=16, by=attrgetter("rule")),
    Column("in", 6, number=True, by=attrgetter("tokens.prompt")),
    Column("out", 5, number=True, by=attrgetter("tokens.output")),
    Column("cost", 7, number=True, by=attrgetter("cost")),
    Column("ttft", 6, number=True, drop=3, by=attrgetter("ttft_ms")),
    Column("tok/s", 5, number=True, drop=6, by=attrgetter("tokens_per_second")),
    Column("status", 9, by=lambda r: (_STATES.index(r.state), -(r.status or 0))),
)
NEWEST = Order("time", falling=True)

#: requests of the ledger that a filter looks at
SEARCHED = 500
_DOORS = {"claude-code": "claude"}
#: what the list can be grouped by → what a request's group is called
GROUPS: dict[str, Callable[[RequestView], str]] = {
    "": lambda _: "",
    "session": lambda r: r.session or "no session",
    "model": lambda r: target(r),
    "key": lambda r: r.key or "no key",
    "door": lambda r: r.door,
}
SIMULATED = Span("◇ sim ", "muted")


def target(request: RequestView) -> str:
    if not request.provider:
        return UNKNOWN
    return f"{request.provider},{request.model}" if request.model else request.provider


def status(request: RequestView, now: float) -> Span:
    """A glyph and a word for how it stands or ended; "×2" where one attempt was not enough, "↷"
    where the first choice was passed over."""
    tried = f" ×{request.attempts}" if request.attempts > 1 else ""
    if request.passed:
        tried += "↷" if tried else " ↷"
    match request.state:
        case "running":
            seconds = max(now - request.started_at, 0)
            return Span(f"▸{tried or ' run'} {_short(seconds)}", "accent")
        case "done":
            return Span(f"✓ {request.status or 'done'}{tried}", "warn" if tried else "good")
        case "failed" if request.status and request.status < 400:
            return Span("✗ cut off", "bad")  # the status was sent, and then the answer broke
        case "failed":
            return Span(f"✗ {request.status or 'failed'}{tried}", "bad")
        case "cancelled":
            return Span("– stopped", "warn")
        case "interrupted":
            return Span("! lost", "warn")


def _short(seconds: float) -> str:
    """At most three cells up to 99 days: "99s", "99m", "99h", "99d"."""
    for unit, size in (("s", 1), ("m", 60), ("h", 3600)):
        if seconds < 100 * size:
            return f"{int(seconds / size)}{unit}"
    return f"{int(seconds / 86_400)}d"


def draw(request: RequestView, now: float) -> Sequence[Cell]:
    running = request.state == "running"
    quiet: Tone = "" if running or request.state == "done" else "muted"
    route: list[Piece] = [SIMULATED] if request.simulated else []
    route.append(Span(target(request), quiet))
    passed = f" ↷ not {request.passed}" if request.passed else ""
    why: Cell = [
        request.rule or UNKNOWN,
        Span(passed, "warn"),
        Span(f" {request.value}" if request.value else "", "muted"),
    ]
    estimated = request.tokens.estimated
    return (
        Span(moment(request.started_at, now), "muted"),
        Span(_DOORS.get(request.door, request.door), "muted"),
        Span(request.asked or UNKNOWN, "muted"),
        route,
        why,
        tokens(request.tokens.prompt, 8, estimated=estimated),
        tokens(request.tokens.output, 8, estimated=estimated),
        Span(UNKNOWN if running and not request.cost else money(request.cost), quiet),
        Span(ms(request.ttft_ms), "muted"),
        Span(rate(request.tokens_per_second), "muted"),
        status(request, now),
    )


class Groups:
    """Requests under a heading for each group, groups in the order of their newest request."""

    def __init__(self, items: Sequence[RequestView], by: str, now: float) -> None:
        grouped: dict[str, list[RequestView]] = {}
        for item in items:
            grouped.setdefault(GROUPS[by](item), []).append(item)
        self._rows: list[tuple[Key, RequestView | Heading]] = []
        self._now = now
        for name, found in grouped.items():
            self._rows.append((f"group {name}", _group(name, found)))
            self._rows += [(item.id, item) for item in found]
        self._places = {key: place for place, (key, _) in enumerate(self._rows)}

    def __len__(self) -> int:
        return len(self._rows)

    def key(self, index: int) -> Key:
        return self._rows[index][0]

    def row(self, index: int) -> Row:
        item = self._rows[index][1]
        return item if isinstance(item, Heading) else draw(item, self._now)

    def index(self, key: Key) -> int | None:
        return self._places.get(key)

    @property
    def ids(self) -> list[str]:
        return [str(key) for key, item in self._rows if not isinstance(item, Heading)]


def _group(name: str, found: Sequence[RequestView]) -> Heading:
    running = sum(1 for r in found if r.state == "running")
    failed = sum(1 for r in found if r.state == "failed")
    real = [r for r in found if not r.simulated]
    unpriced = any(r.cost is None and r.state != "running" for r in real)
    said: list[Piece] = [
        Span(name, "strong"),
        Span(f"   {len(found):,} request{'s' if len(found) > 1 else ''}", "muted"),
    ]
    if real:
        said.append(Span(f"   {money(sum(r.cost or 0 for r in real), unpriced)}", "strong"))
    if running:
        said.append(Span(f"   ▸ {running} running", "accent"))
    if failed:
        said.append(Span(f"   ✗ {failed} failed", "bad"))
    return Heading(tuple(said))


class Live(FilteredView):
    NAME = "Live"
    KEYS = (
        ("enter", "why"),
        ("o", "override"),
        ("x", "cancel"),
        ("/", "filter"),
        ("s", "sort"),
        ("space", "mark"),
        ("b", "group"),
        ("X", "pause session"),
        ("p", "pause"),
    )
    CHANGES = frozenset(("x", "o", "X"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("b", "group", "Group by session, model, key, door, or not"),
        Binding("x", "cancel", "Cancel the running request"),
        Binding("o", "override", "Override from here on"),
        Binding("X", "pause_session", "Pause or resume its session"),
        Binding("y", "copy", "Copy its id, row, JSON or curl"),
    ]

    def __init__(self) -> None:
        super().__init__(id="live")
        self._items: list[RequestView] = []
        self._older: dict[str, RequestView] = {}
        self.group = ""

    def command(self) -> str:
        return "pointsman requests" + (f" --text {shlex.quote(self.filter)}" if self.filter else "")

    def compose(self) -> ComposeResult:
        if self.console_app.prefs.group in GROUPS:
            self.group = self.console_app.prefs.group
        yield Bar(classes="title")
        yield Table(COLUMNS, edge="top", order=NEWEST, marks=every, id="requests", name="live")
        with VerticalScroll(id="empty", classes="instead"):
            yield Static(id="welcome", markup=False)
        yield FilterLine("words, !words, model: provider: session: key: rule: status>=400 since:2h")

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        board = self.console_app.board
        table = self.query_one(Table)
        self._items = table.settle(
            list(self._pool().values()),
            lambda r: r.id,
            wait=True,
            latest=lambda r: board.requests.get(r.id, r),
        )
        empty = not board.requests and not self.filter and board.link != "connecting"
        self.instead_of(table, empty)
        if empty:
            self.query_one("#welcome", Static).update(lines(*self._welcome()))
        now = self.console_app.now()
        if self.group:
            table.show(Groups(self._items, self.group, now))
        else:
            table.show(ListRows(self._items, lambda r: r.id, lambda r: draw(r, now)))
        self._say_title(table)

    def _pool(self) -> dict[str, RequestView]:
        """Every request that the filter lets through, newest first, the running ones on top."""
        board = self.console_app.board
        everything = [*board.running, *board.finished]
        if not self.filter:
            return {r.id: r for r in everything}
        wanted = parse(self.filter, self.console_app.now())
        found = {r.id: r for r in everything if wanted.holds(r)}
        return {**found, **{k: r for k, r in self._older.items() if k not in found}}

    def _say_title(self, table: Table) -> None:
        board = self.console_app.board
        running = len(board.running)
        said: list[Piece] = [Span(f"  {running} running", "accent" if running else "muted")]
        if self.filter:
            words = fit(self.filter, min(len(self.filter), 24), middle=True)
            said.append(Span(f'   "{words}" {len(self._items)} of {len(board.requests)}', "warn"))
        else:
            said.append(Span(f"   {len(board.finished)} recent", "muted"))
        if self.group:
            said.append(Span(f"   by {self.group}", "accent", "b"))
        if board.paused:
            said.append(Span(f"   ‖ {len(board.paused)} paused", "warn"))
        said += self.standing(table, "newest")
        self.title(*said, hint=hidden(table))

    def _welcome(self) -> list[Content]:
        app = self.console_app
        snapshot = app.board.snapshot
        if app.board.link == "down":
            return [
                say(Span("No router is running, and the ledger has no request yet.", "strong")),
                say(),
                say("Press ", Span("R", "accent"), " to start the router."),
                say(Span(app.board.reason, "muted")),
            ]
        rows = [say(Span("Waiting for the first request.", "strong")), say()]
        findings = snapshot.findings if snapshot else ()
        if snapshot and snapshot.simulated_only:
            rows += [
                say(
                    "No provider is configured: a ",
                    Span("◇ simulator", "strong"),
                    " on this machine answers.",
                ),
                say(
                    "For a real one: ",
                    Span("export OPENROUTER_API_KEY=…", "accent"),
                    " and ",
                    Span("pointsman restart", "accent"),
                ),
                say(),
            ]
        if findings:
            rows.append(say(Span("Found on this machine", "head")))
            rows += [_found(finding) for finding in findings if finding.state != "absent"]
            rows.append(say())
        rows.append(say(Span("Make the first request from another terminal", "head")))
        rows += [say(Span(line, "accent")) for line in first_request(app.front_door())]
        rows.append(say(Span("or point Claude Code at it", "head")))
        rows.append(
            say(Span(f"ANTHROPIC_BASE_URL={app.front_door()}/claude-code claude", "accent"))
        )
        return rows

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def narrow(self, text: str) -> None:
        """From another screen: what comes is read from its newest on."""
        super().narrow(text)
        self.query_one(Table).follow()

    def on_table_opened(self, event: Table.Opened) -> None:
        rows = self.query_one(Table).rows
        order = rows.ids if isinstance(rows, Groups) else [r.id for r in self._items]
        self.console_app.open_request(str(event.key), order)

    def filtered(self) -> None:
        self._older = {}
        super().filtered()
        if self.filter:
            self._search()

    @work(exclusive=True, group="search")
    async def _search(self) -> None:
        """Older requests that match, from the ledger."""
        archive = self.console_app.archive
        if archive is None:
            return
        wanted = parse(self.filter, self.console_app.now())
        found = await self.ask(archive.requests(wanted.requests(), limit=SEARCHED), [])
        self._older = {r.id: r for r in found if wanted.holds(r)}
        self.query_one(Table).unsettle()
        self.update()

    def chosen(self) -> RequestView | None:
        key = self.query_one(Table).selected
        return next((r for r in self._items if r.id == key), None)

    def _picked(self) -> list[RequestView]:
        """The marked ones, or the selected one."""
        keys = self.query_one(Table).picked
        return [request for request in self._items if request.id in keys]

    def action_cancel(self) -> None:
        self.console_app.ask_cancel(*self._picked(), then=self.query_one(Table).unmark)

    def action_group(self) -> None:
        names = list(GROUPS)
        self.group_by(names[(names.index(self.group) + 1) % len(names)])

    def group_by(self, name: str) -> None:
        self.group = name
        self.console_app.remember(group=name)
        self.update()

    def action_override(self) -> None:
        self.console_app.ask_override(self.chosen())

    def action_pause_session(self) -> None:
        if picked := self._picked():
            sessions = (request.session for request in picked)
            self.console_app.ask_pause(*sessions, then=self.query_one(Table).unmark)

    def action_copy(self) -> None:
        picked = self._picked()
        if not picked:
            return
        from console.curl import curl

        now, door = self.console_app.now(), self.console_app.front_door()
        rows = ("  ".join(plain(cell).strip() for cell in draw(r, now)) for r in picked)
        many = len(picked) > 1
        self.console_app.ask_copy(
            ("i", f"{len(picked)} ids" if many else "its id", "\n".join(r.id for r in picked)),
            ("r", f"{len(picked)} rows" if many else "the row", "\n".join(rows)),
            ("j", "JSON", "\n".join(msgspec.json.encode(r).decode() for r in picked)),
            ("c", "curl", "\n".join(curl(r, door) for r in picked)),
        )


def _found(finding: Finding) -> Content:
    glyph, tone = FOUND[finding.state]
    detail = f"  {finding.detail}" if finding.detail else ""
    return say(
        Span(f"{glyph} ", tone),
        finding.what,
        Span(f"  {finding.where}", "muted"),
        Span(detail, "muted"),
    )


FOUND: dict[str, tuple[str, Tone]] = {
    "found": ("✓", "good"),
    "made": ("✓", "good"),
    "absent": ("·", "muted"),
    "problem": ("✗", "bad"),
}


def first_request(door: str) -> tuple[str, ...]:
    return (
        f"curl {door}/ccr/v1/messages \\",
        "  -H 'content-type: application/json' \\",
        """  -d '{"messages": [{"role": "user", "content": "hello"}]}'""",
    )
