"""Counting: the same numbers as CCR, images by size, no text that breaks it, no work twice."""

from __future__ import annotations

import asyncio
import base64
import random
import struct
import threading
from typing import Any

import msgspec
import pytest
import tiktoken
from msgspec.structs import replace

from router.formats.anthropic_messages.parse import parse_request
from router.messages import (
    Document,
    Image,
    Message,
    Opaque,
    Part,
    Request,
    Text,
    Thinking,
    ToolResult,
    ToolUse,
)
from router.tokens import EXACT, PIECE, Counter, count_all, estimate
from router.tokens.imagesize import TYPICAL, image_tokens
from router.tokens.vocab import SEAM, count, encoding
from tests.router.rules.cases import IMAGE, Body

#: recorded: what the real CCR 2.0.0 answered to count_tokens for this body
COUNTED: Body = {
    "model": "claude-sonnet-4-20250514",
    "messages": [{"role": "user", "content": "hello world, how are you?"}],
    "tools": [
        {
            "name": "get_weather",
            "description": "w",
            "input_schema": {
                "type": "object",
                "properties": {
                    "city": {"type": "string", "format": "uri"},
                    "n": {"type": "integer", "minimum": 1},
                },
                "required": ["city"],
                "additionalProperties": False,
                "$schema": "http://json-schema.org/draft-07/schema#",
            },
        }
    ],
}
RECORDED = 62


def parsed(body: Body) -> Request:
    return parse_request(msgspec.json.encode(body))


def user(*parts: Part) -> Request:
    return Request("anthropic_messages", "m", [Message("user", list(parts))])


def png(width: int, height: int) -> str:
    head = b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", width, height)
    return base64.b64encode(head + bytes(200)).decode()


async def test_counts_are_ccrs() -> None:
    counter = Counter()
    assert await counter.strict_count(parsed(COUNTED)) == RECORDED
    assert await counter.count(parsed(COUNTED)) == (RECORDED, True)


async def test_the_long_recording_is_counted_as_it_was() -> None:
    """The prompt of the golden "long" cases: 496,000 characters, far over the threshold."""
    text = "alpha beta gamma delta epsilon " * 16_000
    request = user(Text(text))
    request.raw = text.encode()
    assert await Counter().count(request, 60_000) == (80_001, True)
    assert len(encoding().encode_ordinary(text)) == 80_001


async def test_strict_counting_keeps_ccrs_oddities() -> None:
    result = {"type": "tool_result", "tool_use_id": "t", "content": [IMAGE]}
    body = {
        "messages": [
            {"role": "user", "content": [IMAGE, result]},
            {
                "role": "assistant",
                "content": [
                    {"type": "thinking", "thinking": "never counted", "signature": "s"},
                    {"type": "tool_use", "id": "t", "name": "not counted", "input": {"a": 1}},
                ],
            },
        ],
        "system": [{"type": "text", "text": "be brief"}],
        "tools": [{"name": "bare", "input_schema": {}}],
    }
    wanted = [msgspec.json.encode([IMAGE]).decode(), '{"a":1}', "be brief", "{}"]
    strict = await Counter().strict_count(parsed(body))
    assert strict == sum(count_all(wanted))
    ours, _ = await Counter().count(parsed(body))
    assert ours < strict / 2, "base64 is no text"


