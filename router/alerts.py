"""What people should look at: a budget that was passed, a provider that is down, a model whose
price nobody knows. Told in the log, to every console, and to a webhook.

One rule: telling never holds up a request. What the webhook does not take is tried again a few
times and then let go, with a line in the log; nothing of a conversation is ever in it.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

import msgspec

from router.contract import AlertKind, AlertRaised, AlertView, Change
from router.errors import UpstreamError
from router.settings import Secret, Timeouts

if TYPE_CHECKING:
    from router.transport import Transport

#: of late, for a console that has just begun to look
RECENT = 50
#: seconds for which the same is not told twice
AGAIN = 3600.0
#: that wait for the webhook; older ones are let go
QUEUE = 100
#: seconds between attempts at the webhook
PAUSES = (1.0, 5.0, 30.0)
_TIMEOUTS = Timeouts(connect=5, first_byte=10, idle=10, total=15)


class Alerts:
    """`log` writes a warning, `tell` reaches the consoles, `hook` is asked each time for where the
    webhook is ("" for none)."""

    def __init__(
        self,
        wall: Callable[[], float],
        tell: Callable[[Change], None],
        log: Callable[[str], None],
        transport: Transport,
        hook: Callable[[], tuple[Secret, frozenset[str]]],
        sleep: Callable[[float], Awaitable[None]] = asyncio.sleep,
    ) -> None:
        self._wall = wall
        self._tell = tell
        self._log = log
        self._transport = transport
        self._hook = hook
        self._sleep = sleep
        self.recent: deque[AlertView] = deque(maxlen=RECENT)
        self._waiting: deque[AlertView] = deque(maxlen=QUEUE)
        self._there = asyncio.Event()
        self._last: dict[tuple[str, str, str], float] = {}

    def raised(self, kind: AlertKind, subject: str, words: str) -> None:
        """`subject` is whose it is ("key key-1a2b", "openai"). The same is told once an hour; a
        budget's two bounds are not the same."""
        at = self._wall()
        which = (kind, subject, words if kind == "budget" else "")
        if at - self._last.get(which, -AGAIN) < AGAIN:
            return
        if len(self._last) > 1_000:
            self._last.clear()
        self._last[which] = at
        alert = AlertView(at, kind, subject, words)
        self.recent.appendleft(alert)
        self._log(f"{kind}: {subject} {words}")
        self._tell(AlertRaised(alert))
        url, kinds = self._hook()
        if url and kind in kinds:
            self._waiting.append(alert)
            self._there.set()

    async def deliver(self) -> None:
        """Takes what waits to the webhook, one by one, for ever."""
        while True:
            await self._there.wait()
            while self._waiting:
                await self._post(self._waiting.popleft())
            self._there.clear()

    async def _post(self, alert: AlertView) -> None:
        """Slack's field beside our own: it reads `text` alone, others what they need."""
        said = f"Pointsman: {alert.kind}: {alert.subject} {alert.words}"
        body = msgspec.json.encode({"text": said, **msgspec.to_builtins(alert)})
        problem = ""
        for pause in (0.0, *PAUSES):
            if pause:
                await self._sleep(pause)
            url, _ = self._hook()
            try:
                answer = await self._transport.send(
                    "POST",
                    url.reveal(),
                    (("content-type", "application/json"),),
                    body,
                    timeouts=_TIMEOUTS,
                    provider="the webhook of alerts",
                )
                answer.abort()
            except UpstreamError as error:
                problem = error.message
                continue
            if answer.status < 300:
                return
            problem = f"it answered {answer.status}"
            if 400 <= answer.status < 500 and answer.status not in (408, 429):
                break
        self._log(f"the webhook was not told of {alert.kind} {alert.subject}: {problem}")
