"""A Responses provider's answer that came as one body.

Its one rule: it is read as the end of a stream that told nothing before; where only what it used is
asked for, its words are not even decoded.
"""

from __future__ import annotations

import msgspec
from msgspec import Struct

from router.formats.failures import in_stream, nonsense, raised
from router.formats.openai_responses.reader import BROKEN, SEARCH, ResponsesReader
from router.formats.openai_responses.thoughts import TAG
from router.formats.openai_responses.usage import read_usage
from router.framing import Framer
from router.messages import (
    JSON,
    BlockStart,
    BlockStop,
    Event,
    Failure,
    Finish,
    Thinking,
    UsageSeen,
)
from router.settings import Provider


def read_response(body: bytes, provider: Provider) -> list[Event]:
    """Raises UpstreamError where it is not an answer. Also takes one that was streamed although
    nobody asked for it."""
    reader = ResponsesReader(provider)
    if body.lstrip().startswith((b"data:", b":", b"event:")):
        framer = Framer()
        events = [e for f in (*framer.feed(body), *framer.close()) for e in reader.feed(f)]
        events += reader.close()
    else:
        events = _read(body, reader)
    last = events[-1]
    if isinstance(last, Failure):
        raise raised(last)
    return events


def _read(body: bytes, reader: ResponsesReader) -> list[Event]:
    try:
        value = msgspec.json.decode(body)
        if type(value) is not dict:
            return [nonsense("an answer that is no response")]
        if type(value.get("output")) is not list:
            told = value.get("error") or "detail" in value
            return [in_stream(value) if told else nonsense("an answer without output")]
        return reader.end(value)
    except BROKEN:
        return [nonsense("an answer that is not JSON")]


class _Item(Struct, gc=False):
    type: str
    encrypted_content: str | None = None


class _Glance(Struct, gc=False):
    """A complete answer that says what it used: the common case, and only that."""

    usage: JSON
    output: list[_Item]
    status: str
    object: str = ""
    service_tier: str | None = None


_glance = msgspec.json.Decoder(_Glance).decode


def glance(body: bytes) -> list[Event] | None:
    """See Format.glance: the words are not even decoded. What seals a thought is: who signed it
    must be known."""
    try:
        answer = _glance(body)
    except BROKEN:
        return None
    searches = sum(item.type == SEARCH for item in answer.output)
    usage = read_usage(answer.usage, answer.service_tier, searches)
    if usage is None or not usage.output or answer.status != "completed":
        return None
    # what OpenAI's own servers run (web_search_call) is no call that the client is to answer
    called = any(item.type in ("function_call", "custom_tool_call") for item in answer.output)
    seals = (item.encrypted_content for item in answer.output)
    thoughts = [Thinking("", f"{TAG}:{sealed}") for sealed in seals if sealed]
    events: list[Event] = []
    for index, thought in enumerate(thoughts):
        events += (BlockStart(index, thought), BlockStop(index))
    return [*events, UsageSeen(usage), Finish("tool_use" if called else "end_turn")]
