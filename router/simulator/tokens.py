"""What the simulator takes for a token: a word's piece, a sign, or a run of blanks. Pure.

One rule: the same pieces are counted for input, counted for output and sent in a stream, so that
its usage can be checked against what it sent.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from hashlib import blake2b
from typing import Any

from msgspec import Struct

#: tokens that an image counts, whatever its size
IMAGE = 1200
#: tokens that a message costs by itself
MESSAGE = 4

# Joined, the matches are the whole text again.
_PIECE = re.compile(r" ?\w{1,6}| ?[^\w\s]|\s+")
_IMAGES = frozenset({"image", "image_url", "input_image", "document", "file"})
#: fields whose values are not read by a model
_UNREAD = frozenset({"cache_control", "type", "id", "tool_use_id", "tool_call_id", "signature"})


class Segment(Struct, frozen=True):
    """A part of the prompt that is cached as a whole: the tools, the system text, one message.

    `mark` is "5m" or "1h" where a client marked the prefix up to here for caching."""

    digest: bytes
    tokens: int
    mark: str = ""


def pieces(text: str) -> list[str]:
    return _PIECE.findall(text)


def count(text: str) -> int:
    return len(pieces(text))


def segment(node: Any) -> Segment:
    """Of any part of a request's JSON. Where a cache mark stands does not change its digest."""
    digest, tokens = blake2b(digest_size=16), MESSAGE
    for text, is_image in _texts(node):
        digest.update(text.encode("utf-8", "replace") + b"\0")
        tokens += IMAGE if is_image else count(text)
    return Segment(digest.digest(), tokens, _mark(node))


def _texts(node: Any) -> Iterator[tuple[str, bool]]:
    """Every text in it, and every image as one."""
    if isinstance(node, str):
        yield node, False
    elif isinstance(node, list):
        for item in node:
            yield from _texts(item)
    elif isinstance(node, dict):
        kind = node.get("type")  # an object where a tool's field is called "type"
        if isinstance(kind, str) and kind in _IMAGES:
            yield repr(node), True
            return
        for name, value in node.items():
            if name == "images" and isinstance(value, list):  # Ollama's
                yield from ((str(image), True) for image in value)
            elif name not in _UNREAD:
                yield from _texts(value)
    elif node is not None:
        yield str(node), False


def _mark(node: Any) -> str:
    """The newest cache mark in it."""
    found = ""
    if isinstance(node, list):
        for item in node:
            found = _mark(item) or found
    elif isinstance(node, dict):
        for value in node.values():
            if isinstance(value, dict | list):
                found = _mark(value) or found
        mark = node.get("cache_control")
        if isinstance(mark, dict):
            found = "1h" if mark.get("ttl") == "1h" else "5m"
    return found
