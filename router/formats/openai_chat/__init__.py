"""OpenAI's Chat Completions, as a client speaks it and as a provider does."""

from __future__ import annotations

from collections.abc import Callable, Iterable

import msgspec

from router.errors import RequestError
from router.formats import Format, Frame, Reader, Writer
from router.formats.fields import bounded
from router.formats.openai_chat import errors, parse, render, whole, writer
from router.formats.openai_chat.reader import OpenAIReader
from router.formats.openai_chat.stream import PING
from router.formats.splice import with_model
from router.messages import JSON, Event, Request
from router.settings import Provider

__all__ = ["OpenAIChat", "is_usage_alone"]


class OpenAIChat(Format):
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

    def pass_through(self, request: Request, model: str) -> bytes:
        """A stream is asked to tell its usage: without it nothing could be billed."""
        changes: dict[str, bytes | None] = {"model": msgspec.json.encode(model)}
        if "context" in request.body:
            changes["context"] = None
        if request.stream and not request.include_usage:
            options = request.body.get("stream_options") or {}
            changes["stream_options"] = msgspec.json.encode({**options, "include_usage": True})
        return with_model(request.raw, request.model, changes)

    def drops(self, request: Request) -> Callable[[Frame], bool] | None:
        return None if request.include_usage or not request.stream else is_usage_alone

    def reader(self, provider: Provider) -> Reader:
        return OpenAIReader(provider)

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        return whole.read_response(body, provider)

    def glance(self, body: bytes, provider: Provider) -> list[Event] | None:
        return whole.glance(body, provider)

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return writer.OpenAIWriter(request, now, id)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        return writer.render_response(events, request, now, id)

    def render_error(self, error: RequestError) -> bytes:
        return errors.render_error(error)

    def client_status(self, error: RequestError) -> int:
        return errors.status_of(error)


def is_usage_alone(frame: Frame) -> bool:
    """The chunk that tells the usage and has no choice."""
    data = frame.data
    return (b'"choices":[]' in data or b'"choices": []' in data) and b'"usage"' in data
