"""The line that is always there: is it up, is it live, how fast, how well, at what price. Pure.

Its rule: what a person needs to judge the rest goes last: first the words shorten, then the details
go, and the state, the money and LIVE/PAUSED/STALE/ARCHIVE always stay.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from console.board import Board
from console.text import UNKNOWN, age, clean, money, ms, percent, rate, width
from console.theme import Tone
from console.widgets import budget as budgets
from console.widgets.paint import Piece, Span
from router.contract import VERSION, OverrideView


@dataclass(frozen=True, slots=True)
class Around:
    """What the header knows from elsewhere than the router."""

    now: float
    paused: bool = False
    #: "user@host" when the console came over SSH
    who: str = ""
    version: str = VERSION
    #: nano-dollars that a day may cost; None: nobody said
    budget: int | None = None
    #: the figures are invented
    demo: bool = False
    #: seconds between two paints, where a person chose to wait; 0 where nobody did
    every: float = 0.0


#: up to this importance a part is a detail: version, ports, simulated money
DETAIL = 2
#: forms of one part, from the longest to the shortest; the last may be empty
_Forms = tuple[tuple[Piece, ...], ...]


def header(board: Board, around: Around, room: int) -> tuple[list[Piece], list[Piece]]:
    """Left and right side of the header line, for `room` cells."""
    demo: list[Piece] = [Span(" DEMO ", "badge"), " "] if around.demo else []
    right = [*demo, *_badge(board, around)]
    parts: list[tuple[int, _Forms]] = [
        (
            2,
            (
                ((Span("Pointsman", "accent"), Span(f" {around.version}", "muted"))),
                (Span("Pointsman", "accent"),),
            ),
        ),
        (6, _router(board, around.now)),
        (1, _ports(board)),
        *_figures(board),
        *_money(board, around.budget),
        (3, _dots(board)),
    ]
    left = _fit(parts, room - _width(right) - 2)
    return left, right


def _fit(parts: Sequence[tuple[int, _Forms]], room: int) -> list[Piece]:
    """Shortens the least important part that can still be shortened, until all fit; what room that
    leaves goes to the most important that fits. Mere details stay away: they would blink."""
    chosen = [0] * len(parts)
    while _width(_line(parts, chosen)) > room:
        shorter = [i for i, (_, forms) in enumerate(parts) if chosen[i] < len(forms) - 1]
        if not shorter:
            break
        chosen[min(shorter, key=lambda i: parts[i][0])] += 1
    worth = [i for i, (importance, _) in enumerate(parts) if importance > DETAIL]
    for i in sorted(worth, key=lambda i: -parts[i][0]):
        for form in range(chosen[i]):
            if _width(_line(parts, longer := [*chosen[:i], form, *chosen[i + 1 :]])) <= room:
                chosen = longer
                break
    return _line(parts, chosen)


def _line(parts: Sequence[tuple[int, _Forms]], chosen: Sequence[int]) -> list[Piece]:
    line: list[Piece] = []
    for (_, forms), at in zip(parts, chosen, strict=True):
        if forms[at]:
            line += [*([Span("  ")] if line else []), *forms[at]]
    return line


def _width(line: Sequence[Piece]) -> int:
    return sum(width(clean(p.text if isinstance(p, Span) else p)) for p in line)


def _router(board: Board, now: float) -> _Forms:
    if board.link == "connecting":
        return ((Span("◌ connecting…", "muted"),),)
    if board.link == "down":
        return ((Span("✗ router down", "bad"),),)
    if board.link == "stale":
        return ((Span("◐ no answer", "warn"),),)
    assert board.snapshot is not None
    up = Span("● up", "good")
    return ((up, Span(f" {age(now - board.snapshot.started_at)}", "muted")), (up,))


def _ports(board: Board) -> _Forms:
    if board.snapshot is None or board.link == "down":
        return ((),)
    ports = [
        listener.address.rstrip("/").rpartition(":")[2]
        for listener in board.snapshot.listeners
        if listener.name != "control" and ":" in listener.address
    ]
    shown = [f":{port}" for port in ports if port.isdigit()]
    return ((Span(" ".join(shown), "muted"),), (Span(" ".join(shown[:1]), "muted"),), ())


def _figures(board: Board) -> list[tuple[int, _Forms]]:
    beat = board.beat
    if beat is None:
        return []
    tone: Tone = "bad" if beat.error_rate >= 0.05 else ""
    errors = percent(beat.error_rate)
    p95 = Span(ms(beat.p95_ms), "muted" if beat.p95_ms is None else "")
    return [
        (
            5,
            (
                ((Span(rate(beat.per_second)), Span(" req/s", "muted"))),
                (Span(f"{rate(beat.per_second)}/s"),),
            ),
        ),
        (8, ((Span("p95 ", "muted"), p95), ())),
        (
            6,
            (
                (Span("errors ", "muted"), Span(errors, tone)),
                (Span("err ", "muted"), Span(errors, tone)),
            ),
        ),
    ]


#: how a service's state looks as one cell; a place, a shape and a colour
DOTS: dict[str, tuple[str, Tone]] = {
    "up": ("●", "good"),
    "degraded": ("◐", "warn"),
    "down": ("✗", "bad"),
    "unknown": ("○", "muted"),
}
#: dots that are told apart at a glance
MOST_DOTS = 10


def _dots(board: Board) -> _Forms:
    """One for each provider, then only how many are not well, then nothing."""
    states = [s.state for s in board.services if s.kind in ("provider", "local", "neighbour")]
    known = [state for state in states if state in DOTS]
    if not known or board.link == "down":
        return ((),)
    ill = [state for state in known if state in ("degraded", "down")]
    few: tuple[Piece, ...] = (Span(f"✗ {len(ill)} ill", "bad", "4"),) if ill else ()
    if len(known) > MOST_DOTS:
        return (few or (Span(f"● {len(known)} up", "good", "4"),), ())
    return (tuple(Span(DOTS[state][0], DOTS[state][1], "4") for state in known), few, ())


def _money(board: Board, budget: int | None) -> list[tuple[int, _Forms]]:
    today = board.today
    known = board.budgets
    house = budgets.of_the_house(known)
    if house is not None and house.limit is not None:
        budget = house.limit
    real = money(today.cost, lower_bound=today.unpriced > 0)
    of = f" of {budgets.allowed(budget)} today" if budget else " today"
    over: Tone = "bad" if budget and today.cost >= budget else "strong"
    short = (Span(real, over), Span(f" of {budgets.allowed(budget)}", "muted"))
    shown: list[tuple[int, _Forms]] = [
        (
            4,
            (
                (Span(real, over), Span(of, "muted")),
                *([short] if budget else []),
                (Span(real, over),),
            ),
        )
    ]
    if spent := budgets.exceeded(known):
        words = f"✗ {spent} budget{'s' if spent > 1 else ''} spent"
        shown.append((3, ((Span(words, "bad", "3"),), (Span(f"✗ {spent}", "bad", "3"),), ())))
    if today.simulated_requests:
        simulated = money(today.simulated_cost)
        shown.append(
            (
                0,
                (
                    (Span(f"◇ simulated {simulated}", "muted"),),
                    (Span(f"◇ sim {simulated}", "muted"),),
                ),
            )
        )
    return shown


def _badge(board: Board, around: Around) -> list[Piece]:
    if around.paused:
        return [Span(" ‖ PAUSED ", "alarm")]
    if board.link == "live":
        every = [Span(f" {around.every:g}s", "muted")] if around.every else []
        return [Span("LIVE", "good"), *every]
    if board.link == "stale":
        return [Span(f" STALE {age(around.now - board.heard)} ", "alarm")]
    if board.link == "down":
        return [Span(" ARCHIVE ", "alarm")]
    return [Span(UNKNOWN, "muted")]


def in_force(overrides: Sequence[OverrideView], now: float, room: int) -> list[Piece]:
    """The override that matters most, in one phrase of at most `room` cells; [] without one."""
    if not overrides:
        return []
    first = min(overrides, key=lambda o: (not o.problem, not o.forced, o.scope != "everywhere"))
    left = "" if first.expires_at is None else f" {age(first.expires_at - now)} left"
    more = f" +{len(overrides) - 1}" if len(overrides) > 1 else ""
    scope = "" if first.scope == "everywhere" else f"{first.scope} → "
    tone: Tone = "bad" if first.problem else "accent"
    mark = "✗" if first.problem else "⇄"
    for words in (
        f"{mark} {scope}{first.target}{left}{more}",
        f"{mark} {first.target}{left}{more}",
        f"{mark} override{left}{more}",
        f"{mark}{left}{more}",
    ):
        if width(clean(words)) <= room:
            return [Span(words, tone, "7")]
    return [Span(mark, tone, "7")]
