"""OpenAI's legacy Completions: what some editors and old programs still speak.

One rule: what is not about prompts and texts is as in Chat Completions.
"""

from __future__ import annotations

from collections.abc import Iterable

from router.formats import Reader, Writer
from router.formats.fields import bounded
from router.formats.openai_chat import OpenAIChat
from router.formats.openai_completions import parse, reader, writer
from router.messages import JSON, Event, Request
from router.settings import Provider


class OpenAICompletions(OpenAIChat):
    name = parse.NAME

    def parse_request(self, raw: bytes) -> Request:
        with bounded():
            return parse.parse_request(raw)

    def render_request(self, request: Request, provider: Provider, model: str) -> JSON:
        return parse.render(request, model)

    def reader(self, provider: Provider) -> Reader:
        return reader.CompletionsReader(provider)

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        return reader.read_response(body, provider)

    def glance(self, body: bytes, provider: Provider) -> list[Event] | None:
        return None

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        return writer.CompletionsWriter(request, now, id)

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        return writer.render_response(events, request, now, id)
