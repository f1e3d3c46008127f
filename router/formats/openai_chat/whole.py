"""An OpenAI-compatible answer that came whole: read through the same reader as a stream."""

from __future__ import annotations

from typing import Annotated, Any, Literal

import msgspec
from msgspec import Meta, Struct

from router.formats.failures import in_stream, nonsense, raised
from router.formats.openai_chat.chunk import BROKEN, Words, decode
from router.formats.openai_chat.reader import OpenAIReader
from router.formats.openai_chat.think_tags import CLOSER
from router.formats.openai_chat.usage import Told, usage_of
from router.framing import Framer
from router.messages import (
    BlockStart,
    BlockStop,
    Event,
    Failure,
    Finish,
    Start,
    StopReason,
    Text,
    TextDelta,
    UsageSeen,
)
from router.providers import quirks
from router.settings import Provider


def read_response(body: bytes, provider: Provider) -> list[Event]:
    """Raises UpstreamError where it is not an answer. Also takes one that was streamed although
    nobody asked for it."""
    if (told := _words(body, provider)) is not None:
        return told
    reader = OpenAIReader(provider)
    if body.lstrip().startswith((b"data:", b":", b"event:")):
        framer = Framer()
        events = [e for f in (*framer.feed(body), *framer.close()) for e in reader.feed(f)]
    else:
        try:
            answer = decode(body)
            if not answer.choices and not answer.error and answer.object != "error":
                raise raised(_other(body))
            events = reader.take(answer) + reader.end()
        except BROKEN:
            raise raised(_other(body)) from None
    events += reader.close()
    last = events[-1]
    if isinstance(last, Failure):
        raise raised(last)
    return events


class _End(Struct, gc=False):
    finish_reason: Literal["stop", "length", "tool_calls"]


class _Glance(Struct, gc=False):
    """A complete answer of one choice that says what it used: the common case, and only that."""

    choices: tuple[_End]
    usage: Told
    object: Literal["chat.completion"]
    error: None = None
    service_tier: str | None = None


_ENDS: dict[str, StopReason] = {
    "stop": "end_turn",
    "length": "max_tokens",
    "tool_calls": "tool_use",
}
_glance = msgspec.json.Decoder(_Glance).decode


class _Said(Struct, gc=False):
    message: Words
    finish_reason: Literal["stop", "length"]
    index: Literal[0] = 0
    delta: None = None
    stop_reason: None = None
    matched_stop: None = None


class _Plain(Struct, gc=False):
    """The common case of an answer that is translated, and only that."""

    choices: tuple[_Said]
    usage: Told
    object: Literal["chat.completion"]
    id: str = ""
    model: str = ""
    error: None = None
    service_tier: str | None = None
    citations: Annotated[list[Any], Meta(max_length=0)] | None = None


_plain = msgspec.json.Decoder(_Plain).decode


def _words(body: bytes, provider: Provider) -> list[Event] | None:
    """As `read_response`, in a fifth of its steps; None where the reader must tell."""
    try:
        answer = _plain(body)
    except BROKEN:
        return None
    said = answer.choices[0]
    text = said.message.content
    if text[:1].isspace() or text[:1] in ("", "<") or CLOSER in text:
        return None  # it may be thinking between tags
    return [
        Start(answer.id, answer.model),
        BlockStart(0, Text("")),
        TextDelta(0, text),
        UsageSeen(usage_of(answer.usage, quirks(provider.kind), answer.service_tier)),
        BlockStop(0),
        Finish(_ENDS[said.finish_reason]),
    ]


def glance(body: bytes, provider: Provider) -> list[Event] | None:
    """See Format.glance. Costs a fifth of reading it all: the words are not even decoded."""
    try:
        answer = _glance(body)
    except BROKEN:
        return None
    usage = usage_of(answer.usage, quirks(provider.kind), answer.service_tier)
    if not usage.output:
        return None
    return [UsageSeen(usage), Finish(_ENDS[answer.choices[0].finish_reason])]


def _other(body: bytes) -> Failure:
    """A 200 that is no completion: an error after all, a page, nothing."""
    try:
        value = msgspec.json.decode(body)
    except BROKEN:
        return nonsense("an answer that is not JSON")
    if isinstance(value, dict) and ("error" in value or "detail" in value):
        return in_stream(value)
    return nonsense("an answer without a choice")
