"""Ollama's /api/embed and /api/embeddings ⇄ OpenAI's embeddings, which every provider speaks.

Its one rule: the vectors pass on as floats, in the order of the texts.
"""

from __future__ import annotations

from typing import Any

import msgspec

from router.errors import CallerError
from router.formats import embeddings
from router.formats.failures import nonsense, raised
from router.formats.fields import body_of, take_model
from router.messages import JSON, Message, Request, Text

NAME = "ollama_chat"


class OllamaEmbed:
    """`single`: the older /api/embeddings, one `prompt` and one vector."""

    def __init__(self, *, single: bool = False) -> None:
        self._single = single
        self._field = "prompt" if single else "input"

    def parse(self, raw: bytes) -> Request:
        """Raises CallerError."""
        body = body_of(raw)
        given = body.get(self._field)
        texts = [given] if type(given) is str else given
        if type(texts) is not list or any(type(text) is not str for text in texts):
            kind = "a string" if self._single else "a string or a list of strings"
            raise CallerError(f"{self._field}: should be {kind}", param=self._field)
        return Request(
            dialect=NAME,
            model=take_model(dict(body)),
            messages=[Message("user", [Text(text) for text in texts])],
            body=body,
            raw=raw,
        )

    def body(self, request: Request, model: str) -> bytes:
        texts = [part.text for part in request.messages[0].parts if isinstance(part, Text)]
        asked: JSON = {"model": model, "input": texts, "encoding_format": "float"}
        if type(size := request.body.get("dimensions")) is int:
            asked["dimensions"] = size
        return msgspec.json.encode(asked)

    def answer(self, body: bytes, request: Request, model: str) -> bytes:
        vectors = embeddings.vectors(body)
        if self._single:
            if not vectors:
                raise raised(nonsense("no embeddings"))
            return msgspec.json.encode({"embedding": vectors[0]})
        told: dict[str, Any] = {
            "model": request.model or model,
            "embeddings": vectors,
            "total_duration": 0,
            "load_duration": 0,
            "prompt_eval_count": embeddings.usage(body).input,
        }
        return msgspec.json.encode(told)
