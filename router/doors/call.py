"""One HTTP request at a door: the ASGI pieces with the conveniences that doors share."""

from __future__ import annotations

from collections.abc import Iterable
from urllib.parse import parse_qs

import msgspec

from router.asgi import Receive, Scope, Send
from router.contract import VERSION

Headers = Iterable[tuple[str, str]]

#: on every answer: probes recognise us by it, people see which program answered
_OURS = (b"x-pointsman", VERSION.encode())


class Call:
    """`path` is within the door ("/v1/messages"); `headers` have lower-case names, a repeated one
    joined by ", "."""

    __slots__ = (
        "_query",
        "cors",
        "headers",
        "method",
        "path",
        "receive",
        "scope",
        "send",
        "started",
    )

    def __init__(self, scope: Scope, receive: Receive, send: Send, path: str) -> None:
        self.scope = scope
        self.receive = receive
        self.send = send
        self.path = path
        self.method: str = scope["method"]
        self.headers: dict[str, str] = {}
        for name, value in scope["headers"]:
            text = name.decode("latin-1")
            if text in self.headers:
                self.headers[text] += ", " + value.decode("latin-1")
            else:
                self.headers[text] = value.decode("latin-1")
        self._query: dict[str, list[str]] | None = None
        self.started = False  # the answer's head was sent
        #: added to the answer for a web page of an origin that was allowed
        self.cors: list[tuple[bytes, bytes]] = []

    @property
    def query(self) -> dict[str, list[str]]:
        if self._query is None:
            self._query = parse_qs(self.scope["query_string"].decode("latin-1"))
        return self._query

    async def begin(self, status: int, content_type: str, headers: Headers = ()) -> None:
        """Sends the head; the body follows by `more` and `end`."""
        self.started = True
        await self.send(
            {
                "type": "http.response.start",
                "status": status,
                "headers": [
                    (b"content-type", _value(content_type)),
                    _OURS,
                    *self.cors,
                    *((n.encode("latin-1"), _value(v)) for n, v in headers),
                ],
            }
        )

    async def more(self, body: bytes) -> None:
        await self.send({"type": "http.response.body", "body": body, "more_body": True})

    async def end(self, body: bytes = b"") -> None:
        await self.send({"type": "http.response.body", "body": body})

    async def answer(
        self,
        status: int,
        body: bytes,
        content_type: str = "application/json",
        headers: Headers = (),
    ) -> None:
        """A whole answer at once."""
        length = ("content-length", str(len(body)))
        await self.begin(status, content_type, (length, *headers))
        await self.end(b"" if self.method == "HEAD" else body)

    async def preflight(self, headers: list[tuple[bytes, bytes]]) -> None:
        """The answer to a browser that asks whether a page may call."""
        await self.send({"type": "http.response.start", "status": 204, "headers": headers})
        await self.end()

    async def json(self, status: int, value: object, headers: Headers = ()) -> None:
        await self.answer(status, msgspec.json.encode(value), headers=headers)


#: what HTTP does not allow in a value, and what would drive the terminal of `curl -i`
_CONTROLS = bytes([*range(0x20), *range(0x7F, 0xA0)])


def _value(text: str) -> bytes:
    """A header's value: no outside text may begin a header of its own, or break off the answer."""
    return text.encode("latin-1", "replace").translate(None, _CONTROLS)
