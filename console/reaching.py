"""What a command needs that asks a model: the front door, a key for it, and models that are there.

Its rule: nothing is asked, and so paid for, where a model was named and another would answer.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING

from console.output import fail

if TYPE_CHECKING:
    from console.link import Link


async def reach(link: Link, targets: Iterable[str]) -> tuple[str, str]:
    """The front door's address and a key that it takes; ends the command where there is no door, or
    no such provider. A target of "" is the rules' choice."""
    from console.claude import NO_KEY, settings
    from storage.home import home

    snapshot = await link.snapshot()
    door = next((one.address for one in snapshot.listeners if one.name == "front door"), "")
    if not door:
        fail("the front door is switched off")
    there = [one.name for one in snapshot.services if one.kind in ("provider", "local")]
    folded = {name.casefold() for name in there}
    for target in targets:
        name, comma, model = target.partition(",")
        if target and not (comma and model):
            fail(f"{target!r} is no model: write PROVIDER,MODEL (`pointsman models` lists them)")
        if target and name.casefold() not in folded:
            fail(f"no provider is named {name!r}; configured are: {', '.join(sorted(there))}")
    return door.rstrip("/"), settings(home()).key or NO_KEY
