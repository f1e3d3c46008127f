"""The half of CCR's transformers that works on the answer: changes to events, by their names.

Its one rule: only providers whose configuration names one pay for it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Protocol

from router.formats import Frame, Reader
from router.formats.exit_tool import ExitCalls
from router.formats.repair import Mend
from router.messages import Event


class Change(Protocol):
    """Over the events of one answer, as they come."""

    def feed(self, events: Iterable[Event]) -> list[Event]: ...


CHANGES: dict[str, type[Change]] = {"enhancetool": Mend, "tooluse": ExitCalls}


class Changed:
    """A reader whose events were changed by those of that name, in order."""

    def __init__(self, reader: Reader, names: Iterable[str]) -> None:
        self._reader = reader
        self._changes = [CHANGES[name]() for name in names]

    def feed(self, frame: Frame) -> list[Event]:
        return self._changed(self._reader.feed(frame))

    def close(self) -> list[Event]:
        return self._changed(self._reader.close())

    def _changed(self, events: list[Event]) -> list[Event]:
        for change in self._changes:
            events = change.feed(events)
        return events


def changed(events: list[Event], names: Iterable[str]) -> list[Event]:
    """A whole answer's events, likewise."""
    for name in names:
        events = CHANGES[name]().feed(events)
    return events
