"""Anthropic's Messages API, as a client speaks it and as a provider does."""

from __future__ import annotations

from collections.abc import Iterable

from router.errors import RequestError
from router.formats import Format, Reader, Writer
from router.formats.anthropic_messages import errors, parse, render, writer
from router.formats.anthropic_messages import reader as reading
from router.formats.fields import bounded
from router.messages import JSON, Event, Request, Text, Thinking
from router.settings import Provider


class AnthropicMessages(Format):
    name = parse.NAME
    framing = "sse"
    content_type = "text/event-stream; charset=utf-8"
    waiting = writer.PING

    def parse_request(self, raw: bytes) -> Request:
        with bounded():
            return parse.parse_request(raw)

    def render_request(self, request: Request, provider: Provider, model: str) -> JSON:
        with bounded():
            return render.render_request(request, provider, model)

    def complete(self, request: Request) -> bool:
        """Not without max_tokens, which a provider demands; nor with thoughts in its history that
        Anthropic did not sign, or sources that it did not find, which it refuses."""
        if request.max_tokens is None:
            return False
        for message in request.messages:
            if message.role == "assistant":
                for part in message.parts:
                    if type(part) is Thinking:
                        if not render.signed(part):
                            return False
                    elif type(part) is Text and part.extra and render.cites_others(part):
                        return False
        return True

    def reader(self, provider: Provider) -> Reader:
        return reading.AnthropicReader(provider)

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        return reading.read_response(body, provider)

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return writer.AnthropicWriter(request, id)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        return writer.render_response(events, request, id)

    def render_error(self, error: RequestError) -> bytes:
        return errors.render_error(error)

    def client_status(self, error: RequestError) -> int:
        return errors.status_of(error)
