"""What a stream of OpenAI's ends with: [DONE], which is said once, also after an error.

The same for chat completions and for the legacy completions.
"""

from __future__ import annotations

import msgspec

from router.errors import RequestError
from router.formats.failures import nonsense, raised
from router.formats.openai_chat.errors import envelope
from router.messages import Event, Finish

_encode = msgspec.json.Encoder().encode
_DONE = b"data: [DONE]\n\n"
#: a comment, which every reader of server-sent events skips
PING = b": ping\n\n"


class Stream:
    """`_done`: nothing more is told of the answer; `_closed`: not even its [DONE]."""

    def __init__(self) -> None:
        self._begun = False
        self._done = False
        self._closed = False

    def passed(self, event: Event) -> None:
        self._begun = True
        if type(event) is Finish:
            self._done = self._closed = True

    def ping(self) -> bytes:
        return PING if self._begun and not self._closed else b""

    def fail(self, error: RequestError) -> bytes:
        if self._closed:
            return b""
        self._done = self._closed = True
        return b"data: %b\n\n" % _encode(envelope(error)) + _DONE

    def close(self) -> bytes:
        if self._closed:
            return b""
        if not self._done:
            return self.fail(raised(nonsense("an answer without an end")))
        self._closed = True
        return _DONE
