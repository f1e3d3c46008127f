"""One HTTP request at a door: the ASGI pieces with the conveniences that doors share."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import Protocol
from urllib.parse import parse_qs

import msgspec
from uvicorn.protocols.http.flow_control import FlowControl

from router.asgi import Receive, Scope, Send
from router.caller import key_of
from router.contract import VERSION
from router.headers import lines, read
from router.ids import new_id

Headers = Iterable[tuple[str, str]]

#: on every answer: probes recognise us by it, people see which program answered
_OURS = f"x-pointsman: {VERSION}\r\n"
_JSON = "application/json"


class Out(Protocol):
    """Where an answer goes: a connection's Cycle (cycle.py), or one turn of a socket."""

    flow: FlowControl

    def arrived(self) -> bytes | None:
        """The body of what is answered, where all of it is here; None: its `receive` tells it."""

    async def ready(self) -> None:
        """Needed only where `flow.write_paused`: a coroutine less for each piece."""

    def begin(self, status: int, lines: bytes, length: int | None) -> None: ...

    def write(self, body: bytes, more: bool) -> None: ...


class Call:
    """`path` is within the door ("/v1/messages"); `headers` have lower-case names, a repeated one
    joined by ", "; `key` is the client's, "" when it shows none."""

    __slots__ = (
        "_cycle",
        "_query",
        "cors",
        "headers",
        "id",
        "key",
        "method",
        "path",
        "receive",
        "scope",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        self.scope = scope
        self.receive = receive
        # `send` is bound to it, which a Callable's type does not tell. In the scope, which it
        # holds, it would be a ring for the collector.
        self._cycle: Out = send.__self__  # type: ignore[attr-defined]
        self.path = path
        self.method: str = scope["method"]
        self.headers = read(scope["headers"])
        self.key = key_of(self.headers)
        self._query: dict[str, list[str]] | None = None
        #: the request's own, told with every answer: its record's, or made for the answer ("").
        #: None: what answers in our place has told its own
        self.id: str | None = ""
        self.started = False  # the answer's head was sent
        #: added to the answer for a web page of an origin that was allowed
        self.cors: list[tuple[str, str]] = []

    @property
    def query(self) -> dict[str, list[str]]:
        if self._query is None:
            self._query = parse_qs(self.scope["query_string"].decode("latin-1"))
        return self._query

    def arrived(self) -> bytes | None:
        """Its body where all of it has arrived and nobody has read it: without a coroutine, and a
        dict for each piece. None: `receive` tells it."""
        return self._cycle.arrived()

    async def begin(
        self, status: int, content_type: str, headers: Headers = (), own: str = ""
    ) -> None:
        """Sends the head; the body follows by `more` and `end`. `content_type` "" is left out;
        `own` are header lines of the door's own."""
        await self._cycle.ready()
        told = [("content-type", content_type), *headers] if content_type else list(headers)
        length = dict(told).get("content-length")
        self._begin(status, lines(told) + own, None if length is None else int(length))

    def ping(self, content_type: str, headers: Headers, own: str, ping: bytes) -> None:
        """`ping` to the client of a stream that has no answer yet, and the head before it, once."""
        if self._cycle.flow.write_paused:
            return  # it has not read what it got
        if not self.started:
            self._begin(200, lines([("content-type", content_type), *headers]) + own, None)
        self._cycle.write(ping, more=True)

    async def more(self, body: bytes) -> None:
        if self._cycle.flow.write_paused:
            await self._cycle.ready()
        self._cycle.write(body, more=True)

    async def end(self, body: bytes = b"") -> None:
        await self._cycle.ready()
        self._cycle.write(body, more=False)

    async def answer(
        self,
        status: int,
        body: bytes,
        content_type: str = _JSON,
        headers: Headers = (),
        own: str = "",
    ) -> None:
        """A whole answer at once."""
        if self._cycle.flow.write_paused:
            await self._cycle.ready()
        size = len(body)
        if headers or content_type is not _JSON:
            own = lines([("content-type", content_type), *headers]) + own
        else:
            own = f"content-type: {_JSON}\r\n{own}"
        self._begin(status, f"content-length: {size}\r\n{own}", size)
        self._cycle.write(b"" if self.method == "HEAD" else body, more=False)

    async def preflight(self, headers: list[tuple[str, str]]) -> None:
        """The answer to a browser that asks whether a page may call."""
        self._cycle.begin(204, lines(headers).encode("latin-1", "replace"), None)
        self._cycle.write(b"", more=False)

    def _begin(self, status: int, told: str, length: int | None) -> None:
        """`told`: header lines."""
        self.started = True
        if self.cors:
            told += lines(self.cors)
        if self.id is not None:
            id = self.named()
            told = f"x-request-id: {id}\r\nrequest-id: {id}\r\n{told}"
            if sent := self.headers.get("x-request-id"):
                told += lines([("x-client-request-id", sent[:100])])
        self._cycle.begin(status, f"{_OURS}{told}".encode("latin-1", "replace"), length)

    def named(self) -> str:
        """Its id, made where none has been made yet."""
        if not self.id:
            self.id = new_id(time.time())
        return self.id

    async def json(self, status: int, value: object, headers: Headers = ()) -> None:
        await self.answer(status, msgspec.json.encode(value), headers=headers)
