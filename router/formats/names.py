"""Tool names and call ids that every provider accepts, and the way back.

Its one rule: the same name always becomes the same name, so that a cached prefix still matches
and an answer can be led back without remembering anything but the request.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from hashlib import sha256

from router.messages import Tool

#: OpenAI's pattern for function names; Anthropic's call ids have the same letters
_PLAIN = re.compile(r"[a-zA-Z0-9_-]{1,64}").fullmatch
_OTHER = re.compile(r"[^a-zA-Z0-9_-]")


def plain(name: str) -> str:
    """`name` as at most 64 letters, digits, "_" and "-": itself wherever possible."""
    if _PLAIN(name):
        return name
    digest = sha256(name.encode("utf-8", "surrogatepass")).hexdigest()[:8]
    return f"{_OTHER.sub('_', name)[:55]}_{digest}"


def originals(tools: Iterable[Tool]) -> dict[str, str]:
    """Plain names → the client's own, only of those tools whose name had to change."""
    return {plain(tool.name): tool.name for tool in tools if not _PLAIN(tool.name)}


def usable_id(id: object) -> str:
    """A call id from a provider; "" where it has none that stays unique over a conversation."""
    return "" if type(id) is not str or id.isdigit() else id
