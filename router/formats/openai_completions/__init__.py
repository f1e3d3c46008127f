"""OpenAI's legacy Completions: what some editors and old programs still speak."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping

import msgspec

from router.errors import RequestError, UpstreamError
from router.formats import Frame, Reader, Writer, failures
from router.formats.fields import bounded
from router.formats.openai_chat import errors, is_usage_alone
from router.formats.openai_completions import parse, reader, writer
from router.formats.splice import rename, with_model
from router.messages import JSON, Event, Request
from router.settings import Provider


class OpenAICompletions:
    name = parse.NAME
    framing = "sse"
    content_type = "text/event-stream; charset=utf-8"

    def parse_request(self, raw: bytes) -> Request:
        with bounded():
            return parse.parse_request(raw)

    def render_request(self, request: Request, provider: Provider, model: str) -> JSON:
        return parse.render(request, model)

    def pass_through(self, request: Request, model: str) -> bytes:
        """A stream is asked to tell its usage: without it nothing could be billed."""
        changes: dict[str, bytes | None] = {"model": msgspec.json.encode(model)}
        if "context" in request.body:
            changes["context"] = None
        if request.stream and not request.include_usage:
            options = request.body.get("stream_options") or {}
            changes["stream_options"] = msgspec.json.encode({**options, "include_usage": True})
        return with_model(request.raw, request.model, changes)

    def complete(self, request: Request) -> bool:
        return True

    def drops(self, request: Request) -> Callable[[Frame], bool] | None:
        return None if request.include_usage or not request.stream else is_usage_alone

    def rename(self, data: bytes, model: str, asked: str) -> bytes:
        return rename(data, model, asked)

    def reader(self, provider: Provider) -> Reader:
        return reader.CompletionsReader(provider)

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        return reader.read_response(body, provider)

    def glance(self, body: bytes, provider: Provider) -> list[Event] | None:
        return None

    def read_error(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> UpstreamError:
        return failures.read_error(status, headers, body, provider)

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return writer.CompletionsWriter(request, now, id)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        return writer.render_response(events, request, now, id)

    def render_error(self, error: RequestError) -> bytes:
        return errors.render_error(error)

    def client_status(self, error: RequestError) -> int:
        return errors.status_of(error)