@pytest.mark.parametrize(
    ("data", "tokens"),
    [
        (png(750, 100), 100),
        (png(1, 1), 1),
        (png(1_568, 750), 1_568),
        (png(10_000, 5_000), 1_600),
        (png(100_000, 10), 1),
        (base64.b64encode(b"GIF89a" + struct.pack("<HH", 750, 200)).decode(), 200),
        (
            base64.b64encode(
                b"\xff\xd8\xff\xe0\0\x10JFIF" + bytes(10)
                + b"\xff\xc0\0\x11\x08" + struct.pack(">HH", 300, 750) + bytes(10)
            ).decode(),
            300,
        ),
        (
            base64.b64encode(
                b"RIFF0000WEBPVP8X" + bytes(8) + (749).to_bytes(3, "little")
                + (399).to_bytes(3, "little")
            ).decode(),
            400,
        ),
        (
            base64.b64encode(
                b"RIFF0000WEBPVP8 " + bytes(10) + struct.pack("<HH", 750, 50)
            ).decode(),
            50,
        ),
        (
            base64.b64encode(
                b"RIFF0000WEBPVP8L0000\x2f" + (749 | 99 << 14).to_bytes(4, "little")
            ).decode(),
            100,
        ),
        (None, TYPICAL),
        ("", TYPICAL),
        ("not base64 !", TYPICAL),
        (png(0, 5), TYPICAL),
        (base64.b64encode(b"\x89PNG\r\n\x1a\n").decode(), TYPICAL),
        (base64.b64encode(b"\xff\xd8\xff").decode(), TYPICAL),
    ],
)  # fmt: skip
def test_C03_an_image_costs_by_its_size(data: str | None, tokens: int) -> None:
    assert image_tokens(data) == pytest.approx(tokens, abs=1)


async def test_C01_everything_in_a_request_counts() -> None:
    counter = Counter()
    picture = png(750, 100)
    parts: list[tuple[Part, int]] = [
        (Text("hello"), 1),
        (Image("image/png", picture), 100),
        (ToolResult("t", [Text("hello"), Image("image/png", picture)]), 101),
        (ToolUse("t", "Read", {"a": 1}), count_all(['{"a":1}'])[0]),
        (Thinking("hello", "signed"), 1),
        (Opaque("image", {}), TYPICAL),
        (Opaque("future", {"a": 1}), count_all(['{"a":1}'])[0]),
        (ToolUse("t", "Read", {}, arguments='{"a": 1}'), count_all(['{"a": 1}'])[0]),
        (Document("text/plain", text="hello"), 1),
        (Document("application/pdf", data="x" * 4_000_000), 150_000),
        (Document(url="https://example.org/a.pdf"), TYPICAL),
    ]
    for part, tokens in parts:
        assert await counter.count(user(part)) == (tokens, True), part
    whole = await counter.count(user(*(part for part, _ in parts)))
    assert whole == (sum(tokens for _, tokens in parts), True)
    tool = {"name": "Read", "description": " a file", "input_schema": {"type": "object"}}
    hello = [{"role": "user", "content": "hello"}]
    told = parsed({"system": "hello", "messages": hello, "tools": [tool]})
    words = sum(count_all(["Read a file", '{"type":"object"}']))
    assert await counter.count(told) == (1 + 1 + words, True)


async def test_far_below_the_bound_an_estimate_will_do() -> None:
    request = parsed({"messages": [{"role": "user", "content": "hello world " * 20}]})
    tokens, exact = await Counter().count(request, len(request.raw) + 1)
    assert (tokens, exact) == (estimate(240), False)
    assert await Counter().count(request, len(request.raw)) == (41, True)


@pytest.mark.parametrize(
    "text",
    [
        "<|endoftext|> <|fim_prefix|>",  # tiktoken's encode() raises on these
        " " * 1_000_000 + "a",  # tiktoken's splitter overflows its stack on these in one piece
        "\n" * 300_000,
        "a" * 300_000,
        "ä€😀" * 1_000,
        "\ud800 alone",
        "",
    ],
    ids=["special", "spaces", "lines", "a", "wide", "surrogate", "empty"],
)
async def test_no_text_breaks_counting(text: str) -> None:
    tokens, exact = await Counter().count(user(Text(text)))
    assert exact
    assert 0 <= tokens <= len(text.encode(errors="surrogatepass"))


