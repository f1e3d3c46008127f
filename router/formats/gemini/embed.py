"""Gemini's embedContent and batchEmbedContents ⇄ OpenAI's embeddings. Its one rule: one vector for
each content, in their order.
"""

from __future__ import annotations

from typing import Any

import msgspec

from router.errors import CallerError
from router.formats import embeddings
from router.formats.failures import nonsense, raised
from router.formats.fields import body_of
from router.formats.gemini.parse import NAME
from router.messages import JSON, Message, Part, Request, Text


class GeminiEmbed:
    """`batch`: a list of requests, answered with a list."""

    def __init__(self, model: str, *, batch: bool = False) -> None:
        self._model = model
        self._batch = batch

    def parse(self, raw: bytes) -> Request:
        """Raises CallerError."""
        body = body_of(raw)
        asked = body.get("requests") if self._batch else [body]
        if type(asked) is not list or not asked:
            raise CallerError("requests: should be a list", param="requests")
        parts: list[Part] = [Text(_text(one)) for one in asked]
        return Request(
            dialect=NAME,
            model=self._model,
            messages=[Message("user", parts)],
            body=body,
            raw=raw,
        )

    def body(self, request: Request, model: str) -> bytes:
        texts = [part.text for part in request.messages[0].parts if isinstance(part, Text)]
        asked: JSON = {"model": model, "input": texts, "encoding_format": "float"}
        first = (request.body.get("requests") or [request.body])[0]
        if type(size := first.get("outputDimensionality")) is int:
            asked["dimensions"] = size
        return msgspec.json.encode(asked)

    def answer(self, body: bytes, request: Request, model: str) -> bytes:
        vectors: list[Any] = [{"values": vector} for vector in embeddings.vectors(body)]
        if not vectors:
            raise raised(nonsense("no embeddings"))
        told = {"embeddings": vectors} if self._batch else {"embedding": vectors[0]}
        return msgspec.json.encode(told)


def _text(asked: Any) -> str:
    content = asked.get("content") if type(asked) is dict else None
    parts = content.get("parts") if type(content) is dict else None
    if type(parts) is not list:
        raise CallerError("content.parts: Field required", param="content.parts")
    texts = [part.get("text") for part in parts if type(part) is dict]
    return "\n".join(text for text in texts if type(text) is str)
