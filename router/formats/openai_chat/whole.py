"""An OpenAI-compatible answer that came whole: read through the same reader as a stream."""

from __future__ import annotations

import msgspec

from router.formats.failures import in_stream, nonsense, raised
from router.formats.openai_chat.reader import BROKEN, OpenAIReader, decode
from router.framing import Framer
from router.messages import Event, Failure
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


def _other(body: bytes) -> Failure:
    """A 200 that is no completion: an error after all, a page, nothing."""
    try:
        value = msgspec.json.decode(body)
    except BROKEN:
        return nonsense("an answer that is not JSON")
    if isinstance(value, dict) and ("error" in value or "detail" in value):
        return in_stream(value)
    return nonsense("an answer without a choice")
