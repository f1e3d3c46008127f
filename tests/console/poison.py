"""Puts one hostile text into every string field of a contract value, and of all inside it."""

from __future__ import annotations

import typing
from collections.abc import Callable
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


#: a field of a Struct → the text for it
Marks = Callable[[type, str], str]


def poison(value: Any, text: str | Marks) -> Any:
    """A copy of a Struct with `text` in every field that may be any string, also in those that hold
    nothing so far. Identities stay different: the text is put behind them."""
    return _poison(value, text if callable(text) else lambda kind, name: text)


def _poison(value: Any, mark: Marks) -> Any:
    if isinstance(value, tuple):
        return tuple(_poison(item, mark) for item in value)
    if not isinstance(value, msgspec.Struct):
        return value
    kind = type(value)
    changed: dict[str, Any] = {}
    for name, hint in typing.get_type_hints(kind).items():
        held = getattr(value, name)
        text = mark(kind, name)
        if hint is str:
            changed[name] = f"{held}{text}"
        elif hint == tuple[str, ...]:
            changed[name] = tuple(f"{item}{text}" for item in held) or (text,)
        elif hint == dict[str, str]:
            changed[name] = {f"{key}{text}": f"{held[key]}{text}" for key in held} or {text: text}
        elif held in ((), None) and (inside := _inside(hint)) and inside is not kind:
            filled = _poison(filled_in(inside), mark)
            changed[name] = filled if held is None else (filled,)
        else:
            changed[name] = _poison(held, mark)
    return msgspec.structs.replace(value, **changed)


def _inside(hint: Any) -> Any:
    """The Struct of `X | None` and `tuple[X, ...]`."""
    found = [part for part in typing.get_args(hint) if isinstance(part, type)]
    return next((part for part in found if issubclass(part, msgspec.Struct)), None)


def filled_in(kind: type[msgspec.Struct]) -> msgspec.Struct:
    """One with something in every field that must be given."""
    given: dict[str, Any] = {}
    for each in msgspec.structs.fields(kind):
        if not each.required:
            continue
        hint, origin = each.type, typing.get_origin(each.type)
        inside = _inside(hint)
        if origin is typing.Literal:
            given[each.name] = typing.get_args(hint)[0]
        elif inside is not None:
            given[each.name] = (filled_in(inside),)
        elif isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            given[each.name] = filled_in(hint)
        else:
            given[each.name] = {str: "", bool: True, int: 1, float: 1.0}.get(hint, ())
            if type(None) in typing.get_args(hint):
                given[each.name] = None
    return kind(**given)


def texts_of(*roots: type[msgspec.Struct]) -> set[str]:
    """ "RequestView.asked" for every field that may hold any string, in these and all inside."""
    found: set[str] = set()
    seen: set[type] = set()
    waiting: list[Any] = list(roots)
    while waiting:
        hint = waiting.pop()
        if isinstance(hint, type) and issubclass(hint, msgspec.Struct):
            if hint in seen:
                continue
            seen.add(hint)
            for name, each in typing.get_type_hints(hint).items():
                if each in (str, tuple[str, ...], dict[str, str]):
                    found.add(f"{hint.__name__}.{name}")
                waiting.append(each)
        else:
            waiting += [part for part in typing.get_args(hint) if part is not Ellipsis]
    return found
