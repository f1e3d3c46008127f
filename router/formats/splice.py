"""Changing a few top-level members of a JSON object in its own bytes.

Its one rule: a byte that need not change does not. A 200 KB body is never serialised again, and
the provider's cache of its prefix still matches.
"""

from __future__ import annotations

import re
from collections.abc import Mapping

import msgspec

_members = msgspec.json.Decoder(dict[str, msgspec.Raw]).decode
_STRING = rb'"[^"\\]*(?:\\.[^"\\]*)*"'
_KEY = re.compile(rb"[ \t\n\r]*(%b)[ \t\n\r]*:[ \t\n\r]*" % _STRING)
_NEXT = re.compile(rb"[ \t\n\r]*([,}])")
_MODEL = b'"model"'
MODEL = re.compile(rb'("model"[ \t\n\r]*:[ \t\n\r]*)%b' % _STRING)


def members(raw: bytes) -> dict[str, msgspec.Raw]:
    """The top-level members of a JSON object, undecoded. Raises msgspec.DecodeError."""
    return _members(raw)


def splice(raw: bytes, changes: Mapping[str, bytes | None]) -> bytes:
    """`raw`, an object as JSON, with members set to other JSON, or taken out (None).

    A member that was not there is put first.
    """
    found = _members(raw)
    places = _places(raw, found)
    if places is None:
        # A key stands twice: which one counts is the reader's choice, so only one may remain.
        body = dict(found)
        for key, value in changes.items():
            body.pop(key, None)
            if value is not None:
                body[key] = msgspec.Raw(value)
        return msgspec.json.encode(body)
    view = memoryview(raw)  # large slices are copied once, by the join
    pieces: list[bytes | memoryview] = []
    for key, value in changes.items():
        if value is not None and key not in found:
            pieces += (b",", msgspec.json.encode(key), b":", value)
    start = kept = places[0].start if places else raw.index(b"{") + 1
    close = places[-1].stop if places else raw.rindex(b"}")
    for place in places:
        if place.key not in changes:
            continue
        if kept < place.start:
            pieces += (b",", view[kept : place.start - 1])
        value = changes[place.key]
        if value is not None:
            pieces += (b",", view[place.start : place.value], value, view[place.end : place.stop])
        kept = place.stop + 1
    if places and kept < close:
        pieces += (b",", view[kept:close])
    return b"".join((view[:start], *pieces[1:], view[close:]))


def with_model(raw: bytes, was: str | None, changes: Mapping[str, bytes | None]) -> bytes:
    """`splice` for a request whose top-level model, decoded, is `was`. Where only that changes and
    `"model"` stands but once in all of it, that one is it: nothing need be walked. (An escape could
    be another way to write a key: then it is walked.)"""
    at = raw.find(_MODEL)
    if was is not None and len(changes) == 1 and at >= 0 and raw.rfind(_MODEL) == at:
        place = MODEL.match(raw, at)
        if place is not None and (b"\\" not in raw or b"\\u00" not in raw):
            start, end = place.end(1), place.end()
            named = changes["model"] or b""
            return raw if raw[start:end] == named else b"".join((raw[:start], named, raw[end:]))
    return splice(raw, changes)


def named(raw: bytes, model: str) -> bytes:
    """A request with `model` in place of its own. What is no object is left for its parser."""
    try:
        return splice(raw, {"model": msgspec.json.encode(model)})
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return raw


class _Place(msgspec.Struct, gc=False):
    """Where a member stands: `start` after "{" or ",", `stop` at "," or "}"."""

    key: str
    start: int
    value: int
    end: int
    stop: int


def _places(raw: bytes, found: Mapping[str, msgspec.Raw]) -> list[_Place] | None:
    """Walks the object by its values; None where a key stands twice: `found` has fewer members
    than it then, so that another one follows the last, or another's value stands in its place."""
    at = raw.index(b"{") + 1
    places: list[_Place] = []
    separator = b"}"
    for key, value in found.items():
        name = _KEY.match(raw, at)
        if name is None:
            return None
        text = bytes(value)
        end = name.end() + len(text)
        after = _NEXT.match(raw, end)
        if after is None or not raw.startswith(text, name.end()):
            return None
        places.append(_Place(key, at, name.end(), end, after.start(1)))
        separator = after[1]
        at = after.end()
    return places if separator == b"}" else None


def rename(data: bytes, model: str, asked: str) -> bytes:
    """Answer bytes (frames, or one whole answer) with the model called `asked`.

    Providers also answer with a longer, dated name of `model`. Inside of strings quotes are
    escaped, so only a real "model" member can match: in a stream it is the answer's own, while a
    whole answer may hold one in a tool's input too, before its own or after it.
    """
    if b'"model"' not in data:
        return data
    new = msgspec.json.encode(asked)
    if data[:1] == b"{":
        return _renamed(data, new)
    for colon in (b'"model":', b'"model": '):
        old = colon + msgspec.json.encode(model)
        if old in data:
            return data.replace(old, colon + new)
    return MODEL.sub(lambda match: match[1] + new, data)


def _renamed(whole: bytes, name: bytes) -> bytes:
    try:
        found = _members(whole)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return whole
    return with_model(whole, "", {"model": name}) if "model" in found else whole
