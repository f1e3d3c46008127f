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
#: what longer sequences begin with after Escape
LONGER = "[O"


class Parser(XTermParser):
    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        # at once: Textual would look for a longer sequence in all that comes without a pause, and
        # past 32 characters would take Escape for "^". `alt`: a pause came after one of LONGER
        two = len(sequence) == 2 and sequence[0] == ESC and sequence[1] not in LONGER
        two = two and not isinstance(ANSI_SEQUENCES_KEYS.get(sequence), tuple)
        if two or alt:
            yield events.Key("escape", ESC)
        yield from super()._sequence_to_key_events(sequence[-1] if two else sequence)


def stands_alone() -> None:
    """For consoles that begin from now on. Textual's driver takes its parser by this name and has
    no setting for another; its module does not export the name, hence the ignored type."""
    linux_driver.XTermParser = Parser  # type: ignore[attr-defined]
