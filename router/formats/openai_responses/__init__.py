"""OpenAI's Responses API, as a client speaks it (Codex, the SDKs) and as a provider does."""

from __future__ import annotations

import re
from collections.abc import Iterable

import msgspec

from router.errors import RequestError
from router.formats import Format, Reader, Writer
from router.formats.fields import bounded
from router.formats.openai_chat.stream import PING
from router.formats.openai_responses import errors, parse, reader, render, whole, writer
from router.formats.splice import MODEL, rename
from router.messages import JSON, Event, Request
from router.settings import Provider

#: between two events; kept by the split
_BLANK = re.compile(rb"(\r\n\r\n|\n\n)")


class OpenAIResponses(Format):
    name = parse.NAME
    framing = "sse"
    content_type = "text/event-stream; charset=utf-8"
    waiting = PING

    def parse_request(self, raw: bytes) -> Request:
        with bounded():
            return parse.parse_request(raw)

    def render_request(self, request: Request, provider: Provider, model: str) -> JSON:
        with bounded():
            return render.render_request(request, provider, model)

    def rename(self, data: bytes, model: str, asked: str) -> bytes:
        """A stream says the model only in events that hold the whole response, before the tools
        (which may name models of their own)."""
        if data[:1] == b"{":
            return rename(data, model, asked)
        if b'"model"' not in data:
            return data
        frames = _BLANK.split(data)
        new = msgspec.json.encode(asked)
        for place, frame in enumerate(frames):
            if b'"response":' in frame:
                frames[place] = MODEL.sub(lambda match: match[1] + new, frame, count=1)
        return b"".join(frames)

    def reader(self, provider: Provider) -> Reader:
        return reader.ResponsesReader(provider)

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        return whole.read_response(body, provider)

    def glance(self, body: bytes, provider: Provider) -> list[Event] | None:
        return whole.glance(body)

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return writer.ResponsesWriter(request, now, id)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        return writer.render_response(events, request, now, id)

    def render_error(self, error: RequestError) -> bytes:
        return errors.render_error(error)

    def client_status(self, error: RequestError) -> int:
        return errors.status_of(error)