#: how tiktoken itself writes what splits a text for cl100k_base
PUBLISHED = (
    r"'(?i:[sdmt]|ll|ve|re)|[^\r\n\p{L}\p{N}]?+\p{L}++|\p{N}{1,3}+| ?[^\s\p{L}\p{N}]++[\r\n]*+"
    r"|\s++$|\s*[\r\n]|\s+(?!\S)|\s"
)
#: what its alternatives tell apart: all kinds of spaces, letters, digits, apostrophes and marks
ATOMS = (
    " ", "  ", "     ", "\t", "\n", "\r", "\r\n", "\n\n", "\u00a0", "\u3000", "\u2028", "\x85",
    "a", "Z", "é", "\u017f", "漢", "ि", "1", "4567", "½", "٣", "'", "'s", "'LL", "'\u017f", "’t",
    "-", "_", "(){}", "😀", "\u0301", "\u200b", "\0", "\x1b", "<|endoftext|>", "word", SEAM[0],
)  # fmt: skip


def test_C01_texts_counted_together_are_what_tiktoken_alone_makes_of_each() -> None:
    """Also beside a text that holds what they are joined with, or half of a surrogate pair."""
    published = tiktoken.Encoding(
        "published",
        pat_str=PUBLISHED,
        mergeable_ranks=encoding()._mergeable_ranks,
        special_tokens={},
    )
    chance = random.Random(4)
    for odd in ("", SEAM, "\ud800", *[" "] * 20):
        texts = ["".join(chance.choices(ATOMS, k=chance.randint(0, 40))) for _ in range(60)]
        texts.insert(9, odd)
        assert count(texts) == [len(published.encode_ordinary(text)) for text in texts]


def test_long_texts_are_cut_where_tokens_never_join() -> None:
    text = "".join(f"word{n} is the {n}th; " for n in range(15_000))
    assert len(text) > 3 * PIECE
    assert count_all([text])[0] == len(encoding().encode_ordinary(text))


async def test_a_text_too_long_to_be_counted_is_judged_by_pieces_from_all_over_it() -> None:
    half = EXACT * 6 // 10
    text = "word " * (half // 5) + "a b c d e " * (half // 10)
    raw = b'{"messages":[]}' + b" " * EXACT
    counter = Counter()
    tokens, exact = await counter.count(replace(user(Text(text)), raw=raw))
    assert tokens == pytest.approx(half // 5 + half // 2, rel=0.01)
    assert not exact, "so `why` says that it is about as many"
    assert not (await counter.count(replace(user(Text(text)), raw=b"")))[1], (
        "one that was rewritten"
    )
    assert (await Counter().count(replace(user(Text("short")), raw=raw)))[1]


async def test_C04_a_prefix_seen_before_is_not_counted_again() -> None:
    counter = Counter()
    turns = [f"turn {n}: " + "some words of it " * 30 for n in range(50)]
    for end in range(1, 51):
        request = user(*(Text(turn) for turn in turns[:end]))
        tokens, exact = await counter.count(request)
        assert exact
    assert tokens == sum(count_all(turns))
    assert len(counter) == 50, "each turn once, however often it came"


async def test_the_memory_is_bounded() -> None:
    counter = Counter(remembered=100)
    for n in range(1_000):
        await counter.count(user(Text("always here"), Text(f"new {n}")))
        assert len(counter) <= 200
    assert len(counter) >= 100


async def test_C04_much_new_text_is_counted_off_the_event_loop() -> None:
    """While 400 KB are counted, the loop goes on turning: counting is in another thread."""
    encoding()
    seen: list[int] = []

    async def turn() -> None:
        while True:
            seen.append(threading.get_ident())
            await asyncio.sleep(0)

    turning = asyncio.create_task(turn())
    await asyncio.sleep(0)
    before = len(seen)
    await Counter().count(user(Text("some new words of code(); " * 16_000)))
    turning.cancel()
    assert len(seen) > before + 5


async def test_counting_at_once_from_many_requests_agrees() -> None:
    counter = Counter()
    request: Any = user(*(Text(f"{n} " * 3_000) for n in range(5)))
    counts = await asyncio.gather(*(counter.count(request) for _ in range(8)))
    assert len(set(counts)) == 1
