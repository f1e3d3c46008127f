"""A stream for clients that take a call of a function whole: its pieces wait until its block ends.

What the pieces look like is the dialect's affair; what is told, and when, is the same for each.
"""

from __future__ import annotations

from abc import ABC, abstractmethod

from router.errors import RequestError
from router.formats import guess
from router.formats.failures import nonsense, raised
from router.formats.fields import json_object
from router.formats.names import originals
from router.messages import (
    ArgumentsDelta,
    BlockStart,
    BlockStop,
    Event,
    Failure,
    Finish,
    OpaqueEvent,
    Request,
    SignatureDelta,
    Start,
    Text,
    TextDelta,
    Thinking,
    ThinkingDelta,
    ToolUse,
    Usage,
    UsageSeen,
)


class WholeCalls(ABC):
    """A writer of events. A dialect writes its six kinds of piece; each gives the bytes to send."""

    def __init__(self, request: Request, id: str) -> None:
        self._request = request
        self._names = originals(request.tools)
        self._id = id
        self._model = request.model or ""
        self._usage: Usage | None = None
        self._written = 0  # characters
        self._open: ToolUse | None = None  # the call whose arguments arrive
        self._pieces: list[str] = []
        self._signature: str | None = None  # of the thoughts since the last call
        self._begun = False
        self._ended = False

    @abstractmethod
    def _text(self, text: str) -> bytes: ...

    @abstractmethod
    def _thought(self, text: str) -> bytes: ...

    @abstractmethod
    def _call(self, use: ToolUse) -> bytes: ...

    @abstractmethod
    def _finish(self, finish: Finish, usage: Usage) -> bytes: ...

    @abstractmethod
    def _failed(self, error: RequestError) -> bytes: ...

    @abstractmethod
    def _ping(self) -> bytes: ...

    def feed(self, event: Event) -> bytes:
        if self._ended:
            return b""
        match event:
            case TextDelta(text=text) | BlockStart(part=Text(text=text)) if text:
                self._written += len(text)
                return self._text(text)
            case ThinkingDelta(text=text) | BlockStart(part=Thinking(text=text)) if text:
                self._written += len(text)
                return self._thought(text)
            case SignatureDelta(signature=signature):
                self._signature = signature
            case BlockStart(part=ToolUse() as use):
                self._open, self._pieces = use, []
            case ArgumentsDelta(json=piece):
                self._written += len(piece)
                self._pieces.append(piece)
            case BlockStop():
                return self._called()
            case _:
                return self._other(event)
        return b""

    def passed(self, event: Event) -> None:
        self._begun = True
        if type(event) is Finish:
            self._ended = True

    def ping(self) -> bytes:
        return self._ping() if self._begun and not self._ended else b""

    def fail(self, error: RequestError) -> bytes:
        if self._ended:
            return b""
        self._ended = True
        return self._failed(error)

    def close(self) -> bytes:
        return self.fail(raised(nonsense("an answer without an end")))

    def _other(self, event: Event) -> bytes:
        match event:
            case Start():
                self._begun = True
                self._usage = event.usage
                self._model = self._model or event.model
            case UsageSeen(usage=usage):
                self._usage = usage
            case Finish():
                self._ended = True
                return self._finish(event, self._usage or guess.usage(self._request, self._written))
            case Failure():
                return self.fail(raised(event))
            case OpaqueEvent(kind="ping"):
                return self.ping()
        return b""

    def _called(self) -> bytes:
        use, self._open = self._open, None
        if use is None:
            return b""
        text = "".join(self._pieces)
        input = json_object(text) if text.strip() else use.input
        return self._call(ToolUse(use.id, use.name, input, text, None, use.extra))
