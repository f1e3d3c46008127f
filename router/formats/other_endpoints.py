"""OpenAI's and Cohere's endpoints that are passed through: images, audio, moderations, rerank.

Its one rule: of a request only the model's name is read and changed, and of an answer only what it
says it used. What it does not say is unknown, never nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import Struct

from router.errors import CallerError
from router.formats import multipart
from router.formats.failures import in_stream, raised
from router.formats.fields import body_of, count_of, take_model
from router.formats.openai_chat.usage import read_usage
from router.formats.splice import splice
from router.messages import Message, Request, Text, Usage
from router.providers import Quirks
from router.settings import LONGEST_NAME

PATHS = re.compile(
    r"(?:/v1)?/(images)/(?:generations|edits|variations)"
    r"|(?:/v1)?/(audio)/(?:speech|transcriptions|translations)"
    r"|(?:/v1)?/(moderations)|(?:/v[12])?/(rerank)"
)
_VERSION = re.compile(r"^/v[12](?=/)")
#: what OpenAI takes where the client names none
_USUAL_MODEL = {"moderations": "omni-moderation-latest"}
#: fields of a request that hold what is read by a model
_TEXTS = ("input", "prompt", "instructions", "query", "documents")
_DEEPEST = 4
_PLAIN = Quirks()


class Asked(Struct, frozen=True):
    """A request: `endpoint` for the ledger, `path` behind a provider's base."""

    endpoint: str
    path: str
    request: Request
    content_type: str
    boundary: bytes | None = None  # of a multipart body
    place: tuple[int, int] | None = None  # of the model's name in it


def endpoint_of(path: str) -> str:
    """What the ledger calls a path that PATHS knows."""
    found = PATHS.fullmatch(path)
    assert found is not None
    return next(name for name in found.groups() if name)


def parse(path: str, content_type: str, raw: bytes) -> Asked:
    """Raises CallerError. `path` is one that PATHS knows."""
    endpoint = endpoint_of(path)
    behind = _VERSION.sub("", path)
    boundary = multipart.boundary_of(content_type)
    if boundary is not None:
        place = multipart.find(raw, boundary, "model")
        model = raw[slice(*place)].decode("utf-8", "replace").strip() if place else None
        if model is not None and len(model) > LONGEST_NAME:
            raise CallerError(f"model: longer than {LONGEST_NAME} characters", param="model")
        request = Request("openai_chat", model, [], raw=raw)
        return Asked(endpoint, behind, request, content_type, boundary, place)
    body = body_of(raw)
    model = take_model(dict(body)) or _USUAL_MODEL.get(endpoint)
    texts = [text for field in _TEXTS for text in _texts(body.get(field))]
    messages = [Message("user", [Text(text) for text in texts])]
    stream = body.get("stream") is True or body.get("stream_format") == "sse"
    request = Request("openai_chat", model, messages, stream=stream, body=body, raw=raw)
    return Asked(endpoint, behind, request, "application/json")


def _texts(value: Any, deep: int = 0) -> Iterator[str]:
    if type(value) is str:
        yield value
    elif deep < _DEEPEST and type(value) is list:
        for item in value:
            yield from _texts(item, deep + 1)
    elif deep < _DEEPEST and type(value) is dict:
        yield from _texts(value.get("text"), deep + 1)


def body_for(asked: Asked, model: str) -> bytes:
    """With the provider's name for the model, every other byte as it was."""
    raw = asked.request.raw
    if not model:
        return raw
    if model == asked.request.model and (asked.place or "model" in asked.request.body):
        return raw
    if asked.place is not None:
        return multipart.replaced(raw, asked.place, model.encode())
    if asked.boundary is not None:
        return multipart.added(raw, asked.boundary, "model", model.encode())
    return splice(raw, {"model": msgspec.json.encode(model)})


class _Answer(Struct):
    usage: Any = None
    meta: Any = None
    error: Any = None


_decode = msgspec.json.Decoder(_Answer).decode


def usage_of(body: bytes) -> Usage | None:
    """What a whole answer, or an event of a streamed one, says it used; None where it says nothing.
    Raises UpstreamError for an error that came with a 200."""
    try:
        answer = _decode(body)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        return None
    if answer.error:
        raise raised(in_stream({"error": answer.error}))
    told = answer.usage
    if type(told) is not dict:
        units = answer.meta.get("tokens") if type(answer.meta) is dict else None
        told = units if type(units) is dict else {}
    total = count_of(told.get("total_tokens"))
    usage = read_usage(told, _PLAIN)
    if total and not any(count_of(told.get(f"{side}_tokens")) for side in _SIDES):
        return Usage(input=total)  # a reranker writes nothing
    return usage if usage is not None and (usage.prompt or usage.output) else None


_SIDES = ("input", "output", "prompt", "completion")
