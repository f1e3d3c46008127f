"""Rough token counts for a client, where a provider names none (yet).

Its one rule: cheap, and never billed: bills are the tally's business.
"""

from __future__ import annotations

from router.messages import Document, Image, Part, Request, ToolResult, Usage

#: bytes of JSON a token; measured on coding conversations
_BYTES = 4
#: tokens of an image of usual size, whatever its bytes
_IMAGE = 1500


def prompt_tokens(request: Request) -> int:
    """At least 1. Files in base64 count as files, not as text."""
    files, size = 0, len(request.raw)
    for message in request.messages:
        for part in message.parts:
            for data in _files(part):
                files += 1
                size -= len(data)
    return max(1, size // _BYTES + files * _IMAGE)


def usage(request: Request, written: int) -> Usage:
    """For an answer of `written` characters."""
    return Usage(input=prompt_tokens(request), output=-(-written // _BYTES), estimated=True)


def _files(part: Part) -> list[str]:
    if isinstance(part, Image | Document):
        return [part.data] if part.data else []
    if isinstance(part, ToolResult):
        return [data for inner in part.parts for data in _files(inner)]
    return []
