"""Names for keys, so that a person can put another in its place: "live.cancel", "table.sort.1".

Its rule: a key's name is its owner's and its action's, and never changes with the key; what goes
the other way round has a name of its own ("table.sort.back").
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import replace

from textual.binding import Binding, BindingType


def named(owner: str, bindings: Sequence[BindingType]) -> list[BindingType]:
    """The same with an id for each: "live.cancel", "costs.period.t"."""
    result: list[BindingType] = []
    for binding in bindings:
        if isinstance(binding, Binding) and not binding.id:
            action = re.sub(r"\(-\d+\)", ".back", binding.action)
            action = re.sub(r"[^a-z0-9]+", ".", action).strip(".")
            binding = replace(binding, id=f"{owner.lower()}.{action}")
        result.append(binding)
    return result
