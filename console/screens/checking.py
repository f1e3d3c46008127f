"""The window of a conformance check: which features work at one model, as they are found out.

Its rule: it asks first and names the price; closing it stops what has not been sent yet.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, cast

from textual import work
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Vertical
from textual.content import Content
from textual.widgets import Static

from console.conformance import CHECKS, Found, run
from console.screens.window import Window
from console.text import fit, ms
from console.theme import Tone
from console.widgets.paint import Span, lines, say

if TYPE_CHECKING:
    from console.app import ConsoleApp

_MARKS: dict[bool | None, tuple[str, Tone]] = {
    True: ("✓", "good"),
    False: ("✗", "bad"),
    None: ("○", "warn"),
}


def rows(found: list[Found], trouble: str = "") -> list[Content]:
    """One line for each check, done or not."""
    shown: list[Content] = []
    for place, check in enumerate(CHECKS):
        if place < len(found):
            one = found[place]
            mark, tone = _MARKS[one.works]
            shown.append(
                say(
                    Span(f"{mark} ", tone),
                    fit(one.name, 14),
                    Span(f"{ms(one.took_ms):>7}  ", "muted"),
                    Span(one.detail, "bad" if one.works is False else "muted"),
                )
            )
        else:
            word = "…" if place == len(found) and not trouble else ""
            shown.append(say(Span(f"· {fit(check.name, 14)}{word}", "muted")))
    if trouble:
        shown += [say(), say(Span(f"✗ {trouble}", "bad"))]
    return shown


class Checking(Window[str]):
    """Runs as soon as it is shown."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("escape,q,enter", "close", "Close", show=False)
    ]

    def __init__(self, target: str) -> None:
        super().__init__(classes="dialog")
        self._target = target
        self._found: list[Found] = []

    def compose(self) -> ComposeResult:
        with Vertical(classes="window wide"):
            yield Static(say(Span(f"Check of {self._target}", "strong")), markup=False)
            yield Static(id="found-out", classes="detail", markup=False)
            yield Static(
                say(Span("esc closes; the ledger has these as pointsman-check", "muted")),
                classes="hint",
                markup=False,
            )

    def on_mount(self) -> None:
        self._say("")
        self._run()

    def _say(self, trouble: str) -> None:
        if self.stands:
            self.query_one("#found-out", Static).update(lines(*rows(self._found, trouble)))

    @work(exclusive=True)
    async def _run(self) -> None:
        import httpx

        from console.claude import NO_KEY, settings

        app = cast("ConsoleApp", self.app)
        key = settings(app.home).key or NO_KEY
        try:
            async for found in run(app.front_door(), key, self._target):
                self._found.append(found)
                self._say("")
        except httpx.HTTPError as error:
            self._say(f"the router does not answer: {error}")

    def action_close(self) -> None:
        self.dismiss("")
