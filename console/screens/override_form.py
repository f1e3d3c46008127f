"""The form that sets an override: for what, to which model, for how long.

Its rule: the target is found by typing any part of it, Enter sets it, and nothing is sent that the
router did not offer as a target. Where one is in force, to take it back is offered first.
"""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import ClassVar

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, OptionList, Static
from textual.widgets.option_list import Option

from console.board import Board
from console.screens.picker import heading, row
from console.screens.window import Window
from console.text import fit
from console.widgets.paint import Span, say
from router.contract import ClearOverride, ModelView, OverrideView, RequestView, SetOverride

EXPIRIES: tuple[tuple[str, float | None], ...] = (
    ("30 minutes", 1800.0),
    ("1 hour", 3600.0),
    ("2 hours", 7200.0),
    ("until cleared", None),
)
STRENGTHS: tuple[tuple[str, bool], ...] = (
    ("the rules", False),
    ("everything, a model asked for by the client too", True),
)
#: sessions and keys of late that are offered as scopes
OFFERED = 8


class Choice(Widget, can_focus=True):
    """One of a few values, on one line: left and right change it."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("left,h", "step(-1)", show=False),
        Binding("right,l,space", "step(1)", show=False),
        Binding("enter", "done", show=False),
    ]
    DEFAULT_CSS = "Choice { height: 1; }"

    class Done(Message):
        """Enter."""

    class Changed(Message):
        """Another value."""

    def __init__(self, name: str, values: Sequence[str]) -> None:
        super().__init__(id=name.replace(" ", "-"), markup=False)
        self._label = name
        self.values = values
        self.at = 0

    def action_step(self, step: int) -> None:
        self.at = (self.at + step) % len(self.values)
        self.refresh()
        self.post_message(self.Changed())

    def action_done(self) -> None:
        self.post_message(self.Done())

    def on_click(self) -> None:
        self.action_step(1)

    def on_focus(self) -> None:
        self.refresh()

    def on_blur(self) -> None:
        self.refresh()

    def render(self) -> Content:
        place = f"{self.at + 1}/{len(self.values)}"
        return say(
            Span(fit(self._label, 11), "muted"),
            Span("‹ ", "accent" if self.has_focus else "muted"),
            Span(self.values[self.at], "strong" if self.has_focus else ""),
            Span(" ›", "accent" if self.has_focus else "muted"),
            Span(f"  {place}", "muted"),
        )


def scopes(board: Board, request: RequestView | None) -> list[str]:
    """What can be overridden: everything, the scenarios, the sessions and keys of late. Those of
    `request` come first."""
    near: list[str] = []
    if request is not None:
        near += [f"session:{request.session}"] if request.session else []
        near += [f"key:{request.key}"] if request.key else []
    scenarios = [
        f"scenario:{name}" for name in (board.snapshot.scenarios if board.snapshot else ())
    ]
    late = [*board.running, *board.finished]
    sessions = list(dict.fromkeys(f"session:{r.session}" for r in late if r.session))[:OFFERED]
    keys = list(dict.fromkeys(f"key:{r.key}" for r in late if r.key))[:OFFERED]
    return list(dict.fromkeys([*near, "everywhere", *scenarios, *sessions, *keys]))


#: asks the router what an override of that scope to that target would throw away; "" for nothing
Weigh = Callable[[str, str], Awaitable[str]]


class OverrideForm(Window[SetOverride | ClearOverride | None]):
    """Answers with the action to take, or None."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape", "cancel", "Cancel", show=False),
        Binding("down", "candidate(1)", show=False, priority=True),
        Binding("up", "candidate(-1)", show=False, priority=True),
    ]

    def __init__(self, board: Board, request: RequestView | None, by: str, weigh: Weigh) -> None:
        super().__init__(classes="dialog")
        self._board = board
        self._weigh = weigh
        self._models: Mapping[str, ModelView] = {}
        # on a low terminal the list gives way to the fields under it
        self.VERTICAL_BREAKPOINTS = [(0, "-tiny"), (20, "-low"), (28, "-high")]
        self._targets = board.snapshot.targets if board.snapshot else ()
        self._scopes = scopes(board, request)
        self._by = by
        #: what stands in the list: targets, "" for none of them, which takes `_in_force` back
        self._offered: list[str] = []
        self._in_force: OverrideView | None = None

    def compose(self) -> ComposeResult:
        with Vertical(classes="window wide"):
            yield Static(say(Span("Override", "strong")), markup=False)
            yield Input(placeholder="type part of a provider or model", compact=True, id="target")
            yield Static(heading(), markup=False, id="priced")
            yield OptionList(markup=False, id="candidates")
            yield Choice("for", self._scopes)
            yield Choice("lasts", [name for name, _ in EXPIRIES])
            yield Choice("wins over", [name for name, _ in STRENGTHS])
            yield Static(id="lost", markup=False)
            yield Static(
                say(
                    Span(
                        "enter sets   ↑↓ model   tab next field   ←→ change   esc cancels", "muted"
                    )
                ),
                classes="hint",
                markup=False,
            )

    def on_mount(self) -> None:
        line = self.query_one(Input)
        line.cursor_blink = False
        self.query_one(OptionList).can_focus = False
        self._offer("")
        line.focus()

    def found(self, text: str) -> list[str]:
        """Targets that have every word of `text` in them."""
        words = text.casefold().split()
        return [t for t in self._targets if all(word in t.casefold() for word in words)]

    def _scope(self) -> str:
        return self._scopes[self.query_one("#for", Choice).at]

    def _offer(self, text: str, chosen: int = 0) -> None:
        scope = self._scope()
        self._in_force = next((o for o in self._board.overrides if o.scope == scope), None)
        self._offered = self.found(text)
        if self._in_force is not None and not text:
            self._offered.insert(0, "")
        candidates = self.query_one(OptionList)
        candidates.clear_options()
        candidates.add_options([Option(self._row(target)) for target in self._offered])
        if self._offered:
            candidates.highlighted = chosen
        else:
            candidates.add_option(Option(say(Span(" no model of this name", "bad")), disabled=True))

    def _row(self, target: str) -> Content:
        if not target and self._in_force is not None:
            now = f"  now {self._in_force.target}"
            return say(Span(" the rules decide again", "accent"), Span(now, "muted"))
        model = self._models.get(target)
        return say(f" {target}") if model is None else row(target, model)

    def know(self, models: Mapping[str, ModelView]) -> None:
        """Prices and sizes, a moment after the form is there; what was chosen by then stays so."""
        self._models = models
        if self.stands:
            chosen = self.query_one(OptionList).highlighted
            self._offer(self.query_one(Input).value, chosen or 0)

    def on_option_list_option_highlighted(self) -> None:
        self._say_lost()

    def on_choice_changed(self) -> None:
        before = self._chosen()
        in_force = any(o.scope == self._scope() for o in self._board.overrides)
        if in_force or self._in_force is not None:
            self._offer(self.query_one(Input).value)
            if before in self._offered:
                self.query_one(OptionList).highlighted = self._offered.index(before)
        self._say_lost()

    def _chosen(self) -> str | None:
        """A target, "" to take one back; None where no name fits."""
        place = self.query_one(OptionList).highlighted
        return self._offered[place] if self._offered and place is not None else None

    @work(exclusive=True, group="weigh")
    async def _say_lost(self) -> None:
        target, line = (
            self._chosen(),
            self.query_one("#lost", Static),
        )  # before the form may be gone
        lost = await self._weigh(self._scope(), target) if target else ""
        line.update(say(Span(f"▲ {lost}", "warn")) if lost else say())

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._offer(event.value)

    def action_candidate(self, step: int) -> None:
        candidates = self.query_one(OptionList)
        if step > 0:
            candidates.action_cursor_down()
        else:
            candidates.action_cursor_up()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self._set()

    def on_choice_done(self) -> None:
        self._set()

    def on_option_list_option_selected(self) -> None:
        self._set()

    def _set(self) -> None:
        target = self._chosen()
        if target is None:
            return
        if not target and self._in_force is not None:
            self.dismiss(ClearOverride(self._in_force.id, by=self._by))
            return
        expiry, strength = (self.query_one(f"#{n}", Choice).at for n in ("lasts", "wins-over"))
        self.dismiss(
            SetOverride(
                scope=self._scope(),
                target=target,
                seconds=EXPIRIES[expiry][1],
                forced=STRENGTHS[strength][1],
                by=self._by,
            )
        )

    def action_cancel(self) -> None:
        self.dismiss(None)
