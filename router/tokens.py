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

from router.imagesize import TYPICAL, image_tokens
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
from router.vocab import count, encoding

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


def count_text(text: str) -> int:
    """Tokens of one text, exactly but for one token at the seams of very long ones."""
    return _count_all([text])[0]


def _count_all(texts: list[str]) -> list[int]:
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
        if near is not None and 0 < len(request.raw) < near:
            characters = other = 0
            for block in blocks(request):
                if isinstance(block, str):
                    characters += len(block)
                else:
                    other += block
            if (total := estimate(characters) + other) < near:
                return total, False
        whole = len(request.raw) <= EXACT or all(
            isinstance(block, int) or len(block) <= EXACT for block in blocks(request)
        )
        return await self._sum(blocks(request)), whole

    async def strict_count(self, request: Request) -> int:
        """CCR's own sum, base64 in tool results and all: what decides in strict mode."""
        if "messages" not in request.body:
            return await self._sum(blocks(request))
        return await self._sum(strict_blocks(request.body))

    async def _sum(self, found: Iterator[str | int]) -> int:
        total, waiting, characters = 0, [], 0
        for block in found:
            if isinstance(block, int):
                total += block
                continue
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
            counts = _count_all(texts)
        else:
            counts = await asyncio.to_thread(_count_all, texts)
        for (key, _), counted in zip(waiting, counts, strict=True):
            self._remember(key, counted)
        return total + sum(counts)

    def _remember(self, key: Key, count: int) -> None:
        if len(self._young) >= self._remembered:
            self._old, self._young = self._young, {}
        self._young[key] = count


def blocks(request: Request) -> Iterator[str | int]:
    """Everything in a request that has tokens: texts to be counted, and numbers of tokens for what
    is no text."""
    yield from _part_blocks(request.system)
    for message in request.messages:
        yield from _part_blocks(message.parts)
    for tool in request.tools:
        if tool.description:
            yield tool.name + tool.description
        if tool.schema is not None:
            yield _json(tool.schema)


def _part_blocks(parts: list[Part]) -> Iterator[str | int]:
    for part in parts:
        if isinstance(part, Text):
            yield part.text
        elif isinstance(part, ToolResult):
            yield from _part_blocks(part.parts)
        elif isinstance(part, ToolUse):
            yield part.arguments if part.arguments is not None else _json(part.input)
        elif isinstance(part, Thinking):
            yield part.text
        elif isinstance(part, Image):
            yield image_tokens(part.data)
        elif isinstance(part, Document):
            yield _document(part)
        elif isinstance(part, Opaque):
            yield TYPICAL if part.kind in FILES else _json(part.body)


def _document(document: Document) -> str | int:
    if document.text is not None:
        return document.text
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
