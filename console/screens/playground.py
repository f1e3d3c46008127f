"""Playground: type a prompt, see which model it would get and why before anything is sent, stream
the answer, and set two models side by side.

Its rule: typing costs nothing (it is a dry run); only Enter sends, and what is sent goes through
the front door like everybody's, labelled in the ledger.
"""

from __future__ import annotations

import asyncio
import shlex
from collections.abc import Mapping
from typing import ClassVar

import msgspec
from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.content import Content
from textual.widgets import Input, Static

from console.screens.picker import Picker, per_million
from console.screens.view import View
from console.text import UNKNOWN, clean, clean_lines, money, ms, rate, tokens
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.paint import Piece, Span, lines, say
from router.contract import Explain, Explained, ListModels, Models, ModelView, Refused, RequestView

#: seconds of rest after which a prompt is looked at
REST = 0.25
SIDES = ("a", "b")
RULES = "the rules decide"


class Prompt(Input):
    """Enter sends, Escape goes back to the keys."""

    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape", "leave", show=False)]

    def action_leave(self) -> None:
        self.screen.query_one("#answers").focus()


def preview(
    answer: Explained | Refused | None, models: Mapping[str, ModelView], side: str = ""
) -> list[Content]:
    """Where it would go, why, and what the prompt alone would cost there. `side`: which of two."""
    if answer is None and side == "b":
        return []
    if answer is None:
        return [say(Span("type a prompt: where it would go is shown here", "muted"))]
    if isinstance(answer, Refused):
        return [say(Span(f"✗ {answer.message}", "bad"))]
    if not answer.candidates:
        return [say(Span(f"✗ {answer.rule}: {answer.error}", "bad"))]
    first = answer.candidates[0]
    model = models.get(first)
    counted = tokens(answer.facts.tokens, estimated=not answer.facts.tokens_exact)
    said: list[Piece] = [
        Span(f"{side} → " if side else "→ ", "accent"),
        Span(first, "strong"),
        Span("   by ", "muted"),
        answer.rule,
        Span(f"   {counted} token{'s' * (answer.facts.tokens != 1)}", "muted"),
    ]
    if model is not None and model.input is not None:
        cost = money(round(model.input * answer.facts.tokens))
        prices = f"{per_million(model.input)} in, {per_million(model.output)} out per M"
        said.append(Span(f"   ≈ {cost} in   {prices}", "muted"))
    elif model is not None:
        said.append(Span("   price not known", "muted"))
    hit = next((look for look in answer.looks if look.hit), None)
    why: list[Piece] = [Span("  ", "")]
    if hit is not None and hit.value != first:  # a model named by hand
        why.append(Span(hit.value, "muted"))
    others = [name for name in dict.fromkeys(answer.candidates) if name != first]  # one a key
    if others:
        why.append(Span(f"   then {', '.join(others[:3])}", "muted"))
    return [say(*said), say(*why)]


