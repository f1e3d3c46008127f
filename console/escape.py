"""Escape, and the key that follows it at once.

Its rule: Escape is a key by itself. A terminal sends Alt and a letter as Escape and that letter, so
Textual takes whatever comes within a tenth of a second after Escape, or in one packet with it, for
Alt: who types `esc 3` quickly would lose both keys (and write a "£"). Nothing here is bound to Alt
and a character; the two that jump by the word in a line (`alt+b`, `alt+f`) stay.
"""

from __future__ import annotations

from collections.abc import Iterable

from textual import events
from textual._ansi_sequences import ANSI_SEQUENCES_KEYS
from textual._xterm_parser import XTermParser
from textual.drivers import linux_driver

ESC = "\x1b"


class Parser(XTermParser):
    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        # of a sequence that is none, Textual asks for each character; or it stands for a sign that
        # is written with Alt ("\x1b3" is "£")
        sign = len(sequence) == 2 and isinstance(ANSI_SEQUENCES_KEYS.get(sequence), str)
        if alt or sign:
            yield events.Key("escape", ESC)
        yield from super()._sequence_to_key_events(sequence[-1] if sign else sequence)


def stands_alone() -> None:
    """For consoles that begin from now on."""
    linux_driver.XTermParser = Parser  # type: ignore[attr-defined]
