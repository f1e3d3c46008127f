"""Waiting for what another process does in its own time: asked until it is so.

Its one rule: where something tells of the change (a socket, an event, a stream), that is waited
for instead; here only asking can tell.
"""

from __future__ import annotations

import asyncio
import inspect
import time
from collections.abc import Awaitable, Callable

#: seconds; reached only by a test that fails
PATIENCE = 30.0
#: seconds between two questions
_PAUSE = 0.02


async def until(
    holds: Callable[[], bool | Awaitable[bool]],
    patience: float = PATIENCE,
    shown: Callable[[], object] = lambda: "",
) -> None:
    """Until `holds` says so. Raises AssertionError with what `shown` tells, after `patience`."""
    late = time.monotonic() + patience
    while True:
        answer = holds()
        if await answer if inspect.isawaitable(answer) else answer:
            return
        assert time.monotonic() < late, f"it never came to be: {shown()}"
        await asyncio.sleep(_PAUSE)


def wait_until(
    holds: Callable[[], bool],
    patience: float = PATIENCE,
    shown: Callable[[], object] = lambda: "",
) -> None:
    """`until` for a test that runs no loop."""
    late = time.monotonic() + patience
    while not holds():
        assert time.monotonic() < late, f"it never came to be: {shown()}"
        time.sleep(_PAUSE)
