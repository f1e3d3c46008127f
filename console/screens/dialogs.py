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
from textual.suggester import Suggester
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.screens.window import Window
from console.widgets.bar import Bar
from console.widgets.paint import Span, lines, say


@dataclass(frozen=True, slots=True)
class Answer:
    """One thing to choose; `key` chooses it at once."""

    id: str
    key: str
    words: str
    note: str = ""


class Choose(Window[str]):
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


class Ask(Window[str | None]):
    """A line to write, with what stands there now in it. Escape answers None. `offered`: words, the
    last of the line is completed to one of them with the right arrow."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False, priority=True)
    ]

    def __init__(
        self, question: str, detail: Sequence[Content], text: str, offered: Sequence[str] = ()
    ) -> None:
        super().__init__(classes="dialog")
        self._question = question
        self._detail = detail
        self._text = text
        self._offered = offered

    def compose(self) -> ComposeResult:
        with Vertical(classes="window wide"):
            yield Static(say(Span(self._question, "strong")), markup=False)
            yield Static(lines(*self._detail), classes="detail", markup=False)
            line = Input(self._text, "none", compact=True, suggester=LastWord(self._offered))
            line.cursor_blink = False
            yield line
            hint = "enter takes it   → completes   esc leaves it as it is"
            yield Static(say(Span(hint, "muted")), classes="hint", markup=False)

    def on_mount(self) -> None:
        self.query_one(Input).focus()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.dismiss(event.value.strip())

    def action_cancel(self) -> None:
        self.dismiss(None)


class LastWord(Suggester):
    """Completes the last word of a line."""

    def __init__(self, offered: Sequence[str]) -> None:
        super().__init__(use_cache=False, case_sensitive=True)
        self._offered = offered

    async def get_suggestion(self, value: str) -> str | None:
        before, blank, word = value.rpartition(" ")
        found = next((one for one in self._offered if word and one.startswith(word)), None)
        return None if found is None else before + blank + found


class Sheet(Window[str]):
    """Text to read. Escape, q or Enter closes it; `keys` are other keys it may be closed with."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,question_mark", "close('')", "Close", show=False),
        Binding("enter", "close('enter')", "Close", show=False),
        Binding("j,down", "scroll(1)", show=False),
        Binding("k,up", "scroll(-1)", show=False),
        Binding("pagedown,ctrl+d,space", "scroll(10)", show=False),
        Binding("pageup,ctrl+u", "scroll(-10)", show=False),
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
