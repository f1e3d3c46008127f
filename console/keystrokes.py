"""Keys one after another, however quickly they come.

Its rule: a key waits until what the key before it set off is there: a dialog with its focus, a
screen, a line that was left. Textual hands a key to who has the focus when it arrives; of several
that arrive together (somebody who knows the keys, a slow line, a macro) all would go to the list
under the dialog that the first of them opens, and be lost there.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable
from typing import TypeVar

from textual.app import App
from textual.dom import DOMNode
from textual.events import Event, Key, Paste
from textual.message_pump import MessagePump
from textual.widgets import ContentSwitcher, Input, TextArea
from textual.worker import Worker

from console.widgets.table import Table

#: seconds that keys wait for an answer, once: a router that hangs must not take them with it
PATIENCE = 1.0
#: messages that may set off one another: Enter, what was given, its action, the screen, its focus
CHAIN = 10
#: keys that never wait: what hangs can be left
URGENT = frozenset(("ctrl+c", "ctrl+q"))
#: keys of a list that repeat while they are held: they are painted together
MOVES = frozenset(("j", "k", "down", "up", "pagedown", "pageup", "ctrl+d", "ctrl+u"))

_T = TypeVar("_T")


class Keystrokes(App[int]):
    """The part of the console that takes what is typed."""

    def __init__(self) -> None:
        super().__init__()
        self._typed: deque[Key | Paste] = deque()
        self._handing_on: Worker[None] | None = None
        self._answers: set[asyncio.Future[None]] = set()

    async def keys_after(self, answer: Awaitable[_T]) -> _T:
        """What `answer` gives, for a worker that opens a dialog with it: what is typed next is for
        that. Ends the worker where one has gone on to something else by then."""
        come, looked_at = asyncio.get_running_loop().create_future(), self._looked_at()
        self._answers.add(come)
        try:
            found = await answer
        finally:
            self._answers.discard(come)
            come.set_result(None)
        if self._looked_at() != looked_at:
            raise asyncio.CancelledError
        return found

    def _looked_at(self) -> tuple[object, str | None]:
        return self.screen, self.screen_stack[0].query_one(ContentSwitcher).current

    async def on_event(self, event: Event) -> None:
        if not isinstance(event, Key | Paste) or event.is_forwarded or _urgent(event):
            await super().on_event(event)
        elif self._handing_on is not None and not self._handing_on.is_finished:
            self._typed.append(event)
        elif await self._hand_on(event):
            self._handing_on = self.run_worker(self._hand_on_rest(), group="keys")

    async def _hand_on(self, event: Key | Paste) -> bool:
        """Whether it may set something off: what is written into a line does not, nor what moves
        in a list."""
        await super().on_event(event)
        if isinstance(self.focused, Input | TextArea):
            return isinstance(event, Key) and not event.is_printable
        moves = isinstance(event, Key) and event.key in MOVES
        return not (moves and isinstance(self.focused, Table))

    async def _hand_on_rest(self) -> None:
        await self._settle()
        while self._typed:
            if await self._hand_on(self._typed.popleft()):
                await self._settle()

    async def _settle(self) -> None:
        """Until nothing is on its way between who has the focus and the console."""
        for _ in range(CHAIN):
            way = self._way()
            quiet = not any(node.message_queue_size for node in way)
            for node in way:
                await _passed(node)
            if self._answers:
                _, late = await asyncio.wait(self._answers, timeout=PATIENCE)
                self._answers -= late
            elif quiet and way == self._way() and not any(n.message_queue_size for n in way):
                return

    def _way(self) -> list[DOMNode]:
        """What a key goes by, from who has the focus to the console itself."""
        return (self.focused or self.screen).ancestors_with_self


def _urgent(event: Key | Paste) -> bool:
    return isinstance(event, Key) and event.key in URGENT


async def _passed(node: MessagePump) -> None:
    """Until `node` has seen to all that it was sent so far, or is gone."""
    reached = asyncio.get_running_loop().create_future()

    def reach() -> None:
        if not reached.done():
            reached.set_result(None)

    if node.call_later(reach):
        end = () if node.is_dom_root else (node.task,)
        await asyncio.wait((reached, *end), return_when=asyncio.FIRST_COMPLETED)
