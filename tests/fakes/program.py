"""Another program behind the front door: a server that says what it was asked, streams when it is
told to, and takes WebSockets."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field

import httptools


@dataclass
class Asked:
    """One request. `pieces` are the parts of its body in the order they came."""

    target: str = ""
    method: str = ""
    headers: list[tuple[str, str]] = field(default_factory=list)
    pieces: list[bytes] = field(default_factory=list)
    whole: asyncio.Event = field(default_factory=asyncio.Event)
    began: asyncio.Event = field(default_factory=asyncio.Event)

    def header(self, name: str) -> str:
        return ", ".join(value for key, value in self.headers if key == name)


class Program:
    """What asks for /probe, as our looks at its health do, is not kept. `answer` is the raw answer
    to all but WebSockets; with `slow` what follows its "|" waits for `go`. A WebSocket gets back
    whatever it sends; one to /no is refused, one to /bye is closed."""

    def __init__(self) -> None:
        self.asked: list[Asked] = []
        self.answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
        self.slow = False
        self.go = asyncio.Event()
        self.left = asyncio.Event()
        self.seen = asyncio.Event()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.sockets[0].getsockname()[1]}"

    async def __aenter__(self) -> Program:
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0)
        return self

    async def __aexit__(self, *error: object) -> None:
        self._server.close()

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked = Asked()
        parser = httptools.HttpRequestParser(_Into(asked))
        try:
            while not asked.whole.is_set() and (data := await reader.read(65536)):
                try:
                    parser.feed_data(data)
                except httptools.HttpParserUpgrade:
                    asked.whole.set()
                asked.method = parser.get_method().decode()
                known = asked in self.asked or asked.target.endswith("/probe")
                if asked.began.is_set() and not known:
                    self.asked.append(asked)
                    self.seen.set()
            if asked.header("upgrade") == "websocket":
                await self._websocket(asked.target, reader, writer)
            elif asked.whole.is_set():
                head, last = self.answer, b""
                if self.slow:
                    head, _, last = self.answer.rpartition(b"|")
                writer.write(head)
                await writer.drain()
                if self.slow:
                    gone = asyncio.ensure_future(reader.read(1))
                    go = asyncio.ensure_future(self.go.wait())
                    await asyncio.wait({gone, go}, return_when=asyncio.FIRST_COMPLETED)
                    if gone.done():
                        self.left.set()
                    gone.cancel()
                    go.cancel()
                    writer.write(last)
        except ConnectionError:
            pass
        finally:
            writer.close()

    async def _websocket(
        self, target: str, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        if target.endswith("/no"):
            writer.write(
                b"HTTP/1.1 403 No\r\nlocation: /login\r\nset-cookie: a=1; Path=/\r\n"
                b"content-type: text/x\r\nx-request-id: own\r\ntransfer-encoding: chunked\r\n\r\n"
                b"6\r\nnot so\r\n0\r\n\r\n"
            )
            return
        writer.write(
            b"HTTP/1.1 101 Switching Protocols\r\nupgrade: websocket\r\nconnection: upgrade\r\n"
            b"sec-websocket-accept: yes\r\n\r\nhello"
        )
        if target.endswith("/bye"):
            return
        while data := await reader.read(65536):
            writer.write(data)
            await writer.drain()
        self.left.set()


class _Into:
    def __init__(self, asked: Asked) -> None:
        self._asked = asked

    def on_url(self, url: bytes) -> None:
        self._asked.target = url.decode()

    def on_header(self, name: bytes, value: bytes) -> None:
        self._asked.headers.append((name.decode().lower(), value.decode()))

    def on_headers_complete(self) -> None:
        self._asked.began.set()

    def on_body(self, data: bytes) -> None:
        self._asked.pieces.append(data)

    def on_message_complete(self) -> None:
        self._asked.whole.set()
