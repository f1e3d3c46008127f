"""Puts one hostile text into every string field of a contract value, and of all inside it."""

from __future__ import annotations

import typing
from typing import Any

import msgspec

#: what strangers send: terminal orders, Textual and rich markup, unicode that moves other text
PAYLOADS: tuple[str, ...] = (
    "\x1b]52;c;Y2FuYXJ5\x1b\\",
    "\x1b]0;canary\x07",
    "\x1b]8;;http://canary.example/\x07click\x1b]8;;\x07",
    "\x9b31mcanary\x9d0;canary\x9c",
    "\x1bP1$r0m\x1b\\\x1b_canary\x1b\\",
    "\x1b[2J\x1b[?1049l\x1b[6n\x1bc",
    "[/nope] x [ [b]canary[/] \\[",
    "[@click=app.bell]canary[/]",
    "a\r\nb\tc\x00\x08\x7f\u2028d",
    "\u202ecanary\u2066\u200d\ufeff\u00ad",
    "half \ud83c pair",
    "日本語 👩‍👩‍👧 \U000f0000 z" + "\u0301" * 40,
    "=HYPERLINK(0)';\"$(canary)`canary`" + "x" * 700,
)


def poison(value: Any, text: str) -> Any:
    """A copy of a Struct with `text` in every field that may be any string. Identities stay
    different: the text is put behind them."""
    if isinstance(value, tuple):
        return tuple(poison(item, text) for item in value)
    if isinstance(value, dict):
        return {f"{key}{text}": f"{held}{text}" for key, held in value.items()}
    if not isinstance(value, msgspec.Struct):
        return value
    hints = typing.get_type_hints(type(value))
    changed: dict[str, Any] = {}
    for name in value.__struct_fields__:
        held = getattr(value, name)
        if hints[name] is str:
            changed[name] = f"{held}{text}"
        elif hints[name] == tuple[str, ...]:
            changed[name] = tuple(f"{item}{text}" for item in held) or (text,)
        else:
            changed[name] = poison(held, text)
    return msgspec.structs.replace(value, **changed)
