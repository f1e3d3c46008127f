"""What each of the simulator's dialects can do, and what is handed to it. Pure."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Protocol, TypeVar

import msgspec
from msgspec import Struct

from router.simulator.answer import Answer
from router.simulator.cache import Input, PromptCache
from router.simulator.prompt import JSON, Prompt

_T = TypeVar("_T")


class Reply(Struct, frozen=True):
    """One answer and what is said about it. `now` is Unix seconds; `id` is unique, without a
    prefix; `group` is how many tokens go into one piece of the stream."""

    prompt: Prompt
    answer: Answer
    input: Input
    now: int
    id: str
    group: int = 1


class Piece(Struct, frozen=True):
    """Bytes of a stream, and how many tokens they carry."""

    data: bytes
    tokens: int = 0


class Dialect(Protocol):
    #: of a streamed answer
    content_type: str

    def parse(self, body: JSON) -> Prompt:
        """Raises BadRequestError."""

    def cached(self, cache: PromptCache, prompt: Prompt, now: float) -> Input:
        """The prompt's tokens by kind."""

    def whole(self, reply: Reply) -> JSON: ...

    def stream(self, reply: Reply) -> Iterator[Piece]: ...

    def error(self, status: int, message: str, param: str | None = None) -> JSON:
        """The body of an answer with an error status."""

    def broken(self, message: str) -> bytes:
        """An error inside a stream."""


def encode(value: Any) -> bytes:
    return msgspec.json.encode(value)


def grouped(items: list[str], size: int) -> Iterator[tuple[str, int]]:
    """The tokens joined, `size` at a time, and how many they are."""
    for start in range(0, len(items), size):
        some = items[start : start + size]
        yield "".join(some), len(some)
