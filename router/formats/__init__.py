"""Wire formats: one file each, pure functions of bytes. No I/O, no clock, no randomness.

A format can be spoken by a client (parse_request, writer, render_response, render_error) and by a
provider (render_request, reader, read_response, read_error). Adding one is a file with an object
that has these methods, and a line in FORMATS.

A response that came whole is read into the same events as a stream and written from them, so
streamed and whole answers cannot differ.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from typing import Any, Protocol

import msgspec

from router.errors import RequestError, UpstreamError
from router.formats import failures, splice
from router.messages import Event, Request
from router.settings import Provider

JSON = dict[str, Any]


class Reader(Protocol):
    """Reads one provider's stream. Made per response; fed whole frames (router.framing)."""

    def feed(self, frame: Frame) -> list[Event]:
        """The events one frame means; [] for comments and keep-alives.

        A frame that is not this format's gives a Failure event, never an exception.
        """

    def close(self) -> list[Event]:
        """What is still owed when the stream ends: closing events after a proper end, a Failure
        when it was cut. [] when the grammar was already completed."""


class Writer(Protocol):
    """Writes one client's stream. Made per response."""

    def feed(self, event: Event) -> bytes:
        """The bytes one event means; b"" where it means none (yet)."""

    def passed(self, event: Event) -> None:
        """The event reached the client in the provider's own bytes: from here on `ping` and `fail`
        fit behind it."""

    def ping(self) -> bytes:
        """What keeps a silent stream alive in this dialect; b"" before the stream has begun."""

    def fail(self, error: RequestError) -> bytes:
        """A legal end of the stream that tells the error; closes what is open."""

    def close(self) -> bytes:
        """The terminal bytes ("data: [DONE]"), once; b"" if they were written."""


class Frame(Protocol):
    """One server-sent event, or one line of NDJSON (then `event` is "")."""

    event: str
    data: bytes
    #: the very bytes it came in, its end included: joined again they are the stream
    raw: bytes


class Format(Protocol):
    """What each format says for itself; where there is a body here, it is what most of them do."""

    name: str
    #: how a provider of this format frames its stream
    framing: str  # "sse" | "ndjson"
    content_type: str  # of a streamed answer to a client
    #: what keeps a client waiting before a stream's first event, and means nothing to it; b"" where
    #: a dialect has no stream
    waiting: bytes = b""

    def parse_request(self, raw: bytes) -> Request:
        """Raises CallerError for anything that is not a request of this format."""

    def render_request(self, request: Request, provider: Provider, model: str) -> JSON:
        """The body for `provider`; `model` is the provider's own name for the model."""

    def pass_through(self, request: Request, model: str) -> bytes:
        """`request.raw` with the model's name replaced (and our own fields taken out), every other
        byte as it was."""
        changes: dict[str, bytes | None] = {"model": msgspec.json.encode(model)}
        if "context" in request.body:
            changes["context"] = None
        return splice.with_model(request.raw, request.model, changes)

    def complete(self, request: Request) -> bool:
        """Whether its own bytes may go to any provider of this format; else it must be rendered."""
        return True

    def drops(self, request: Request) -> Callable[[Frame], bool] | None:
        """Tells the frames of a stream that passes through which this client did not ask for; None
        where all of them may go to it."""
        return None

    def rename(self, data: bytes, model: str, asked: str) -> bytes:
        """Frames, or a whole answer, with the provider's `model` named as the client asked."""
        return splice.rename(data, model, asked)

    def reader(self, provider: Provider) -> Reader: ...

    def read_response(self, body: bytes, provider: Provider) -> list[Event]:
        """A whole answer as events. Raises UpstreamError where it is not one."""

    def glance(self, body: bytes, provider: Provider) -> list[Event] | None:
        """What the tally needs of a whole answer that goes on as it is: usage and end. None where
        `read_response` must tell, which is always right and reads all of it."""
        return None

    def read_error(
        self, status: int, headers: Mapping[str, str], body: bytes, provider: Provider
    ) -> UpstreamError:
        """Classifies a non-2xx answer. `headers` have lower-case names."""
        return failures.read_error(status, headers, body, provider)

    def writer(self, request: Request, *, now: int, id: str) -> Writer:
        """`now` is Unix seconds, for formats that stamp; `id` our request id, for those that need
        one and got none from the provider. The model named to the client is the one it asked for,
        or the provider's where it named none."""

    def render_response(
        self, events: Iterable[Event], request: Request, *, now: int, id: str
    ) -> bytes:
        """A whole answer. Raises UpstreamError where the events end in a Failure."""

    def render_error(self, error: RequestError) -> bytes:
        """The error body in this dialect, for an answer that has not begun."""

    def client_status(self, error: RequestError) -> int:
        """The HTTP status that goes with `render_error`."""


def load() -> dict[str, Format]:
    """Every format by its name."""
    from router.formats.anthropic_messages import AnthropicMessages
    from router.formats.gemini import Gemini
    from router.formats.ollama_chat import OllamaChat, OllamaGenerate
    from router.formats.openai_chat import OpenAIChat
    from router.formats.openai_completions import OpenAICompletions
    from router.formats.openai_responses import OpenAIResponses

    known: tuple[Format, ...] = (
        AnthropicMessages(),
        OpenAIChat(),
        OpenAIResponses(),
        OpenAICompletions(),
        OllamaChat(),
        OllamaGenerate(),
        Gemini(),
        Gemini(array=True),
    )
    return {format.name: format for format in known}
