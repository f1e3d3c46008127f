"""What an answer holds that not every dialect has a form for: told to the client, never in silence.

Its one rule: the names are the answer's own ("answer.citations", "answer.server_tool_use"); what a
writer leaves out is decided here, for all of them.
"""

from __future__ import annotations

from router.messages import BlockStart, Cited, Image, Opaque, OpaqueEvent

#: characters of a name, and how many names are told
LONGEST, MOST = 60, 20
_ANTHROPIC = frozenset({"anthropic_messages"})
_PAGES = frozenset(
    {"anthropic_messages", "openai_chat", "openai_responses", "gemini", "gemini_array"}
)
_PICTURES = _PAGES - _ANTHROPIC
_LINKS = frozenset({"openai_chat"})
_NOBODY: frozenset[str] = frozenset()


def held(event: BlockStart | Cited | OpaqueEvent) -> tuple[str, frozenset[str]] | None:
    """What a rare event tells, and the dialects with a form for it; None where it is nothing."""
    if isinstance(event, Cited):
        own = _ANTHROPIC if event.citation.own else _NOBODY
        return ("citations", _PAGES) if event.citation.url else ("file_citations", own)
    if isinstance(event, OpaqueEvent):
        own = _ANTHROPIC if isinstance(event.body.get("type"), str) else _NOBODY
        return None if event.kind == "ping" else (_name(event.kind), own)
    part = event.part
    if isinstance(part, Image):
        return "images", _PICTURES if part.data is not None else _LINKS
    return (_name(part.kind), _ANTHROPIC) if isinstance(part, Opaque) else None


def untold(found: dict[str, frozenset[str]], dialect: str) -> tuple[str, ...]:
    """`found`: what `held` gave, by name."""
    return tuple(f"answer.{name}" for name, known in found.items() if dialect not in known)


def _name(kind: str) -> str:
    """A provider's word, as it may stand in a header."""
    return kind if kind.isascii() and kind.isidentifier() and len(kind) <= LONGEST else "unknown"
