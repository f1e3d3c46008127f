"""A client that ends its own side: one that reads on is answered, one that has gone is noticed."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator

import pytest

from router.asgi import Receive, Scope, Send
from router.edge import Edge, bind
from router.settings import Limits

HOST = b"Host: localhost\r\n"
ASKED = b"HTTP/1.1 100 Continue\r\n\r\n"
BODY = HOST + b"Content-Length: 2\r\n\r\nhi"
GET, POST = b"GET / HTTP/1.1\r\n" + HOST + b"\r\n", b"POST / HTTP/1.1\r\n" + BODY
GET_HELD, POST_HELD = (each.replace(b"/ ", b"/held ") for each in (GET, POST))
OLD_HELD = POST_HELD.replace(b"1.1", b"1.0")


class App:
    """Answers at once, or, below /held, when it is told to; /begun begins before that."""

    def __init__(self) -> None:
        self.asked: asyncio.Queue[None] = asyncio.Queue()
        self.go = asyncio.Event()
        self.left = 0
        self.leaving: asyncio.Queue[None] = asyncio.Queue()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        scope["leaving"].then(self._left)
        head = {"type": "http.response.start", "status": 200, "headers": []}
        if scope["path"] == "/begun":
            await send(head)
            await send({"type": "http.response.body", "body": b"a piece", "more_body": True})
        self.asked.put_nowait(None)
        if scope["path"] != "/":
            await self.go.wait()
        if scope["path"] != "/begun":
            await send(head)
        await send({"type": "http.response.body", "body": b"an answer"})

    def _left(self) -> None:
        self.left += 1
        self.leaving.put_nowait(None)


@contextlib.asynccontextmanager
async def serving() -> AsyncIterator[tuple[App, int]]:
    app, sock, limits = App(), bind("127.0.0.1", 0), Limits()
    edge = Edge(app, [sock], limits)
    await edge.start()
    try:
        yield app, sock.getsockname()[1]
    finally:
        app.go.set()
        await edge.drain(5)
    assert (edge.connections, edge.running) == (0, 0)


@pytest.mark.parametrize(
    "raw", [GET, GET.replace(b"1.1", b"1.0"), POST, GET * 2], ids=["get", "1.0", "post", "two"]
)
async def test_a_client_that_has_done_with_sending_is_answered(raw: bytes) -> None:
    async with serving() as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        writer.write_eof()
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert answer.endswith(b"an answer" if b"1.0" in raw else b"an answer\r\n0\r\n\r\n")
        writer.close()
        assert not app.left


@pytest.mark.parametrize("raw", [POST_HELD, GET_HELD], ids=["post", "get"])
async def test_so_is_one_whose_answer_takes_long(raw: bytes) -> None:
    async with serving() as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(raw)
        writer.write_eof()
        if raw is POST_HELD:  # asked twice whether it is there, which HTTP lets it pass over
            assert await reader.readexactly(2 * len(ASKED)) == ASKED * 2
        else:
            await app.asked.get()
        app.go.set()
        answer = await reader.read()
        assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
        assert b"\r\nconnection: close\r\n" in answer
        assert answer.endswith(b"an answer\r\n0\r\n\r\n")
        writer.close()
        assert not app.left


async def forward(port: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    """As docker-proxy and `ssh -L` do: the end of one side's words is told to the other, and a
    failure to write ends both."""
    up_reader, up_writer = await asyncio.open_connection("127.0.0.1", port)

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while data := await source.read(65536):
            target.write(data)
            await target.drain()
        target.write_eof()

    try:
        async with asyncio.TaskGroup() as both:
            both.create_task(copy(reader, up_writer))
            both.create_task(copy(up_reader, writer))
    except* OSError:
        pass
    finally:
        up_writer.close()
        writer.close()


@contextlib.asynccontextmanager
async def forwarding(port: int) -> AsyncIterator[int]:
    async with asyncio.TaskGroup() as tasks:

        def take(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            tasks.create_task(forward(port, reader, writer))

        server = await asyncio.start_server(take, "127.0.0.1", 0)
        yield server.sockets[0].getsockname()[1]
        server.close()


@pytest.mark.parametrize("through", [False, True], ids=["direct", "forwarded"])
async def test_one_that_has_gone_is_noticed_while_its_answer_is_awaited(through: bool) -> None:
    async with serving() as (app, port), contextlib.AsyncExitStack() as stack:
        reached = await stack.enter_async_context(forwarding(port)) if through else port
        held = (POST_HELD, GET_HELD, OLD_HELD)
        for raw in held:
            _, writer = await asyncio.open_connection("127.0.0.1", reached)
            writer.write(raw)
            await app.asked.get()
            writer.close()
        for _ in held:
            await app.leaving.get()


async def test_one_that_ends_its_side_while_it_reads_has_gone() -> None:
    async with serving() as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST.replace(b"/ ", b"/begun "))
        await reader.readuntil(b"a piece")
        writer.write_eof()
        await app.leaving.get()
        writer.close()
