"""What the five screens have in common: a title line, a body, a filter line, and when to redraw.

Its rule: a view draws only while it is the one shown; it reads the board it is given and asks the
archive for the rest, and an unreadable ledger is a line in its title, never the end of the console.
"""

from __future__ import annotations

import re
from collections.abc import Awaitable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Any, ClassVar, TypeVar, cast

from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input, TextArea

from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span
from console.widgets.table import Table

if TYPE_CHECKING:
    from console.app import ConsoleApp

_T = TypeVar("_T")


class FilterLine(Input):
    """Filters as one types. Enter keeps the filter, Escape takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave(False)", "Clear the filter", show=False),
        Binding("down", "leave(True)", "Back to the list", show=False),
    ]

    class Left(Message):
        """Back to the list."""

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def action_leave(self, keep: bool) -> None:
        if not keep:
            self.value = ""
        self.post_message(self.Left())

    async def action_submit(self) -> None:
        self.action_leave(True)


def named(owner: str, bindings: Sequence[BindingType]) -> list[BindingType]:
    """The same with an id for each: "live.cancel", "costs.period.t"."""
    result: list[BindingType] = []
    for binding in bindings:
        if isinstance(binding, Binding) and not binding.id:
            action = re.sub(r"[^a-z0-9]+", ".", binding.action).strip(".")
            binding = replace(binding, id=f"{owner.lower()}.{action}")
        result.append(binding)
    return result


class View(Vertical):
    """One of the screens. `KEYS` are the hints of its bottom line: (key, word)."""

    NAME: ClassVar[str]
    KEYS: ClassVar[tuple[tuple[str, str], ...]] = ()
    #: those of its keys that change something: not for who may only look
    CHANGES: ClassVar[frozenset[str]] = frozenset()
    #: why the ledger could not be read
    trouble: str = ""
    #: drawn since the last tick
    _fresh = False

    def __init_subclass__(cls, **more: Any) -> None:
        """Names each key, "live.cancel", so that a person can put another in its place."""
        cls.BINDINGS = named(cls.__name__, cls.__dict__.get("BINDINGS", []))
        super().__init_subclass__(**more)

    def command(self) -> str:
        """The same from a shell."""
        return "pointsman status"

    @property
    def console_app(self) -> ConsoleApp:
        return cast("ConsoleApp", self.app)

    def update(self) -> None:
        """Draws what the board says now; nothing while the console is being taken down, when a
        worker may still come back with an answer."""
        if self.app.is_running and self.is_attached:
            self._fresh = True
            self.draw()

    def draw(self) -> None:
        """What a screen draws, from the board."""

    def shown(self) -> None:
        """Called each time the view comes to the front."""
        self.focus_body()
        self.update()

    def tick(self) -> None:
        """Once a second while it is shown: what ages by itself. A screen that the router's beat has
        just drawn has aged with it."""
        if not self._fresh:
            self.update()
        self._fresh = False

    def on_table_moved(self) -> None:
        self.update()

    def focus_body(self) -> None:
        """To the first table that is shown, or to the words that stand in its place: without a
        focus the keys of a view are dead."""
        for body in self.query("Table, .instead"):
            if body.display:
                body.focus(scroll_visible=False)
                return

    def instead_of(self, table: Table, empty: bool) -> None:
        """Shows `table`, or what the view says when there is nothing to list."""
        words = self.query_one(".instead")
        if (table.display, words.display) == (not empty, empty):
            return
        lost = self.screen.focused in (None, table, words)
        table.display, words.display = not empty, empty
        if lost and self.console_app.view is self:
            self.focus_body()

    def title(self, *left: Piece, right: Sequence[Piece] = (), hint: Sequence[Piece] = ()) -> None:
        trouble: list[Piece] = [Span(f"   {self.trouble}", "bad")] if self.trouble else []
        self.query_one(".title", Bar).say([Span(self.NAME, "strong"), *trouble, *left], right, hint)

    async def ask(self, answer: Awaitable[_T], default: _T) -> _T:
        """What the archive answers; `default`, and a word in the title, when it cannot be read."""
        from console.link import ArchiveError  # with httpx: not before the first paint

        try:
            found = await answer
        except ArchiveError as error:
            self.trouble = f"✗ the ledger cannot be read: {error.__cause__ or error}"
            return default
        self.trouble = ""
        return found


class FilteredView(View):
    """A view with a table and a filter line under it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter", show=False, priority=True),
        Binding("escape", "back", "Clear the filter", show=False),
    ]
    filter = ""

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        if action == "filter" and isinstance(self.app.focused, Input | TextArea):
            return False  # there it is a character
        return super().check_action(action, parameters)

    def action_filter(self) -> None:
        line = self.query_one(FilterLine)
        line.display = True
        self.screen.set_focus(line)  # now: what is typed at once after is for this line

    def narrow(self, text: str) -> None:
        """Puts `text` into the filter, as if it had been typed."""
        line = self.query_one(FilterLine)
        line.value = text
        line.display = bool(text)

    def action_back(self) -> None:
        self.query_one(FilterLine).action_leave(False)

    def on_filter_line_left(self) -> None:
        line = self.query_one(FilterLine)
        line.display = bool(line.value)
        self.focus_body()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.filter = event.value.strip()
        self.filtered()

    def filtered(self) -> None:
        """Called when the filter changed."""
        self.update()


def hidden(table: Table) -> list[Piece]:
    """Says which columns had no room."""
    names = table.hidden if table.display and table.size.width else ()
    return [Span("wider shows: " + ", ".join(names), "muted")] if names else []
