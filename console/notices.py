"""What the console tells a person: notes, refusals and news, one at a time, and all of late again.

Its rule: what it tells never covers what it shows, and what was missed can be read in `:messages`.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import App

from console.board import Board
from console.screens.dialogs import Answer, Choose, Sheet
from console.text import clean, moment
from console.theme import Tone
from console.widgets.bar import Bar
from console.widgets.notice import Notice, Said
from console.widgets.paint import Span, say

if TYPE_CHECKING:
    from console.copying import Offered
    from console.prefs import Prefs
    from router.contract import AlertView

#: what was told of late
KEPT = 50
#: characters; terminals take no more than some 75 kB of what is copied
COPIED = 50_000
#: news told one by one; a flood is only kept
FLOOD = 3
#: seconds for which more of a kind of news, which comes once for each model, is only kept
QUIET = 300.0
#: such news
MANY = frozenset(("unpriced",))


def _said(alert: AlertView, more: str = "") -> Said:
    words = f"{alert.kind}{more}: {alert.subject} {alert.words}"
    return Said(alert.at, clean(words, limit=300), "warn")


class Notices(App[int]):
    """The part of the console that speaks."""

    board: Board
    prefs: Prefs
    now: Callable[[], float]
    _alerted = 0

    def __init__(self) -> None:
        super().__init__()
        #: when such news was last told, and how much was only kept since
        self._quiet: dict[str, tuple[float, int]] = {}
        self.told: deque[Said] = deque(maxlen=KEPT)

    def say(self, message: str, *, bad: bool = False) -> None:
        """A short note in the bottom line."""
        self._tell(message, "bad" if bad else "")

    def say_alerts(self) -> None:
        """What was raised since the last time, the newest last."""
        new, self._alerted = self.board.alerted - self._alerted, self.board.alerted
        if new <= 0 or not self.is_running:
            return
        ring = False
        for place, alert in enumerate(reversed(self.board.alerts[:new])):
            kept = self._kept(alert.kind)
            more = f" (and {kept} before, in `:messages`)" if kept else ""
            shown = kept is not None and place >= new - FLOOD
            self._tell(_said(alert, more).words, "warn", shown=shown)
            ring = ring or shown
        if ring and self.prefs.bell:
            self.bell()

    def _kept(self, kind: str) -> int | None:
        """How many of its kind were only kept since one was told; None: so shall this be."""
        if kind not in MANY:
            return 0
        now = self.now()
        told, kept = self._quiet.get(kind, (now - QUIET, 0))
        if now - told < QUIET:
            self._quiet[kind] = told, kept + 1
            return None
        self._quiet[kind] = now, 0
        return kept

    def _tell(self, message: str, tone: Tone, shown: bool = True) -> None:
        said = Said(self.now(), clean(message, limit=300), tone)
        self.told.appendleft(said)
        if shown:
            self.screen_stack[0].query_one(Notice).tell(said)

    def on_notice_turned(self, event: Notice.Turned) -> None:
        base = self.screen_stack[0]
        notice = base.query_one(Notice)
        notice.display = notice.speaks
        base.query_one("#keys", Bar).display = not notice.speaks

    def show_messages(self) -> None:
        """What was said here, and the alerts of before this console looked."""
        heard = {said.words.partition(": ")[2] for said in self.told}
        earlier = [_said(alert) for alert in self.board.alerts]
        said = [*self.told, *(one for one in earlier if one.words.partition(": ")[2] not in heard)]
        said.sort(key=lambda one: one.at, reverse=True)
        now = self.now()
        rows = [say(Span(f"{moment(one.at, now)}  ", "muted"), one.line) for one in said]
        nothing = [say(Span("nothing was said yet", "muted"))]
        self.push_screen(Sheet("Messages", rows or nothing))

    def copy(self, what: str, *lines: str) -> None:
        """To the clipboard of the terminal that looks (OSC 52, also over SSH). A line break inside
        of a line is from outside and stays none: a shell would run what follows it."""
        self.copy_to_clipboard("\n".join(clean(line, limit=COPIED) for line in lines)[:COPIED])
        self.say(f"copied {what}")

    def ask_copy(self, *offered: Offered) -> None:
        """Asks which of them."""
        texts = {words: lines for _, words, lines in offered}
        answers = [Answer(words, key, words) for key, words, _ in offered]

        def take(words: str | None) -> None:
            if words:
                self.copy(words, *texts[words])

        self.push_screen(Choose("Copy", [], [*answers, Answer("", "esc", "nothing")]), take)
