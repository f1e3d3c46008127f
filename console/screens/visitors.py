"""Who is here over SSH or the browser, in a window over any screen, and ending a visit.

Its rule: it names who is sent away before it does so, and Escape always leads back.
"""

from __future__ import annotations

from operator import attrgetter
from typing import TYPE_CHECKING, ClassVar, cast

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical

from console.screens.dialogs import Answer, Choose
from console.screens.window import Window
from console.text import age
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.paint import Span, say
from console.widgets.table import ListRows, Row, Table
from router.contract import Dismiss, Visitor

if TYPE_CHECKING:
    from console.actions import Actions

COLUMNS = (
    Column("who", 14, grow=2, by=attrgetter("by")),
    Column("may", 7, by=attrgetter("role")),
    Column("from", 14, grow=1, drop=2, by=attrgetter("origin")),
    Column("does", 9, drop=1, by=attrgetter("doing")),
    Column("for", 7, number=True, by=lambda visitor: -visitor.since),
)


def draw(visitor: Visitor, now: float) -> Row:
    return (
        visitor.by,
        Span(visitor.role, "warn" if visitor.role in ("admin", "shell") else ""),
        Span(visitor.origin, "muted"),
        Span(visitor.doing, "muted"),
        age(now - visitor.since),
    )


class Visitors(Window[str]):
    """As they come and go; `d` ends the selected visit."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "Close", show=False),
        Binding("d,delete", "kick", "End this visit", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(classes="dialog")

    def compose(self) -> ComposeResult:
        with Vertical(classes="window wide"):
            yield Bar(classes="name")
            yield Table(COLUMNS, edge="top", id="visitors", name="visitors")

    def on_mount(self) -> None:
        self._draw()
        self.set_interval(1.0, self._draw)
        self.query_one(Table).focus()

    def on_table_sorted(self) -> None:
        self._draw()

    @property
    def acting(self) -> Actions:
        return cast("Actions", self.app)

    def _draw(self) -> None:
        found, now = self.acting.board.visitors, self.acting.now()
        table = self.query_one(Table)
        rows = table.settle(found, lambda v: v.id)
        table.show(ListRows(rows, lambda v: v.id, lambda v: draw(v, now)))
        table.styles.height = max(min(len(found), 12), 1) + 1
        hint = "esc closes" if self.acting.read_only or not found else "d ends a visit, esc closes"
        nobody = "Nobody is here over SSH or the browser"
        self.query_one(Bar).say(
            [Span("Here over SSH or the browser" if found else nobody, "strong")],
            [Span(hint, "muted")],
        )

    def action_kick(self) -> None:
        app = self.acting
        id = self.query_one(Table).selected
        chosen = next((v for v in app.board.visitors if v.id == id), None)
        if chosen is None or app.refuses_change():
            return
        detail = [
            say(Span(f"{chosen.doing} from {chosen.origin}, role {chosen.role}", "muted")),
            say(Span("Their terminal is left clean; they may log in again.", "muted")),
        ]
        answers = [Answer("", "esc", "no, leave it"), Answer("yes", "d", "end the visit")]

        def take(answer: str | None) -> None:
            if answer:
                app.do(Dismiss(chosen.id, by=app.operator))

        app.push_screen(Choose(f"End the visit of {chosen.by}?", detail, answers), take)

    def action_close(self) -> None:
        self.dismiss("")
