"""OpenAI's embeddings: passed through, read only for routing and billing.

Its one rule: the vectors are never decoded.
"""

from __future__ import annotations

from typing import Any

import msgspec
from msgspec import Struct

from router.errors import CallerError
from router.formats import splice as splicing
from router.formats.fields import body_of, take
from router.formats.splice import rename
from router.messages import Usage

__all__ = ["parse", "rename", "splice", "usage"]

#: characters that a token id stands for, where the input came as token ids
_TOKEN = 4


class _Answer(Struct):
    usage: Any = None


_decode = msgspec.json.Decoder(_Answer).decode


def parse(raw: bytes) -> tuple[str | None, int]:
    """The model, and the length in characters of all texts to embed. Raises CallerError."""
    body = body_of(raw)
    model = take(body, "model", str)
    if body.get("input") is None:
        raise CallerError("Missing required parameter: 'input'.", param="input")
    return model, _length(body["input"])


def _length(value: Any, deep: int = 0) -> int:
    """Of a string, token ids, or a list of either."""
    if isinstance(value, str):
        return len(value)
    if type(value) is int:
        return _TOKEN
    if isinstance(value, list) and deep < 2:
        return sum(_length(item, deep + 1) for item in value)
    raise CallerError("input: should be a string, token ids, or a list of them", param="input")


def splice(raw: bytes, model: str) -> bytes:
    """The request with the provider's name for the model, every other byte as it was."""
    return splicing.splice(raw, {"model": msgspec.json.encode(model)})


def usage(body: bytes) -> Usage:
    """What an answer says it used; `estimated` where it says nothing."""
    try:
        told = _decode(body).usage
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        told = None
    count = told.get("prompt_tokens") if isinstance(told, dict) else None
    return Usage(input=count) if type(count) is int and count >= 0 else Usage(estimated=True)
