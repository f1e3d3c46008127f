"""Values made from JSON schemas, and prompt caching, as tables."""

from __future__ import annotations

from typing import Any

import pytest

from router.simulator.cache import ROOM, SHORTEST, Input, PromptCache
from router.simulator.instance import Unfillable, instance
from router.simulator.tokens import IMAGE, MESSAGE, Segment, count, pieces, segment

NODE: dict[str, Any] = {
    "$ref": "#/$defs/node",
    "$defs": {
        "node": {
            "type": "object",
            "properties": {"name": {"type": "string"}, "next": {"$ref": "#/$defs/node"}},
            "required": ["name"],
        },
        "endless": {
            "type": "object",
            "properties": {"next": {"$ref": "#/$defs/endless"}},
            "required": ["next"],
        },
    },
}


def fields(required: list[str], **properties: Any) -> dict[str, Any]:
    return {"type": "object", "properties": properties, "required": required}


@pytest.mark.parametrize(
    ("schema", "made"),
    [
        ({}, "simulated"),
        (True, "simulated"),
        (fields(["a"], a={"type": "string"}, b={"type": "string"}), {"a": "simulated a"}),
        (fields(["title"], title={"type": "string", "maxLength": 4}), {"title": "Abou"}),
        ({"type": ["null", "integer"]}, 1),
        ({"type": "null"}, None),
        ({"type": "boolean"}, False),
        ({"const": 7}, 7),
        ({"type": "string", "enum": ["x", "y"]}, "x"),
        ({"type": "string", "format": "date"}, "2026-01-01"),
        ({"type": "string", "minLength": 14}, "simulated....."),
        ({"type": "integer", "minimum": 3, "multipleOf": 5}, 5),
        ({"type": "number", "exclusiveMinimum": 2}, 3),
        ({"type": "integer", "maximum": -4}, -4),
        ({"type": "integer", "exclusiveMaximum": 1}, 0),
        ({"type": "array", "items": {"type": "integer"}}, []),
        ({"type": "array", "items": {"type": "integer"}, "minItems": 2}, [1, 1]),
        ({"prefixItems": [{"const": 1}], "items": {"const": 2}, "minItems": 2}, [1, 2]),
        ({"anyOf": [{"type": "string", "pattern": "^[0-9]{9}$"}, {"type": "integer"}]}, 1),
        ({"oneOf": [False, {"const": "second"}]}, "second"),
        (
            {"allOf": [fields(["a"], a={"const": 1}), fields(["b"], b={"const": 2})]},
            {"a": 1, "b": 2},
        ),
        (
            {**fields(["a"], a={"const": 1}, b={"const": 2}), "anyOf": [{"required": ["b"]}]},
            {"a": 1, "b": 2},
        ),
        (NODE, {"name": "simulated name"}),
    ],
)
def test_the_smallest_value_of_a_schema(schema: Any, made: Any) -> None:
    assert instance(schema, {"title": "About it"}) == made


@pytest.mark.parametrize(
    "schema",
    [
        False,
        {"type": "string", "pattern": "^[0-9]{9}$"},
        {"type": "string", "pattern": "("},
        {"type": "integer", "minimum": 3, "maximum": 2},
        {"$ref": "#/$defs/endless", "$defs": NODE["$defs"]},
        {"$ref": "#/nowhere/at/all"},
        {"$ref": "#"},
        {"anyOf": [False, False]},
        {"type": "date"},
        fields(["a"], a=False),
    ],
)
def test_what_cannot_be_filled_is_said(schema: Any) -> None:
    with pytest.raises(Unfillable):
        instance(schema, {})


def test_pieces_are_the_whole_text() -> None:
    for text in ("", "one two", "  a\n\n\tb — “c” 日本語 🙂 x_y", "a" * 100, "\n"):
        assert "".join(pieces(text)) == text
    assert count("hello, world") == 3


def test_what_counts_as_tokens() -> None:
    image = {"type": "image", "source": {"type": "base64", "data": "A" * 10_000}}
    message = {"role": "user", "content": [{"type": "text", "text": "see"}, image]}
    assert segment(message).tokens == MESSAGE + count("user") + count("see") + IMAGE
    ollama = {"role": "user", "content": "see", "images": ["A" * 10_000]}
    assert segment(ollama).tokens == segment(message).tokens
    marked = {**message, "cache_control": {"type": "ephemeral", "ttl": "1h"}}
    assert segment(marked) == Segment(segment(message).digest, segment(message).tokens, "1h")
    assert segment(message).digest != segment({**message, "role": "assistant"}).digest


def _segments(*words: str, mark_at: int = -1, mark: str = "5m") -> list[Segment]:
    return [
        Segment(word.encode(), 1000, mark if place == mark_at else "")
        for place, word in enumerate(words)
    ]


def test_a_marked_prefix() -> None:
    cache = PromptCache()
    two = _segments("tools", "system", "a", mark_at=1)
    assert cache.marked("m", _segments("tools", "system", "a"), 0) == Input(3000)
    assert cache.marked("m", two, 0) == Input(1000, written=2000)
    assert cache.marked("m", two, 10) == Input(1000, read=2000)
    assert cache.marked("other", two, 10) == Input(1000, written=2000)
    longer = _segments("tools", "system", "a", "b", mark_at=3, mark="1h")
    assert cache.marked("m", longer, 20) == Input(0, read=2000, written_1h=2000)
    assert cache.marked("m", longer, 3000) == Input(0, read=4000)
    assert cache.marked("m", two, 30_000) == Input(1000, written=2000)  # long forgotten
    short = [Segment(b"x", SHORTEST - 1, "5m"), Segment(b"y", 5)]
    assert cache.marked("m", short, 0) == Input(SHORTEST + 4)


def test_a_prefix_without_marks_and_a_bound() -> None:
    cache = PromptCache()
    assert cache.automatic("m", _segments("a", "b", "c"), 0) == Input(3000)
    assert cache.automatic("m", _segments("a", "b", "d"), 1) == Input(3000 - 1920, read=1920)
    assert cache.automatic("m", _segments("a", "b", "d"), 302) == Input(3000)
    for number in range(ROOM):
        cache.automatic("m", _segments(str(number)), 302)
    assert len(cache) == ROOM
    assert cache.automatic("m", _segments("a", "b", "d"), 303) == Input(3000)