class Playground(View):
    NAME = "Playground"
    KEYS = (
        ("enter", "send"),
        ("esc", "keys"),
        ("a", "model"),
        ("b", "second model"),
        ("c", "stop"),
        ("y", "copy"),
    )
    CHANGES = frozenset(("enter",))
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("enter", "send", "Send it"),
        Binding("i,slash", "prompt", "Type the prompt", key_display="i"),
        Binding("a", "pick('a')", "Choose the model, or leave it to the rules"),
        Binding("b", "pick('b')", "Choose a second model beside it, or none"),
        Binding("c,x", "stop", "Stop the answers", key_display="c x"),
        Binding("y", "copy", "Copy the answer, or one of both"),
        Binding("o", "open", "Open the request"),
        Binding("j", "scroll(1)", "Down", show=False),
        Binding("k", "scroll(-1)", "Up", show=False),
    ]

    def __init__(self) -> None:
        super().__init__(id="playground")
        from console.asking import Asked  # with httpx: not before the first paint

        self._prompt = ""
        self._targets = {"a": "", "b": ""}
        self._both = False
        self._models: dict[str, ModelView] = {}
        self._previews: dict[str, Explained | Refused] = {}
        self._asked: dict[str, Asked] = {}
        self._kept: dict[str, RequestView] = {}

    def command(self) -> str:
        chosen = [self._targets[side] for side in self._sides]
        models = "".join(f" --model {shlex.quote(clean(t))}" for t in chosen if t)
        return f"pointsman ask {shlex.quote(clean(self._prompt))}{models}"

    def compose(self) -> ComposeResult:
        yield Bar(classes="title")
        line = Prompt(placeholder="a prompt; enter sends it", compact=True, id="prompt")
        line.cursor_blink = False
        yield line
        yield Static(id="preview", markup=False)
        with VerticalScroll(id="answers"), Horizontal(id="sides"):
            for side in SIDES:
                with Vertical(id=f"side-{side}"):
                    yield Static(id=f"head-{side}", markup=False)
                    yield Static(id=f"answer-{side}", markup=False)

    def shown(self) -> None:
        super().shown()
        self._load()

    def focus_body(self) -> None:
        self.query_one(Prompt).focus()

    @work(exclusive=True, group="models")
    async def _load(self) -> None:
        listed = await self.console_app.question(ListModels())
        if isinstance(listed, Models):
            self._models = {model.target: model for model in listed.models}
        self._look()

    # ── before sending ────────────────────────────────────────────────────────────────────────────

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._prompt = event.value
        self._look()

    @work(exclusive=True, group="look")
    async def _look(self) -> None:
        """A dry run of what is typed, once the typing rests."""
        from console.asking import body_of, headers_of

        if not self._prompt.strip():
            self._previews.clear()
        else:
            await asyncio.sleep(REST)
            body = msgspec.json.encode(body_of(self._prompt)).decode()
            for side in self._sides:
                action = Explain(body=body, door="ccr", headers=headers_of(self._targets[side]))
                answer = await self.console_app.question(action)
                if isinstance(answer, Explained | Refused):
                    self._previews[side] = answer
        self.update()

    @property
    def _sides(self) -> tuple[str, ...]:
        return SIDES if self._both else SIDES[:1]

    # ── sending ───────────────────────────────────────────────────────────────────────────────────

    def on_input_submitted(self, event: Input.Submitted) -> None:
        event.stop()
        self.action_send()

    def action_send(self) -> None:
        if not self._prompt.strip():
            self.action_prompt()
        elif not self.console_app.refuses_change():
            self.workers.cancel_group(self, "asked")
            self._asked.clear()
            self._kept.clear()
            for side in self._sides:
                self._ask(side)

    @work(group="asked")
    async def _ask(self, side: str) -> None:
        from console.asking import Asked, ask
        from console.claude import NO_KEY, settings

        app = self.console_app
        asked = self._asked[side] = Asked()
        key = settings(app.home).key or NO_KEY
        await ask(app.front_door(), key, self._prompt, self._targets[side], asked, self.update)
        for _ in range(20):  # the ledger has it a moment after the last byte
            view = app.board.requests.get(asked.id)
            if view is not None and view.state != "running":
                self._kept[side] = view
                break
            await asyncio.sleep(0.1)
        self.update()

    # ── drawing ───────────────────────────────────────────────────────────────────────────────────

    def draw(self) -> None:
        wide = self._both
        self.query_one("#sides").set_class(wide, "wide")
        self.query_one("#side-b").display = wide
        shown = [
            row
            for side in self._sides
            for row in preview(self._previews.get(side), self._models, side if wide else "")
        ]
        self.query_one("#preview", Static).update(lines(*shown))
        for side in self._sides:
            self._put(f"#head-{side}", self._head(side))
            asked = self._asked.get(side)
            text = asked.text if asked else ""
            body = [say(line) for line in clean_lines(text).split("\n")] if text else [say()]
            if asked and asked.error:
                body.insert(0, say(Span(f"✗ {asked.error}", "bad")))
            elif asked and asked.problem:
                body.insert(0, say(Span(f"! {asked.problem}", "warn")))
            self._put(f"#answer-{side}", lines(*body))
        self._say_title()

    def _put(self, where: str, content: Content) -> None:
        static = self.query_one(where, Static)
        if static.content != content:
            static.update(content)

    def _say_title(self) -> None:
        said: list[Piece] = [
            Span("  "),
            Span("a ", "accent", "a"),
            Span(self._targets["a"] or RULES, "" if self._targets["a"] else "muted"),
            Span("   b ", "accent", "b"),
            Span(self._targets["b"] or RULES if self._both else "none", "muted"),
        ]
        self.title(*said)

    def _head(self, side: str) -> Content:
        """Who answers, how long it took, what it cost."""
        asked, view = self._asked.get(side), self._kept.get(side)
        if asked is None:
            return lines(say(), say())
        state, tone = _STATES[asked.state]
        name = f"{view.provider},{view.model}" if view else self._targets[side] or asked.model
        first: list[Piece] = [
            Span(f"{state} ", tone),
            *([Span("◇ sim ", "muted")] if view and view.simulated else []),
            Span(name or "…", "strong"),
        ]
        facts = [f"first token {ms(asked.ttft_ms)}", f"in all {ms(asked.took_ms)}"]
        if view is not None:
            used = view.tokens
            facts.append(f"{tokens(used.prompt)} in, {tokens(used.output)} out")
            facts.append(f"{rate(view.tokens_per_second)} tok/s")
            facts.append(f"by {view.rule}")
        second: list[Piece] = [
            Span(money(view.cost) if view else UNKNOWN, "strong"),
            Span("   " + "   ".join(facts), "muted"),
        ]
        return lines(say(*first), say(*second))

    # ── doing ─────────────────────────────────────────────────────────────────────────────────────

    def action_prompt(self) -> None:
        self.query_one(Prompt).focus()

    def action_pick(self, side: str) -> None:
        def take(target: str | None) -> None:
            if target is None:
                return
            self._targets[side] = target
            if side == "b":
                self._both = bool(target)
                self._previews.pop("b", None)
            self._look()
            self.update()

        snapshot = self.console_app.board.snapshot
        self.app.push_screen(
            Picker(
                "Answer with" if side == "a" else "And beside it",
                snapshot.targets if snapshot else (),
                self._models,
                none=RULES if side == "a" else "no second model",
                chosen=self._targets[side],
            ),
            take,
        )

    def action_stop(self) -> None:
        self.workers.cancel_group(self, "asked")
        self.update()

    def action_scroll(self, step: int) -> None:
        self.query_one("#answers").scroll_relative(y=step, animate=False)

    def action_copy(self) -> None:
        found = [
            (side, self._asked[side].text.splitlines()) for side in SIDES if side in self._asked
        ]
        if len(found) == 1:
            self.console_app.copy("the answer", *found[0][1])
        elif found:
            self.console_app.ask_copy(*((side, f"the answer of {side}", t) for side, t in found))

    def action_open(self) -> None:
        ids = [asked.id for asked in self._asked.values() if asked.id]
        if ids:
            self.console_app.open_request(ids[0], ids)


_STATES: dict[str, tuple[str, Tone]] = {
    "waiting": ("◌", "muted"),
    "streaming": ("▸", "accent"),
    "done": ("✓", "good"),
    "failed": ("✗", "bad"),
    "stopped": ("–", "warn"),
}
