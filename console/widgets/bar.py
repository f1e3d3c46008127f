"""One line with something on its left and something on its right; a click can stand for a key.

Its rule: it never wraps and never pushes its right side out: the left side is cut, with "…". A hint
stands right only where the left side leaves room for all of it.
"""

from __future__ import annotations

from collections.abc import Sequence

from textual import events
from textual.content import Content
from textual.widget import Widget

from console.text import fit, width
from console.theme import STYLES
from console.widgets.paint import Piece, Span, pieces


class Bar(Widget):
    """Painted again only when what it says has changed."""

    DEFAULT_CSS = "Bar { height: 1; padding: 0 1; }"

    def __init__(self, *, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(id=id, classes=classes, markup=False)
        self._left: list[Span] = []
        self._right: list[Span] = []
        self._hint: list[Span] = []

    def say(
        self, left: Sequence[Piece], right: Sequence[Piece] = (), hint: Sequence[Piece] = ()
    ) -> None:
        new = pieces(list(left)), pieces(list(right)), pieces(list(hint))
        if new != (self._left, self._right, self._hint):
            self._left, self._right, self._hint = new
            self.refresh()

    def spans(self) -> list[Span]:
        """What is drawn, from left to right, exactly as wide as the line."""
        room = self.content_size.width
        right = self._right
        if self._hint and sum(width(s.text) for s in (*self._left, *self._hint)) + 2 <= room:
            right = self._hint
        left_room = max(room - sum(width(s.text) for s in right), 0)
        drawn: list[Span] = []
        for span in self._left:
            have = width(span.text)
            if have > left_room:
                span = span._replace(text=fit(span.text, left_room))
                have = left_room
            drawn.append(span)
            left_room -= have
            if not left_room:
                break
        drawn.append(Span(" " * left_room))
        return [*drawn, *right]

    def render(self) -> Content:
        return Content.assemble(*((s.text, STYLES[s.tone]) for s in self.spans()))

    def on_click(self, event: events.Click) -> None:
        at = event.x - self.styles.padding.left
        for span in self.spans():
            at -= width(span.text)
            if at < 0:
                if span.key:
                    self.app.simulate_key(span.key)
                return
