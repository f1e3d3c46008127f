"""Arguments of tool calls that a model wrote as broken JSON, mended before the client sees them.

Its one rule: what is JSON stays as it was written, to the letter. Only for providers whose
configuration asks for it (CCR's `enhancetool`): a call's arguments then arrive whole, not streamed.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from router.messages import ArgumentsDelta, BlockStop, Event


class Mend:
    """Over one answer's events."""

    def __init__(self) -> None:
        self._written: dict[int, str] = {}  # by block

    def feed(self, events: Iterable[Event]) -> list[Event]:
        out: list[Event] = []
        for event in events:
            if type(event) is ArgumentsDelta:
                self._written[event.index] = self._written.get(event.index, "") + event.json
                continue
            if type(event) is BlockStop and event.index in self._written:
                out.append(ArgumentsDelta(event.index, sound(self._written.pop(event.index))))
            out.append(event)
        return out


def sound(text: str) -> str:
    """The same text where it is a JSON object, or nothing at all; else an object made of it."""
    if not text.strip():
        return text
    try:
        if isinstance(json.loads(text), dict):
            return text
    except (ValueError, RecursionError):
        pass
    from json_repair import repair_json  # imported here: hardly anyone needs it

    try:
        made = repair_json(text, return_objects=True)
    except (ValueError, RecursionError):
        made = None
    return json.dumps(made, ensure_ascii=False) if isinstance(made, dict) else "{}"
