"""The tool by which a model that must always call one ends its turn, as the text it stands for.

Its one rule: no client ever sees a call of it. CCR's `tooluse` puts the tool into a request
(router.providers.adjustments); here its call becomes text again.
"""

from __future__ import annotations

import json
from collections.abc import Iterable

from msgspec.structs import replace

from router.formats.repair import sound
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Finish,
    Text,
    TextDelta,
    ToolUse,
)

#: CCR's own name: models that were taught it go on as they did
NAME = "ExitTool"
#: its one argument
SAID = "response"


class ExitCalls:
    """Over one answer's events."""

    def __init__(self) -> None:
        self._written: dict[int, str] = {}  # by block
        self._others = False

    def feed(self, events: Iterable[Event]) -> list[Event]:
        return [told for event in events for told in self._told(event)]

    def _told(self, event: Event) -> list[Event]:
        if type(event) is BlockStart and type(event.part) is ToolUse:
            if event.part.name != NAME:
                self._others = True
                return [event]
            self._written[event.index] = ""
            return [BlockStart(event.index, Text(""))]
        if type(event) is ArgumentsDelta and event.index in self._written:
            self._written[event.index] += event.json
            return []
        if type(event) is BlockStop and event.index in self._written:
            said = json.loads(sound(self._written.pop(event.index)) or "{}").get(SAID, "")
            text = said if isinstance(said, str) else json.dumps(said, ensure_ascii=False)
            return [TextDelta(event.index, text), event] if text else [event]
        if type(event) is Finish and event.reason == "tool_use" and not self._others:
            return [replace(event, reason="end_turn")]
        return [event]
