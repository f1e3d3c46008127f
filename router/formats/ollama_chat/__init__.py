"""Ollama's own API, /api/chat and (for clients) /api/generate: lines of JSON both ways."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping

import msgspec

from router.errors import RequestError, UpstreamError
from router.formats import Format, Reader, Writer, failures
from router.formats.fields import bounded
from router.formats.ollama_chat import parse, reader, render, writer
from router.messages import JSON, Event, Request
from router.settings import Provider

__all__ = ["OllamaChat", "OllamaGenerate"]

_UNKNOWN = re.compile(r"model .{1,300} not found", re.IGNORECASE)


class OllamaChat(Format):
    name = parse.NAME
    framing = "ndjson"
    content_type = "application/x-ndjson"
    #: JSON's own white space: an empty line of its own ends Ollama's Python client
    waiting = b" "

    def __init__(self, known_as: Callable[[str], str] = str) -> None:
        """`known_as` gives the name under which we know a model that a client asks for."""
        self._known_as = known_as

    def parse_request(self, raw: bytes) -> Request:
        with bounded():
            request = self._parse(raw)
        if request.model:
            request.model = self._known_as(request.model)
        return request

    def _parse(self, raw: bytes) -> Request:
        return parse.parse_chat(raw)

    def render_request(self, request: Request, provider: Provider, model: str) -> JSON:
        with bounded():
            return render.render_request(request, provider, model)

    def complete(self, request: Request) -> bool:
        """Not without the size of its context: Ollama would cut what is longer than its default."""
        return "num_ctx" in (request.extra.get("options") or ())

    def rename(self, data: bytes, model: str, asked: str) -> bytes:
        """Each line begins with its model; a later one may be a tool's argument."""
        new = b'"model":' + msgspec.json.encode(asked)
        return _MODEL.sub(lambda _: new, data)

    def reader(self, provider: Provider) -> Reader:
        return reader.OllamaReader(provider)

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        return reader.read_response(body, provider)

    def read_error(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> UpstreamError:
        error = failures.read_error(status, headers, body, provider)
        if status == 404 and (found := _UNKNOWN.search(error.message)):
            name = found[0].split("'")[1] if "'" in found[0] else "NAME"
            error.message += f": run `ollama pull {name}`"
        elif "does not support" in error.message:
            error.message += " (ask another model, or leave that out)"
        return error

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return writer.OllamaWriter(request, now, id)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        return writer.render_response(events, request, now, id)

    def render_error(self, error: RequestError) -> bytes:
        return msgspec.json.encode(writer.envelope(error))

    def client_status(self, error: RequestError) -> int:
        return writer.status_of(error)


class OllamaGenerate(OllamaChat):
    """/api/generate, for clients alone: upstream it is a chat of one turn."""

    name = parse.GENERATE

    def _parse(self, raw: bytes) -> Request:
        return parse.parse_generate(raw)


#: the first model of a line
_MODEL = re.compile(rb'(?m)(?<=^\{)"model"[ ]?:[ ]?"(?:[^"\\]|\\.)*"')
