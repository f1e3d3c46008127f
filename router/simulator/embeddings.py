"""Vectors for embeddings: of length one, the same for the same text, else as good as random. Pure.

They mean nothing: texts that are alike are no nearer to each other than others.
"""

from __future__ import annotations

import base64
import math
import struct
from hashlib import shake_128
from typing import Any

from router.simulator.prompt import JSON, BadRequestError, model
from router.simulator.tokens import count

#: of a model whose name is not among WIDTHS
WIDTH = 1536
WIDTHS = {"text-embedding-3-large": 3072, "nomic-embed-text": 768, "all-minilm": 384}
WIDEST = 4096


def openai(body: JSON) -> JSON:
    """/v1/embeddings. Raises BadRequestError."""
    name, inputs = model(body), _inputs(body.get("input"))
    width = _width(body, name)
    as_base64 = body.get("encoding_format") == "base64"
    vectors = [vector(text, width) for text, _ in inputs]
    tokens = sum(tokens for _, tokens in inputs)
    return {
        "object": "list",
        "model": name,
        "data": [
            {
                "object": "embedding",
                "index": index,
                "embedding": _packed(values) if as_base64 else values,
            }
            for index, values in enumerate(vectors)
        ],
        "usage": {"prompt_tokens": tokens, "total_tokens": tokens},
    }


def ollama(body: JSON) -> JSON:
    """/api/embed. Raises BadRequestError."""
    name, inputs = model(body), _inputs(body.get("input"))
    width = _width(body, name)
    return {
        "model": name,
        "embeddings": [vector(text, width) for text, _ in inputs],
        "total_duration": 1_000_000,
        "load_duration": 0,
        "prompt_eval_count": sum(tokens for _, tokens in inputs),
    }


def vector(text: str, width: int) -> list[float]:
    """`width` numbers whose squares sum to one."""
    raw = shake_128(text.encode("utf-8", "replace")).digest(2 * width)
    values = struct.unpack(f"<{width}h", raw)
    length = math.sqrt(sum(value * value for value in values)) or 1.0
    return [value / length for value in values]


def _inputs(value: Any) -> list[tuple[str, int]]:
    """Each input as text, and its tokens: a text, a list of texts, or the same as token ids."""
    items = value if isinstance(value, list) else [value]
    if items and all(isinstance(item, int) for item in items):
        items = [items]
    made = []
    for item in items:
        if isinstance(item, str) and item:
            made.append((item, count(item)))
        elif isinstance(item, list) and item and all(isinstance(one, int) for one in item):
            made.append((repr(item), len(item)))
        else:
            made.clear()
            break
    if not made:
        raise BadRequestError(
            "input: a text, or a list of texts or token ids, is required", "input"
        )
    return made


def _width(body: JSON, name: str) -> int:
    width = body.get("dimensions")
    if width is None:
        return next((wide for known, wide in WIDTHS.items() if name.startswith(known)), WIDTH)
    if not isinstance(width, int) or not 1 <= width <= WIDEST:
        raise BadRequestError(f"dimensions: must be from 1 to {WIDEST}", "dimensions")
    return width


def _packed(values: list[float]) -> str:
    """32-bit little-endian floats: what the official SDK asks for by default."""
    return base64.b64encode(struct.pack(f"<{len(values)}f", *values)).decode()
