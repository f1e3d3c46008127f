"""Overrides: the switches an operator set: what they send where, how long yet, and whether they can
be honoured.

Its rule: one that cannot be honoured is red and says why; clearing asks first.
"""

from __future__ import annotations

import time
from operator import attrgetter
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from console.query import written
from console.screens.filtered import FilteredView, FilterLine
from console.screens.view import hidden
from console.text import UNKNOWN, age, moment
from console.widgets.bar import Bar
from console.widgets.columns import Column
from console.widgets.paint import Piece, Span, lines, say
from console.widgets.table import ListRows, Row, Table, every
from router.contract import OverrideView

COLUMNS = (
    Column("for", 16, grow=2, by=attrgetter("scope")),
    Column("sent to", 22, grow=3, middle=True, by=attrgetter("target")),
    Column("left", 8, number=True, rising=True, by=attrgetter("expires_at")),
    Column("served", 6, number=True, by=attrgetter("served")),
    Column("set", 8, number=True, drop=2, by=attrgetter("set_at")),
    Column("by", 9, drop=3, by=attrgetter("set_by")),
    Column("problem", 16, grow=4, rising=False, by=attrgetter("problem")),
)


def draw(override: OverrideView, now: float) -> Row:
    ends = override.expires_at
    kind, _, name = override.scope.partition(":")
    scope: list[Piece] = [kind, Span(f" {name}" if name else "", "accent")]
    if override.forced:
        scope.append(Span("  forced", "warn"))
    return (
        scope,
        Span(override.target, "bad" if override.problem else "strong"),
        "no end" if ends is None else age(ends - now),
        f"{override.served:,}",
        Span(moment(override.set_at, now), "muted"),
        Span(override.set_by or UNKNOWN, "muted"),
        Span(f"✗ {override.problem}" if override.problem else "", "bad"),
    )


def whole(override: OverrideView, now: float) -> Content:
    """The selected one with nothing cut."""
    ends = override.expires_at
    until = "until cleared" if ends is None else f"until {moment(ends, now)}"
    said: list[Piece] = [
        override.scope,
        Span("  →  ", "muted"),
        Span(override.target, "strong"),
        Span(f"   {until}, set by {override.set_by or UNKNOWN}", "muted"),
    ]
    if override.problem:
        said.append(Span(f"   ✗ {override.problem}", "bad"))
    return say(*said)


def served(override: OverrideView) -> str:
    """What Live's filter takes for the requests that went where it says, since it was set."""
    provider, _, model = override.target.partition(",")
    kind, _, name = override.scope.partition(":")
    where = {"scenario": "rule", "session": "session", "key": "key"}
    fields = {where[kind]: name} if kind in where else {}
    if kind != "scenario":
        fields["rule"] = "forced" if override.forced else "override"
    since = time.strftime("%Y-%m-%dT%H:%M:%S", time.localtime(override.set_at))
    return f"{written(provider=provider, model=model, **fields)} since:{since}"


class Overrides(FilteredView):
    NAME = "Overrides"
    KEYS = (
        ("enter", "served under it"),
        ("n", "new"),
        ("d", "clear"),
        ("u", "take the newest back"),
        ("/", "filter"),
        ("s", "sort"),
        ("space", "mark"),
    )
    CHANGES = frozenset(("n", "d", "u"))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("n,a", "new", "Set an override"),
        Binding("d", "clear", "Clear the selected override"),
        Binding("u", "revert", "Take the newest back, at once"),
        Binding("y", "copy", "Copy the equivalent command"),
    ]

    def __init__(self) -> None:
        super().__init__(id="overrides")

    def command(self) -> str:
        return "pointsman override list"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        yield Table(COLUMNS, edge="top", marks=every, id="overrides-table", name="overrides")
        yield Static(id="override", markup=False)
        with VerticalScroll(id="none", classes="instead"):
            yield Static(
                lines(
                    say(Span("No override: the rules decide.", "strong")),
                    say(),
                    say(
                        "Press ", Span("n", "accent"), " to send requests to one model for a while:"
                    ),
                    say(Span("everything, one scenario, one session or one key.", "muted")),
                    say(),
                    say(Span("The same from a shell", "head")),
                    say(Span("pointsman override set provider,model --for 30m", "accent")),
                ),
                markup=False,
            )
        yield FilterLine("words, !words, for: sent: by: problem:")

    def draw(self) -> None:
        board = self.console_app.board
        now = self.console_app.now()
        table = self.query_one(Table)
        self.instead_of(table, not board.overrides)
        kept = self.kept(COLUMNS, board.overrides)
        shown = table.settle(kept, lambda o: o.id)
        table.show(ListRows(shown, lambda o: o.id, lambda o: draw(o, now)))
        chosen = self._chosen()
        self.query_one("#override", Static).update(whole(chosen, now) if chosen else say())
        broken = sum(1 for o in board.overrides if o.problem)
        said: list[Piece] = self.count(len(kept), len(board.overrides), "in force")
        if broken:
            said.append(Span(f"   ✗ {broken} cannot be honoured", "bad"))
        said += self.standing(table)
        self.title(*said, hint=hidden(table))

    def _chosen(self) -> OverrideView | None:
        key = self.query_one(Table).selected
        return next((o for o in self.console_app.board.overrides if o.id == key), None)

    def on_table_opened(self) -> None:
        """Live, with the requests that it decided."""
        if chosen := self._chosen():
            self.console_app.show_requests(served(chosen))

    def action_new(self) -> None:
        self.console_app.ask_override(None)

    def _picked(self) -> list[OverrideView]:
        """The marked ones, or the selected one."""
        keys = self.query_one(Table).picked
        return [override for override in self.console_app.board.overrides if override.id in keys]

    def action_clear(self) -> None:
        self.console_app.ask_clear(*self._picked(), then=self.query_one(Table).unmark)

    def action_revert(self) -> None:
        self.console_app.revert_override()

    def action_copy(self) -> None:
        if picked := self._picked():
            lines = [f"pointsman override clear {override.id}" for override in picked]
            one = len(lines) == 1
            what = "the command that clears it" if one else f"{len(lines)} commands that clear them"
            self.console_app.copy(what, *lines)
