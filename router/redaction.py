"""What an error may not hold: a key, ever; where it is written down, the conversation it quotes.

Providers say back what they were sent (a validation error's `input`, "invalid value: '…'"). The
client may read that, it is its own; the ledger and the log keep no text of a conversation. Pure.
"""

from __future__ import annotations

import re
from collections.abc import Iterator

from router.messages import Opaque, Part, Request, Text, Thinking, ToolResult, ToolUse
from router.settings import Provider

#: characters that are looked up at a time: fewer would find ordinary words in every prompt
PIECE = 10
#: a look-up begins at every so many characters: a quote of PIECE + STEP - 1 is always found
STEP = 5
#: characters of a message that are worth keeping; bounds the look-ups too
LONGEST = 600
GONE = "…"
#: what looks like a key, whoever's it is
SECRET = re.compile(
    r"\b(?:sk|pk|rk|gsk|xai|key|nvapi|hf|pplx)[-_][\w*.-]{6,}|\bAIza[\w*-]{10,}|(?i:bearer)\s+\S+"
)
#: names of headers that carry a credential
_CARRIES = re.compile(r"auth|key|token|secret|cookie", re.IGNORECASE)
#: a shorter "key" (Ollama's is any word) would tear holes into ordinary sentences
_SHORTEST_SECRET = 4


def redacted(message: str, provider: Provider) -> str:
    """Without the credentials of that provider, should it say back what it was sent: its key, and
    what stands in headers that carry one, as it is and without its scheme."""
    kept = [value for name, value in provider.headers if _CARRIES.search(name)]
    for secret in (provider.key.reveal(), *(str.__str__(value) for value in kept)):
        for part in (secret, secret.rpartition(" ")[2]):
            if len(part) >= _SHORTEST_SECRET:
                message = message.replace(part, "…")
    return message


def without_quotes(message: str, request: Request) -> str:
    """`message`, shortened, without what it says of the texts of `request`."""
    message = message[:LONGEST]
    said = "\n".join(_texts(request))
    kept: list[str] = []
    end = 0  # of what is dealt with
    for at in range(0, len(message) - PIECE + 1, STEP):
        if message[at : at + PIECE] not in said:
            continue
        # a quote begins and ends up to STEP characters beside what was found of it
        if (start := max(at - STEP, 0)) > end or not at:
            kept += (message[end:start], GONE)
        end = at + PIECE + STEP
    return "".join((*kept, message[end:]))


def _texts(request: Request) -> Iterator[str]:
    yield request.user or ""
    yield from _of(request.system)
    yield from (tool.description or "" for tool in request.tools)
    for message in request.messages:
        yield from _of(message.parts)


def _of(parts: list[Part]) -> Iterator[str]:
    for part in parts:
        match part:
            case Text(text) | Thinking(text):
                yield text
            case ToolResult():
                yield from _of(part.parts)
            case ToolUse():
                yield from _strings(part.input)
                yield part.arguments or ""
            case Opaque():
                yield from _strings(part.body)


def _strings(value: object) -> Iterator[str]:
    """Every string in a JSON value, however deep."""
    left = [value]
    while left:
        match left.pop():
            case str() as text:
                yield text
            case dict() as inner:
                left += inner.values()
            case list() as inner:
                left += inner
