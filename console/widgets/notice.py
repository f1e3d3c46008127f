"""What the console has to say, in place of the keys at the bottom: it never covers a row.

Its rule: an answer to what was just done shows at once; news waits until what stands there had its
time. A long answer takes a second and a third line from the list for as long as it shows.
"""

from __future__ import annotations

from collections import deque
from typing import NamedTuple

from textual.message import Message
from textual.timer import Timer
from textual.widgets import Static

from console.text import fit, width
from console.theme import Tone
from console.widgets.paint import Span, say

#: news that waits; what more comes is only in `:messages`
WAITING = 3
_MARKS: dict[Tone, str] = {"bad": "✗ ", "warn": "▲ "}


class Said(NamedTuple):
    """`at`: Unix seconds. `tone`: "" for a note, "bad" for a refusal, "warn" for news."""

    at: float
    words: str
    tone: Tone = ""

    @property
    def line(self) -> Span:
        return Span(f"{_MARKS.get(self.tone, '› ')}{self.words}", self.tone)

    @property
    def seconds(self) -> float:
        """How long it stays."""
        return 8.0 if self.tone == "bad" else 5.0


class Notice(Static):
    """Shown while it has something to say."""

    class Turned(Message):
        """It has something to say now, or nothing any more."""

    def __init__(self) -> None:
        super().__init__(id="notice", markup=False)
        self._waiting: deque[Said] = deque(maxlen=WAITING)
        self._timer: Timer | None = None

    def tell(self, said: Said) -> None:
        if said.tone == "warn" and self._timer is not None:
            self._waiting.append(said)
        else:
            self._show(said)

    def _show(self, said: Said) -> None:
        if self._timer is not None:
            self._timer.stop()
        line = said.line
        room = self.app.size.width - 2
        if said.tone == "warn" and width(line.text) > room:
            line = line._replace(text=fit(line.text, room))
        self.update(say(line))
        self._timer = self.set_timer(said.seconds, self._over)
        self.post_message(self.Turned())

    def on_click(self) -> None:
        self.hush()

    def hush(self) -> None:
        """It was read."""
        if self._timer is not None:
            self._timer.stop()
            self._over()

    def _over(self) -> None:
        self._timer = None
        if self._waiting:
            self._show(self._waiting.popleft())
        else:
            self.post_message(self.Turned())

    @property
    def speaks(self) -> bool:
        return self._timer is not None
