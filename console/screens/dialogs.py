"""The small windows over a screen: yes or no, how to quit, the keys, a whole line.

Its rule: Escape always means no, and what cannot be taken back is never the default.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.screen import ModalScreen
from textual.widgets import OptionList, Static
from textual.widgets.option_list import Option

from console.widgets.bar import Bar
from console.widgets.paint import Span, lines, say


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing to choose; `key` chooses it at once."""

    id: str
    key: str
    words: str
    note: str = ""


class Choose(ModalScreen[str]):
    """A question with its answers under it; the first is the default. Escape answers ""."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "choose('')", "Cancel", show=False),
        Binding("j", "step(1)", show=False),
        Binding("k", "step(-1)", show=False),
    ]

    def __init__(self, question: str, detail: Sequence[Content], answers: Sequence[Answer]) -> None:
        super().__init__(classes="dialog")
        self._question = question
        self._detail = detail
        self._answers = answers

    def compose(self) -> ComposeResult:
        with Vertical(classes="window"):
            yield Static(say(Span(self._question, "strong")), markup=False)
            if self._detail:
                yield Static(lines(*self._detail), classes="detail", markup=False)
            yield OptionList(*(Option(_row(a), id=a.id) for a in self._answers), markup=False)

    def on_key(self, event: events.Key) -> None:
        for answer in self._answers:
            if event.key == answer.key:
                event.stop()  # or the screen below would take it as its own key
                event.prevent_default()
                self.dismiss(answer.id)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self.dismiss(event.option_id or "")

    def action_choose(self, id: str) -> None:
        self.dismiss(id)

    def action_step(self, step: int) -> None:
        options = self.query_one(OptionList)
        if step > 0:
            options.action_cursor_down()
        else:
            options.action_cursor_up()


def _row(answer: Answer) -> Content:
    return say(
        Span(f" {answer.key:<4}", "accent"),
        answer.words,
        Span(f"  {answer.note}" if answer.note else "", "muted"),
    )


class Sheet(ModalScreen[str]):
    """Text to read. Escape, q or Enter closes it; `keys` are other keys it may be closed with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close('')", "Close", show=False),
        Binding("enter", "close('enter')", "Close", show=False),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
    ]

    def __init__(self, name: str, rows: Sequence[Content], hint: str = "esc closes") -> None:
        super().__init__(classes="dialog")
        self._title = name
        self._rows = rows
        self._hint = hint

    def compose(self) -> ComposeResult:
        with Vertical(classes="window wide"):
            yield Bar(classes="name")
            with VerticalScroll(can_focus=False):
                yield Static(lines(*self._rows), markup=False)

    def on_mount(self) -> None:
        self.query_one(Bar).say([Span(self._title, "strong")], [Span(self._hint, "muted")])

    def action_close(self, how: str) -> None:
        self.dismiss(how)

    def action_scroll(self, step: int) -> None:
        self.query_one(VerticalScroll).scroll_relative(y=step, animate=False)
