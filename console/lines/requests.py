"""A request as a line: where it went, why, at what price and how it stands; and lines in groups.
Pure.

Its rule: what is not known yet is "—", what is simulated says so in its line, and what failed says
why where the others say what decided.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from operator import attrgetter, itemgetter

from textual.content import Content

from console.text import UNKNOWN, age, moment, money, ms, rate, tokens
from console.theme import Tone
from console.widgets.columns import Column
from console.widgets.order import Order
from console.widgets.paint import Cell, Piece, Span, say
from console.widgets.rows import Heading, Key, ListRows, Row
from router.contract import RequestView

#: what went wrong comes first where one sorts by how it ended
_STATES = ("failed", "interrupted", "cancelled", "running", "done")


def _took(request: RequestView) -> tuple[bool, float] | None:
    """What runs has taken longer than what has ended, the oldest the longest."""
    if request.state == "running":
        return True, -request.started_at
    return None if request.duration_ms is None else (False, request.duration_ms)


COLUMNS = (
    Column("time", 8, number=True, by=attrgetter("started_at")),
    Column("door", 7, drop=4, by=attrgetter("door")),
    Column("asked", 14, drop=5, grow=1, middle=True, wish=17, most=34, by=attrgetter("asked")),
    Column("provider,model", 22, grow=5, middle=True, wish=28, most=48, by=lambda r: target(r)),
    Column("why", 14, drop=2, grow=4, wish=16, by=attrgetter("rule")),
    Column("in", 6, number=True, drop=1, by=attrgetter("tokens.prompt")),
    Column("out", 5, number=True, drop=1, by=attrgetter("tokens.output")),
    Column("cost", 7, number=True, by=attrgetter("cost")),
    Column("ttft", 6, number=True, drop=6, by=attrgetter("ttft_ms")),
    Column("took", 6, number=True, drop=3, by=_took),
    Column("tok/s", 5, number=True, drop=7, by=attrgetter("tokens_per_second")),
    Column("status", 9, by=lambda r: (_STATES.index(r.state), -(r.status or 0))),
)
NEWEST = Order("time", falling=True)
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


def took(request: RequestView, now: float) -> str:
    """From its arrival to its end, or so far."""
    if request.state == "running":
        return age(now - request.started_at)
    return ms(request.duration_ms)


def status(request: RequestView) -> Span:
    """A glyph and a word for how it stands or ended; "×2" where one attempt was not enough, "↷"
    where the first choice was passed over."""
    tried = f" ×{request.attempts}" if request.attempts > 1 else ""
    if request.passed:
        tried += "↷" if tried else " ↷"
    match request.state:
        case "running":
            return Span(f"▸{tried or ' run'}", "accent")
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


def draw(request: RequestView, now: float, *, ago: bool = False) -> Sequence[Cell]:
    """`ago`: how long ago it began, not when."""
    running = request.state == "running"
    quiet: Tone = "" if running or request.state == "done" else "muted"
    route: list[Piece] = [SIMULATED] if request.simulated else []
    route.append(Span(target(request), quiet))
    why: list[Piece] = [request.rule or UNKNOWN]
    if request.passed:
        why.append(Span(f" ↷ not {request.passed}", "warn"))
    if request.error and request.state == "failed":
        why.append(Span(f" {request.error}", "bad"))
    elif request.value:
        why.append(Span(f" {request.value}", "muted"))
    estimated = request.tokens.estimated
    return (
        Span(moment(request.started_at, now, ago=ago), "muted"),
        Span(_DOORS.get(request.door, request.door), "muted"),
        Span(request.asked or UNKNOWN, "muted"),
        route,
        why,
        tokens(request.tokens.prompt, 8, estimated=estimated),
        tokens(request.tokens.output, 8, estimated=estimated),
        Span(UNKNOWN if running and not request.cost else money(request.cost), quiet),
        Span(ms(request.ttft_ms), "muted"),
        Span(took(request, now), "accent" if running else ""),
        Span(rate(request.tokens_per_second), "muted"),
        status(request),
    )


def whole(request: RequestView) -> Content:
    """Of the selected one what its row has no room for."""
    said: list[Piece] = [
        Span(f"{request.asked}  →  " if request.asked else "", "muted"),
        *([SIMULATED] if request.simulated else []),
        Span(target(request), "strong"),
    ]
    if request.error:
        said.append(Span(f"   {request.error}", "bad" if request.state == "failed" else "warn"))
    said.append(Span(f"   {request.rule} {request.value}".rstrip(), "muted"))
    if request.passed:
        said.append(Span(f"   ↷ not {request.passed}", "warn"))
    names = [request.session and f"session {request.session}", request.agent, request.client]
    return say(*said, Span("".join(f"   {name}" for name in names if name), "muted"))


class Groups(ListRows[tuple[Key, RequestView | Heading]]):
    """Requests under a heading for each group, groups in the order of their newest request."""

    def __init__(
        self, items: Sequence[RequestView], by: str, now: float, *, ago: bool = False
    ) -> None:
        grouped: dict[str, list[RequestView]] = {}
        for item in items:
            grouped.setdefault(GROUPS[by](item), []).append(item)
        rows: list[tuple[Key, RequestView | Heading]] = []
        for name, found in grouped.items():
            project = found[0].project if by == "session" else ""
            rows.append((f"group {name}", _group(f"{project} {name}".strip(), found)))
            rows += [(item.id, item) for item in found]

        def drawn(row: tuple[Key, RequestView | Heading]) -> Row:
            item = row[1]
            return item if isinstance(item, Heading) else draw(item, now, ago=ago)

        super().__init__(rows, itemgetter(0), drawn)

    @property
    def ids(self) -> list[str]:
        return [str(key) for key, item in self.items if not isinstance(item, Heading)]


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
