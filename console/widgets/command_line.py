"""The line that takes commands, and above it what can be typed next.

Its rule: Tab takes the first completion, Enter does it, Escape leaves everything as it was.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import Input

from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span


class _Line(Input):
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "leave", show=False),
        Binding("tab", "complete", show=False),
        Binding("up", "recall(-1)", show=False),
        Binding("down", "recall(1)", show=False),
    ]

    def action_leave(self) -> None:
        self.post_message(CommandLine.Left())

    def action_complete(self) -> None:
        if isinstance(self.parent, CommandLine):
            self.parent.complete()

    def action_recall(self, step: int) -> None:
        if isinstance(self.parent, CommandLine):
            self.parent.recall(step)


class CommandLine(Vertical):
    """`complete_with` gives whole lines, `help_for` the words for a line."""

    class Given(Message):
        """Enter."""

        def __init__(self, line: str) -> None:
            super().__init__()
            self.line = line

    class Left(Message):
        """Escape."""

    def __init__(
        self, complete_with: Callable[[str], list[str]], help_for: Callable[[str], str]
    ) -> None:
        super().__init__(id="command")
        self._complete_with = complete_with
        self._help_for = help_for
        self._before: list[str] = []
        self._at = 0

    def compose(self) -> ComposeResult:
        yield Bar(id="completions")
        line = _Line(placeholder="command; tab completes", compact=True, select_on_focus=False)
        line.cursor_blink = False
        yield line

    @property
    def line(self) -> Input:
        return self.query_one(_Line)

    def open(self, begun: str = "") -> None:
        self.display = True
        self.line.value = begun
        self.line.cursor_position = len(begun)
        self._at = len(self._before)
        self.line.focus()
        self._offer(begun)

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer(event.value)

    def _offer(self, text: str) -> None:
        found = self._complete_with(text)
        said: list[Piece] = [Span(": ", "accent")]
        for place, line in enumerate(found[:12]):
            word = line.rpartition(" ")[2]
            said.append(Span(f"{word}  ", "strong" if place == 0 and text else "muted"))
        self.query_one(Bar).say(said, [Span(self._help_for(text), "muted")])

    def complete(self) -> None:
        found = self._complete_with(self.line.value)
        if found:
            self.line.value = found[0] + (" " if " " not in found[0] else "")
            self.line.cursor_position = len(self.line.value)

    def recall(self, step: int) -> None:
        self._at = max(0, min(self._at + step, len(self._before)))
        self.line.value = self._before[self._at] if self._at < len(self._before) else ""
        self.line.cursor_position = len(self.line.value)

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        line = event.value.strip()
        if line:
            self._before = [*self._before[-50:], line]
        self.post_message(self.Given(line))
