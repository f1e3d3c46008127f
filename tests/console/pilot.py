"""A console under test: its clock stands still, its terminal is a headless one of a fixed size."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Callable

from textual.pilot import Pilot

from console.app import ConsoleApp
from storage.home import Home
from tests.console import scene

#: seconds to wait for a state; reached only by a test that fails
LONGEST = 8.0


def shown(app: ConsoleApp) -> str:
    """What stands on the screen, as lines of text."""
    strips = app.screen._compositor.render_strips()
    return "\n".join("".join(segment.text for segment in strip) for strip in strips)


async def until(pilot: Pilot[int], holds: Callable[[], bool]) -> None:
    """Waits for a state, never for a time."""
    waited = 0.0
    while not holds():
        assert waited < LONGEST, f"it never came to be:\n{shown(pilot.app)}"  # type: ignore[arg-type]
        await pilot.pause(0.02)
        waited += 0.02
    await pilot.pause()


@contextlib.asynccontextmanager
async def console(
    home: Home,
    size: tuple[int, int] = (120, 40),
    now: Callable[[], float] = lambda: scene.NOW,
    who: str = "",
    demo: bool = False,
    version: str = "0.0.0",
) -> AsyncIterator[tuple[ConsoleApp, Pilot[int]]]:
    """A running console and the hand that presses its keys."""
    app = ConsoleApp(home, now=now, who=who, version=version, demo=demo)
    async with app.run_test(size=size, notifications=True) as pilot:
        yield app, pilot
