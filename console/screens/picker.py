"""Chooses one model by typing any part of its name; shows what each costs and how much it can hold.

Its rule: only what the router offers can be chosen; what it does not know about a model is "—".
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.screens.window import Window
from console.text import UNKNOWN, clean, fit, tokens
from console.widgets.paint import Piece, Span, say
from router.contract import ModelView

NAME = 42
_NOTHING = ModelView("")


def found(targets: Sequence[str], text: str) -> list[str]:
    """Those that have every word of `text` in them."""
    words = text.casefold().split()
    return [t for t in targets if all(word in t.casefold() for word in words)]


def per_million(nano: float | None) -> str:
    """Of nano-dollars per token: "$3", "$0.28", "free"."""
    if nano is None:
        return UNKNOWN
    if nano == 0:
        return "free"
    dollars = nano / 1000
    return f"${dollars:,.0f}" if dollars == int(dollars) else f"${dollars:,.2f}"


def heading() -> Content:
    return say(
        Span(fit("  provider,model", NAME + 1), "muted"),
        Span(f"{'in $/M':>8}{'out $/M':>9}{'holds':>8}", "muted"),
    )


def row(target: str, model: ModelView, cells: int = NAME) -> Content:
    """One line: name, prices of a million tokens in and out, tokens it can hold."""
    sim = "◇ " if model.simulated else ""
    said: list[Piece] = [
        Span(f" {sim}", "muted"),
        fit(clean(target), cells - len(sim), middle=True),
        Span(f"{per_million(model.input):>8}{per_million(model.output):>9}", ""),
        Span(f"{tokens(model.context, 5):>8}", "muted"),
    ]
    return say(*said)


class Picker(Window[str | None]):
    """Answers with a target, "" for `none` where that is offered, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("down", "step(1)", show=False, priority=True),
        Binding("up", "step(-1)", show=False, priority=True),
    ]

    def __init__(
        self,
        title: str,
        targets: Sequence[str],
        models: Mapping[str, ModelView],
        *,
        none: str = "",
        chosen: str = "",
    ) -> None:
        super().__init__(classes="dialog")
        self._title = title
        self._targets = targets
        self._models = models
        self._none = none
        self._chosen = chosen
        self._offered: list[str] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="window wide"):
            yield Static(say(Span(self._title, "strong")), markup=False)
            line = Input(placeholder="type part of a provider or model", compact=True, id="target")
            line.cursor_blink = False
            yield line
            yield Static(heading(), markup=False, classes="detail")
            yield OptionList(markup=False, id="models-offered")
            yield Static(
                say(Span("enter chooses   ↑↓ model   esc leaves it as it is", "muted")),
                classes="hint",
                markup=False,
            )

    def on_mount(self) -> None:
        self.query_one(OptionList).can_focus = False
        self._offer("")
        self.query_one(Input).focus()

    def _offer(self, text: str) -> None:
        listed = self.query_one(OptionList)
        listed.clear_options()
        self._offered = found(self._targets, text)
        options = [Option(row(t, self._models.get(t, _NOTHING))) for t in self._offered]
        if self._none and not text:
            self._offered = ["", *self._offered]
            options.insert(0, Option(say(Span(f" {self._none}", "muted"))))
        listed.add_options(options or [Option(say(Span(" no such model", "bad")), disabled=True)])
        if self._offered:
            at = self._offered.index(self._chosen) if self._chosen in self._offered else 0
            listed.highlighted = at

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer(event.value)

    def action_step(self, step: int) -> None:
        listed = self.query_one(OptionList)
        if step > 0:
            listed.action_cursor_down()
        else:
            listed.action_cursor_up()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._choose()

    def on_option_list_option_selected(self) -> None:
        self._choose()

    def _choose(self) -> None:
        place = self.query_one(OptionList).highlighted
        if self._offered and place is not None:
            self.dismiss(self._offered[place])

    def action_cancel(self) -> None:
        self.dismiss(None)
