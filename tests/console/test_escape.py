"""Escape is a key by itself, also where the next key comes in the same packet."""

from __future__ import annotations

import pytest
from textual import events
from textual.drivers.linux_driver import LinuxDriver

from console import escape


@pytest.mark.parametrize(
    ("sent", "keys"),
    [
        ("\x1bj", "escape j"),
        ("\x1b3", "escape 3"),
        ("\x1bJk", "escape J k"),
        ("\x1b:q\r", "escape colon q enter"),
        ("\x1b/ab", "escape slash a b"),
        ("\x1b\r", "escape enter"),
        ("\x1b ", "escape space"),
        ("\x1b\x1b", "escape escape"),
        ("\x1b[A\x1b[5~", "up pageup"),
        ("\x1b[", "escape left_square_bracket"),
        ("\x1bO", "escape O"),
        ("\x1bOA\x1b\t", "up shift+tab"),
        ("\x1b[1;3D", "alt+left"),
        ("\x1bb\x1bf", "ctrl+left ctrl+right"),
        ("£3", "pound_sign 3"),
    ],
)
def test_what_follows_escape_at_once_is_the_next_key(sent: str, keys: str) -> None:
    parser = escape.Parser()
    tokens = [*parser.feed(sent), *parser.feed("")]  # no more comes
    found = [event for event in tokens if isinstance(event, events.Key)]
    assert " ".join(event.key for event in found) == keys


def test_it_does_not_wait_for_a_pause() -> None:
    """However much comes in one go, over a slow line or from a macro."""
    typed = ":override set groq,mixtral-8x7b-32768"
    found = [
        event for event in escape.Parser().feed(f"\x1b{typed}") if isinstance(event, events.Key)
    ]
    assert [event.key for event in found][:1] == ["escape"]
    assert "".join(event.character or "" for event in found[1:]) == typed


def test_terminals_are_read_so() -> None:
    """Textual has no place for it: the name that its driver looks up must stay the same."""
    escape.stands_alone()
    assert LinuxDriver.run_input_thread.__globals__["XTermParser"] is escape.Parser
