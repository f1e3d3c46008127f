"""An OpenAI-compatible answer that came whole: read through the same reader as a stream."""

from __future__ import annotations

from typing import Literal

import msgspec
from msgspec import Struct

from router.formats.failures import in_stream, nonsense, raised
from router.formats.openai_chat.reader import BROKEN, OpenAIReader, decode
from router.formats.openai_chat.usage import Told, usage_of
from router.framing import Framer
from router.messages import Event, Failure, Finish, StopReason, UsageSeen
from router.providers import quirks
from router.settings import Provider


def read_response(body: bytes, provider: Provider) -> list[Event]:
    """Raises UpstreamError where it is not an answer. Also takes one that was streamed although
    nobody asked for it."""
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
