"""Google's Gemini API, generateContent and streamGenerateContent.

Model and method stand in the path: a door makes a `Gemini` for each call that knows them.
"""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from router.errors import RequestError
from router.formats import Format, Reader, Writer
from router.formats.fields import bounded
from router.formats.gemini import errors, parse, reader, render, writer
from router.messages import JSON, Event, Request
from router.settings import Provider

#: the dialect of a client whose stream is an array: a provider's frames cannot pass on to it
ARRAY = "gemini_array"


class Gemini(Format):
    framing = "sse"

    def __init__(
        self, model: str | None = None, *, stream: bool = False, array: bool = False
    ) -> None:
        self.name = ARRAY if array else parse.NAME
        self.content_type = "application/json" if array else "text/event-stream; charset=utf-8"
        #: white space, or a chunk that says nothing: Google's SDK for JavaScript reads no comment
        #: and, in 1.19, no empty line
        self.waiting = b" " if array else b'data: {"usageMetadata":{}}\r\n\r\n'
        self._model = model
        self._stream = stream
        self._array = array

    def parse_request(self, raw: bytes) -> Request:
        with bounded():
            return parse.parse_request(raw, self.name, self._model, stream=self._stream)

    def parse_body(self, body: JSON) -> Request:
        """As `parse_request`, of a body that stood inside of another."""
        return self.parse_request(msgspec.json.encode(body))

    def render_request(self, request: Request, provider: Provider, model: str) -> JSON:
        with bounded():
            return render.render_request(request, provider, model)

    def pass_through(self, request: Request, model: str) -> bytes:
        return request.raw  # the model stands in the address

    def complete(self, request: Request) -> bool:
        return render.complete(request)

    def rename(self, data: bytes, model: str, asked: str) -> bytes:
        new = b'"modelVersion":' + msgspec.json.encode(asked)
        return _VERSION.sub(lambda _: new, data)

    def reader(self, provider: Provider) -> Reader:
        return reader.GeminiReader(provider)

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        return reader.read_response(body, provider)

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return writer.GeminiWriter(request, id, array=self._array)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        return writer.render_response(events, request, id)

    def render_error(self, error: RequestError) -> bytes:
        return errors.render_error(error)

    def client_status(self, error: RequestError) -> int:
        return errors.status_of(error)


#: inside of strings quotes are escaped, so only a member can match
_VERSION = re.compile(rb'"modelVersion"[ ]?:[ ]?"(?:[^"\\]|\\.)*"')
