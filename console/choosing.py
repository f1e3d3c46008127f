"""Questions at a terminal, one after another, answered from lists: arrows or a part of a name,
Enter; Esc for the question before. Drawn below the prompt, and gone when they are answered.

One rule: what is offered comes from outside, so it is shown as clean text and never as markup.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

from textual.app import App, ComposeResult
from textual.binding import Binding, BindingType
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.tables import aligned

KEYS = "↑↓ or type a part of it   enter chooses   esc goes back"


@dataclass(frozen=True, slots=True)
class Question:
    """`rows` under `heads`; the first cell of a row is the answer that it stands for."""

    title: str
    heads: Sequence[str]
    rows: Sequence[Sequence[str]]


#: the next question after these answers; None when there is none left
Ask = Callable[[list[str]], Question | None]


class Choosing(App[list[str]]):
    """Ends with all answers, or with None where it was left."""

    CSS = """
    Screen { height: auto; &:inline { height: auto; border: none; } }
    OptionList { height: auto; max-height: 16; border: none; padding: 0; }
    Input { border: none; height: 1; padding: 0; }
    .title { text-style: bold; }
    .quiet { color: $text-muted; }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "before", show=False, priority=True),
        Binding("ctrl+c,ctrl+d", "leave", show=False, priority=True),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
    ]
    ENABLE_COMMAND_PALETTE = False

    def __init__(self, ask: Ask) -> None:
        super().__init__()
        self._ask = ask
        self._answers: list[str] = []
        self._offered: list[str] = []

    def compose(self) -> ComposeResult:
        yield Static(classes="title", id="title", markup=False)
        line = Input(compact=True)
        line.cursor_blink = False
        yield line
        yield Static(classes="quiet", id="heads", markup=False)
        listed = OptionList(markup=False, compact=True)
        listed.can_focus = False
        yield listed
        yield Static(Content(KEYS), classes="quiet", markup=False)

    def on_mount(self) -> None:
        self._show()
        self.query_one(Input).focus()

    def _show(self) -> None:
        question = self._ask(self._answers)
        if question is None:
            self.exit(self._answers)
            return
        self._question = question
        self.query_one("#title", Static).update(Content(question.title))
        with self.prevent(Input.Changed):
            self.query_one(Input).value = ""
        self._offer("")

    def _offer(self, typed: str) -> None:
        question, words = self._question, typed.casefold().split()
        head, *lines = aligned(question.heads, question.rows)
        self.query_one("#heads", Static).update(Content(head))
        rows = [
            (row[0], line)
            for row, line in zip(question.rows, lines, strict=True)
            if all(word in line.casefold() for word in words)
        ]
        self._offered = [name for name, _ in rows]
        listed = self.query_one(OptionList)
        listed.clear_options()
        found = [Option(Content(line)) for _, line in rows]
        listed.add_options(found or [Option(Content("nothing here is called so"), disabled=True)])
        listed.highlighted = 0 if rows else None

    def on_input_changed(self, event: Input.Changed) -> None:
        self._offer(event.value)

    def on_input_submitted(self) -> None:
        self._choose(self.query_one(OptionList).highlighted)

    def on_option_list_option_selected(self, event: OptionList.OptionSelected) -> None:
        self._choose(event.option_index)

    def _choose(self, place: int | None) -> None:
        if place is not None and self._offered:
            self._answers.append(self._offered[place])
            self._show()

    def action_step(self, step: int) -> None:
        listed = self.query_one(OptionList)
        if step > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def action_before(self) -> None:
        if not self._answers:
            self.exit()
            return
        self._answers.pop()
        self._show()

    def action_leave(self) -> None:
        self.exit()


def answers(ask: Ask) -> list[str] | None:
    """Asks at this terminal. None where the person left it."""
    return Choosing(ask).run(inline=True, inline_no_clear=False)
