"""Screens whose list is narrowed by what one types or pastes, and that others lead to.

Its rule: what a filter leaves out is counted in the title, what of it is not understood is said
there, and Escape takes away what was narrowed last, a person's own filter after that of a lead.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import ClassVar, NamedTuple, TypeVar, cast

from textual import events
from textual.binding import Binding, BindingType
from textual.widgets import Input

from console.row_filter import words
from console.screens.view import View
from console.text import clean, fit, width
from console.widgets.columns import Column
from console.widgets.paint import Piece, Span
from console.widgets.table import Table

_T = TypeVar("_T")
#: characters of what is pasted that are looked for
LONGEST = 200
_REQUEST = re.compile(r"\breq_[0-9a-zA-Z]{8,}")


class FilterLine(Input):
    """Filters as one types. Enter and Down keep the filter, Escape takes it away."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter,down", "leave(True)", show=False),
        Binding("escape", "leave(False)", show=False),
    ]

    def __init__(self, placeholder: str) -> None:
        super().__init__(placeholder=placeholder, compact=True, select_on_focus=False)
        self.cursor_blink = False

    def action_leave(self, keep: bool) -> None:
        if not keep:
            self.value = ""
        self.display = bool(self.value)
        cast(View, self.parent).focus_body()


class Came(NamedTuple):
    """A list that was opened from `screen` with a `filter`; `before` was a person's own."""

    screen: str
    filter: str
    before: str


class FilteredView(View):
    """A view with a table and a filter line under it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("slash", "filter", "Filter as you type", key_display="/"),
        Binding(
            "escape", "back", "Take the marks away, then the filter, then back", key_display="esc"
        ),
    ]
    #: what can be typed into the filter, for "?", and what it does
    FILTER: ClassVar[tuple[tuple[str, str], ...]] = (
        ("words !words", "rows with them, rows without"),
        ("name:word", "in the column of that name"),
    )
    filter = ""
    #: what of the filter says nothing here
    misread = ""
    #: where it was opened from with a filter
    came: Came | None = None

    def shown(self) -> None:
        if not self.filter:
            self.came = None
        super().shown()

    def action_filter(self) -> None:
        line = self.query_one(FilterLine)
        line.display = True
        line.cursor_position = len(line.value)
        line.focus()

    def on_paste(self, event: events.Paste) -> None:
        """What is pasted is looked for: of a client's whole complaint the request's id in it."""
        line = next((line.strip() for line in event.text.splitlines() if line.strip()), "")
        line = clean(line, limit=LONGEST).replace('"', " ")
        found = _REQUEST.search(event.text)
        text = found[0] if found else f'"{line}"' if " " in line else line
        if text and not isinstance(self.app.focused, Input):
            event.stop()
            self.narrow(text)

    def lead_here(self, screen: str, filter: str) -> None:
        """Shows what `filter` leaves, until one goes back to `screen`."""
        came = self.came
        before = came.before if came and came.filter == self.filter else self.filter
        self.narrow(filter)
        self.came = Came(screen, filter, before) if screen != self.id else None

    def narrow(self, text: str) -> None:
        """Puts `text` into the filter, as if it had been typed."""
        line = self.query_one(FilterLine)
        line.value = text
        line.display = bool(text)

    def action_back(self) -> None:
        if any([table.unmark() for table in self.query(Table)]):
            return
        came = self.came
        if came and self.filter in ("", came.filter):
            self.came = None
            self.narrow(came.before)
            self.console_app.call_later(self.console_app.action_view, came.screen)
        elif self.filter:
            self.query_one(FilterLine).action_leave(False)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.filter = event.value.strip()
        self.filtered()

    def filtered(self) -> None:
        """Called when the filter changed."""
        for table in self.query(Table):
            table.unsettle()
        self.update()

    def kept(self, columns: Sequence[Column], items: Iterable[_T]) -> list[_T]:
        """Of a list's items those that the filter lets through, by what its columns hold."""
        self.misread = ""
        if not self.filter:
            return list(items)
        rows = [(item, {column.name: column.text(item) for column in columns}) for item in items]
        worded = dict.fromkeys(name for _, texts in rows for name, text in texts.items() if text)
        wanted = words(self.filter, [column.name for column in columns], worded)
        self.misread = wanted.misread
        return [item for item, texts in rows if wanted.hold(texts)]

    def count(self, shown: int, whole: int, what: str) -> list[Piece]:
        """For the title: how many there are or, filtered, how many of them are shown, and why."""
        if not self.filter:
            return [Span(f"  {whole:,} {what}", "muted")]
        return [Span(f"  {shown:,} of {whole:,} {what}", "warn"), *self.filtered_by()]

    def filtered_by(self) -> list[Piece]:
        """For the title: the filter, and what of it is not understood here."""
        said = fit(self.filter, min(width(self.filter), 24), middle=True)
        wrong = [Span(f"  {self.misread}", "bad")] if self.misread else []
        return [Span(f'  "{said}"', "warn"), *wrong]
