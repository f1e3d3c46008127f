"""How many tokens a request holds: an estimate where that is enough, else an exact count.

Counted is what CCR counts (cl100k_base over texts, tool calls, tool results, system and tools), and
also what it leaves out or gets wrong: images and documents by their size instead of as base64 text,
thinking. Blocks seen before are remembered by hash, never as text: an agent sends the same prefix
with every turn.
"""

from __future__ import annotations

import asyncio
import itertools
from collections.abc import Iterable, Iterator
from typing import Any

import msgspec

from router.messages import (
    FILES,
    JSON,
    Document,
    Image,
    Opaque,
    Part,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from router.tokens.imagesize import TYPICAL, image_tokens
from router.tokens.vocab import count, encoding

#: characters of a token, on average, over code, prose and JSON as agents send them
CHARACTERS_PER_TOKEN = 4
#: characters that may be counted on the event loop: about 1 ms
ON_THE_LOOP = 12_000
#: a longer text is counted in pieces: tiktoken's splitter overflows its stack on 1 MB of spaces
PIECE = 100_000
#: characters counted in one call, which holds the interpreter for about 1 ms: to hand them over
BATCH = 200_000
#: characters counted exactly at most; what goes beyond is extrapolated (it is 1 s of work)
EXACT = 10_000_000
#: bytes of a PDF that stand for one token: 40 KB and 2,000 tokens make a page
PDF_BYTES_PER_TOKEN = 20

_encode = msgspec.json.Encoder().encode
Key = tuple[int, int]


def estimate(characters: int) -> int:
    """Tokens of so many characters of text, roughly."""
    return -(-characters // CHARACTERS_PER_TOKEN)


def count_all(texts: list[str]) -> list[int]:
    """Tokens of each text, exactly but for one token at the seams of very long ones."""
    cut = [list(_pieces(text)) for text in texts]
    counts = itertools.chain.from_iterable(map(count, _batches(itertools.chain(*cut))))
    totals = []
    for text, pieces in zip(texts, cut, strict=True):
        total, counted = sum(itertools.islice(counts, len(pieces))), sum(map(len, pieces))
        totals.append(total if counted == len(text) else total * len(text) // counted)
    return totals


def _batches(pieces: Iterable[str]) -> Iterator[list[str]]:
    """As many together as are counted in one call."""
    batch: list[str] = []
    size = 0
    for piece in pieces:
        if batch and size + len(piece) > BATCH:
            yield batch
            batch, size = [], 0
        batch.append(piece)
        size += len(piece)
    if batch:
        yield batch


def _pieces(text: str) -> Iterator[str]:
    """A text, cut where it is long. Of one that is too long to be counted, pieces from all over it:
    a dump may begin with a million spaces."""
    if len(text) <= PIECE:
        yield text
        return
    left_out = PIECE * max(0, len(text) - EXACT) // EXACT  # behind each piece
    start = 0
    while start < len(text):
        end = _seam(text, start + PIECE)
        yield text[start:end]
        start = end + left_out


def _seam(text: str, end: int) -> int:
    """Where to cut near `end`: before the space between two words, where tokens never join."""
    if end >= len(text):
        return len(text)
    for place in range(end, end - 1_000, -1):
        if (
            text[place] == " "
            and text[place - 1].isalnum()
            and text[place + 1 : place + 2].isalpha()
        ):
            return place
    return end


class Counter:
    """Counts requests; one per router. Not for several threads.

    Remembers the counts of `remembered` blocks at least, of twice as many at most.
    """

    def __init__(self, remembered: int = 20_000) -> None:
        self._remembered = remembered
        self._young: dict[Key, int] = {}
        self._old: dict[Key, int] = {}

    def __len__(self) -> int:
        """Blocks whose counts are remembered."""
        return len(self._young.keys() | self._old.keys())

    async def count(self, request: Request, near: int | None = None) -> tuple[int, bool]:
        """Tokens of a request, and whether they were counted rather than estimated.

        `near` is the smallest number that matters (Generation.nearest_bound). A body of fewer bytes
        cannot have as many tokens, so it is only estimated. None: always counted.
        """
        texts, other = contents(request)
        size = len(request.raw)
        total = estimate(sum(map(len, texts))) + other
        if near is not None and 0 < size < near and total < near:
            return total, False
        whole = 0 < size <= EXACT or all(len(text) <= EXACT for text in texts)
        return await self._sum(texts) + other, whole

    async def strict_count(self, request: Request) -> int:
        """CCR's own sum, base64 in tool results and all: what decides in strict mode."""
        if "messages" not in request.body:
            texts, other = contents(request)
            return await self._sum(texts) + other
        return await self._sum(strict_blocks(request.body))

    async def _sum(self, found: Iterable[str]) -> int:
        total, waiting, characters = 0, [], 0
        for block in found:
            key = (hash(block), len(block))
            known = self._young.get(key)
            if known is None and (known := self._old.get(key)) is not None:
                self._remember(key, known)
            if known is None:
                waiting.append((key, block))
                characters += len(block)
            else:
                total += known
        if not waiting:
            return total
        texts = [text for _, text in waiting]
        if characters <= ON_THE_LOOP and encoding.cache_info().currsize:
            counts = count_all(texts)
        else:
            counts = await asyncio.to_thread(count_all, texts)
        for (key, _), counted in zip(waiting, counts, strict=True):
            self._remember(key, counted)
        return total + sum(counts)

    def _remember(self, key: Key, count: int) -> None:
        if len(self._young) >= self._remembered:
            self._old, self._young = self._young, {}
        self._young[key] = count


def contents(request: Request) -> tuple[list[str], int]:
    """Everything in a request that has tokens: the texts to be counted, and the tokens of what is
    no text."""
    texts: list[str] = []
    other = _gather(request.system, texts)
    for message in request.messages:
        other += _gather(message.parts, texts)
    for tool in request.tools:
        if tool.description:
            texts.append(tool.name + tool.description)
        if tool.schema is not None:
            texts.append(_json(tool.schema))
    return texts, other


def _gather(parts: list[Part], texts: list[str]) -> int:
    """Adds the texts of these; returns the tokens of the rest."""
    other = 0
    for part in parts:
        if isinstance(part, Text):
            texts.append(part.text)
        elif isinstance(part, ToolResult):
            other += _gather(part.parts, texts)
        elif isinstance(part, ToolUse):
            texts.append(part.arguments if part.arguments is not None else _json(part.input))
        elif isinstance(part, Thinking):
            texts.append(part.text)
        elif isinstance(part, Image):
            other += image_tokens(part.data)
        elif isinstance(part, Document) and part.text is not None:
            texts.append(part.text)
        elif isinstance(part, Document):
            other += _document(part)
        elif isinstance(part, Opaque) and part.kind in FILES:
            other += TYPICAL
        elif isinstance(part, Opaque):
            texts.append(_json(part.body))
    return other


def _document(document: Document) -> int:
    """Of one whose text is not known."""
    if document.data is None:
        return TYPICAL
    size = len(document.data) * 3 // 4
    if document.media_type == "text/plain":
        return estimate(size)
    return max(TYPICAL, size // PDF_BYTES_PER_TOKEN)


def strict_blocks(body: JSON) -> Iterator[str]:
    """What CCR counts of an Anthropic body, as it came."""
    for message in _list(body.get("messages")):
        content = message.get("content") if isinstance(message, dict) else None
        if isinstance(content, str):
            yield content
        for part in _list(content):
            if isinstance(part, dict):
                yield from _strict_part(part)
    system = body.get("system")
    if isinstance(system, str):
        yield system
    for part in _list(system):
        if isinstance(part, dict) and part.get("type") == "text":
            text = part.get("text")
            yield from [text] if isinstance(text, str) else map(str, _list(text))
    for tool in _list(body.get("tools")):
        if isinstance(tool, dict):
            if tool.get("description"):
                yield f"{tool.get('name', '')}{tool['description']}"
            if tool.get("input_schema") is not None:
                yield _json(tool["input_schema"])


def _strict_part(part: JSON) -> Iterator[str]:
    kind = part.get("type")
    if kind == "text" and isinstance(part.get("text"), str):
        yield part["text"]
    elif kind == "tool_use":
        yield _json(part.get("input"))
    elif kind == "tool_result":
        content = part.get("content")
        yield content if isinstance(content, str) else _json(content)


def _list(value: Any) -> list[Any]:
    return value if isinstance(value, list) else []


def _json(value: Any) -> str:
    """As JSON.stringify writes it: compact, and not escaped beyond need."""
    return _encode(value).decode()
