"""OpenAI's embeddings: passed through, read only for routing and billing.

Its one rule: the vectors are never decoded, but for a client of another dialect.
"""

from __future__ import annotations

from typing import Any, Protocol

import msgspec
from msgspec import Struct

from router.errors import CallerError
from router.formats import splice as splicing
from router.formats.failures import in_stream, nonsense, raised
from router.formats.fields import body_of, count_of, take, take_model
from router.formats.splice import rename
from router.messages import Message, Part, Request, Text, Usage

__all__ = ["OpenAI", "Wire", "parse", "rename", "splice", "usage", "vectors"]

#: stands for one token, where the input came as token ids
_ONE = " a"


class _Answer(Struct):
    data: msgspec.Raw = msgspec.Raw()
    error: Any = None
    usage: Any = None


class _Vector(Struct):
    embedding: list[float]


_decode = msgspec.json.Decoder(_Answer).decode
_decode_vectors = msgspec.json.Decoder(list[_Vector]).decode


class Wire(Protocol):
    """How a client asks for embeddings and is answered; every provider is asked in OpenAI's way."""

    def parse(self, raw: bytes) -> Request:
        """Raises CallerError."""

    def body(self, request: Request, model: str) -> bytes:
        """What the provider is sent; `model` is its own name for the model."""

    def answer(self, body: bytes, request: Request, model: str) -> bytes:
        """The provider's answer as this client knows it. Raises UpstreamError."""


class OpenAI:
    def parse(self, raw: bytes) -> Request:
        return parse(raw)

    def body(self, request: Request, model: str) -> bytes:
        return splice(request.raw, model)

    def answer(self, body: bytes, request: Request, model: str) -> bytes:
        asked = request.model
        return rename(body, model, asked) if asked and asked != model else body


def parse(raw: bytes) -> Request:
    """The texts to embed as a conversation, to be counted and routed. Raises CallerError."""
    body = body_of(raw)
    left = dict(body)
    model, input = take_model(left), left.pop("input", None)
    if input is None:
        raise CallerError("Missing required parameter: 'input'.", param="input")
    return Request(
        dialect="openai_chat",
        model=model,
        messages=[Message("user", _texts(input))],
        user=take(left, "user", str),
        extra=left,
        body=body,
        raw=raw,
    )


def _texts(value: Any, deep: int = 0) -> list[Part]:
    """Of a string, of token ids, or of a list of either."""
    if isinstance(value, str):
        return [Text(value)]
    if isinstance(value, list) and deep < 2:
        if value and all(type(item) is int for item in value):
            return [Text(_ONE * len(value))]
        return [text for item in value for text in _texts(item, deep + 1)]
    raise CallerError("input: should be a string, token ids, or a list of them", param="input")


def splice(raw: bytes, model: str) -> bytes:
    """The request with the provider's name for the model, every other byte as it was."""
    return splicing.splice(raw, {"model": msgspec.json.encode(model)})


def usage(body: bytes) -> Usage:
    """What an answer says it used; `estimated` where it says nothing. Raises UpstreamError for a
    200 that is none: an error after all, a page, nothing."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise raised(nonsense("no embeddings, and no JSON")) from None
    if answer.error:
        raise raised(in_stream({"error": answer.error}))
    if not bytes(answer.data).startswith(b"["):
        raise raised(nonsense("no embeddings"))
    told = answer.usage
    count = told.get("prompt_tokens") if isinstance(told, dict) else None
    return Usage(input=count) if count == count_of(count) else Usage(estimated=True)


def vectors(body: bytes) -> list[list[float]]:
    """The vectors of an answer that was asked for as floats. Raises UpstreamError."""
    try:
        return [each.embedding for each in _decode_vectors(bytes(_decode(body).data))]
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise raised(nonsense("embeddings that are not lists of numbers")) from None
