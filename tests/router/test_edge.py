"""Listening, and what a connection must do before it is a request."""

from __future__ import annotations

import asyncio
import contextlib
import os
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest

from router.asgi import Receive, Scope, Send
from router.call import Call
from router.edge import Edge, PortTakenError, bind, bind_unix
from router.guards.body import ClientGoneError, read_body
from router.guards.connection import RATE, GuardedProtocol
from router.guards.room import ROOM
from router.process.descriptors import RESERVED, clients
from router.settings import Limits
from tests.fakes.raw import status, talk
from tests.waiting import until

SMALL = Limits(header_bytes=2000, header_seconds=0.1, body_bytes=1000, body_seconds=0.1)
PATIENT = Limits(header_bytes=2000, header_seconds=5, body_bytes=1000, body_seconds=5)


class App:
    """Answers with the body it was sent; keeps every scope."""

    def __init__(self, limits: Limits) -> None:
        self.limits = limits
        self.scopes: list[Scope] = []
        self.gone = asyncio.Event()
        self.hold = asyncio.Event()
        self.holding = asyncio.Event()
        self.holdings = 0
        self.cancelled = False
        self.refused: list[tuple[int, str, str]] = []
        #: instead of the body it was sent
        self.answer = b""
        self.connections: Callable[[], int] = lambda: 0

    def turned(self, status: int, words: str, asked: str) -> str:
        self.refused.append((status, words, asked))
        return "req_1"

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        self.scopes.append(scope)
        try:
            early = scope["path"] == "/early"
            body = b"no" if early else await read_body(Call(scope, receive, send, ""), self.limits)
            if scope["path"] == "/hold":
                self.holdings += 1
                self.holding.set()
                await self.hold.wait()
        except ClientGoneError:
            self.gone.set()
            return
        except asyncio.CancelledError:
            self.cancelled = True
            raise
        body = self.answer or body
        length = (b"content-length", b"%d" % len(body))
        await send({"type": "http.response.start", "status": 200, "headers": [length]})
        await send({"type": "http.response.body", "body": body})


@contextlib.asynccontextmanager
async def serving(limits: Limits = PATIENT) -> AsyncIterator[tuple[App, int]]:
    app = App(limits)
    sock = bind("127.0.0.1", 0)
    edge = Edge(app, [sock], limits, app.turned)
    port: int = sock.getsockname()[1]
    app.connections = lambda: edge.connections
    await edge.start()
    try:
        yield app, port
    finally:
        app.hold.set()
        await edge.drain(5)
    assert (edge.connections, edge.running) == (0, 0)


HOST = b"Host: localhost\r\n"
CLOSE = b"Connection: close\r\n"
EXPECT = b"Expect: 100-continue\r\n"
POST = b"POST / HTTP/1.1\r\n" + HOST
CHUNKED = b"Transfer-Encoding: chunked\r\n"

REFUSED = {
    "no host": b"GET / HTTP/1.1\r\n\r\n",
    "two hosts": b"GET / HTTP/1.1\r\n" + HOST + b"Host: evil\r\n\r\n",
    "two hosts in 1.0": b"GET / HTTP/1.0\r\n" + HOST + b"Host: evil\r\n\r\n",
    "length and coding": POST + CHUNKED + b"Content-Length: 3\r\n\r\n0\r\n\r\n",
    "coding and length": POST + b"Content-Length: 3\r\n" + CHUNKED + b"\r\n0\r\n\r\n",
    "two lengths": POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc",
    "the same length twice": POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc",
    "signed length": POST + b"Content-Length: +3\r\n\r\nabc",
    "negative length": POST + b"Content-Length: -3\r\n\r\nabc",
    "hex length": POST + b"Content-Length: 0x3\r\n\r\nabc",
    "list of lengths": POST + b"Content-Length: 3, 3\r\n\r\nabc",
    "huge length": POST + b"Content-Length: 99999999999999999999\r\n\r\n",
    "unknown coding": POST + b"Transfer-Encoding: xchunked\r\n\r\n0\r\n\r\n",
    "identity": POST + b"Transfer-Encoding: identity\r\n\r\nabc",
    "coding after chunked": POST + b"Transfer-Encoding: chunked, gzip\r\n\r\n0\r\n\r\n",
    "coding before chunked": POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n",
    "chunked twice": POST + CHUNKED + CHUNKED + b"\r\n0\r\n\r\n",
    "chunked in 1.0": b"POST / HTTP/1.0\r\n" + HOST + CHUNKED + b"\r\n0\r\n\r\n",
    "coding with a tab": POST + b"Transfer-Encoding: \x0bchunked\r\n\r\n0\r\n\r\n",
    "chunk of no size": POST + CHUNKED + b"\r\nzz\r\nabc\r\n0\r\n\r\n",
    "chunk of negative size": POST + CHUNKED + b"\r\n-3\r\nabc\r\n0\r\n\r\n",
    "chunk too big to count": POST + CHUNKED + b"\r\nfffffffffffffffff\r\n",
    "chunk longer than said": POST + CHUNKED + b"\r\n3\r\nabcdef\r\n0\r\n\r\n",
    "chunk ended by a bare LF": POST + CHUNKED + b"\r\n3\nabc\r\n0\r\n\r\n",
    "underscore": POST + b"Content_Length: 3\r\n\r\n",
    "space before the colon": POST + b"X : 1\r\n\r\n",
    "folded line": POST + b"X: 1\r\n 2\r\n\r\n",
    "folded first line": b"GET / HTTP/1.1\r\n Host: localhost\r\n\r\n",
    "NUL": POST + b"X: a\0b\r\n\r\n",
    "bare CR": POST + b"X: a\rY: b\r\n\r\n",
    "bare LF": POST + b"X: a\nY: b\r\n\r\n",
    "no colon": POST + b"nonsense\r\n\r\n",
    "empty name": POST + b": 1\r\n\r\n",
    "another host in the target": b"GET http://evil/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "another port in the target": b"GET http://localhost:1/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "another kind of target": b"GET ftp://localhost/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "no slash in the target": b"GET ?/ HTTP/1.1\r\n" + HOST + b"\r\n",
    "asterisk": b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n",
    "tunnel": b"CONNECT evil:80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "tunnel to a path": b"CONNECT / HTTP/1.1\r\n" + HOST + b"\r\n",
    "raw byte in the target": b"GET /\x80 HTTP/1.1\r\n" + HOST + b"\r\n",
    "HTTP/2": b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
    "HTTP/3.7": b"GET / HTTP/3.7\r\n" + HOST + b"\r\n",
    "TLS": b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03",
    "lower-case method": b"get / HTTP/1.1\r\n" + HOST + b"\r\n",
}


@pytest.mark.parametrize("raw", REFUSED.values(), ids=REFUSED)
@pytest.mark.parametrize("each", [False, True], ids=["at once", "byte by byte"])
async def test_what_is_not_one_clear_request_is_refused_once(raw: bytes, each: bool) -> None:
    async with serving() as (app, port):
        smuggled = raw + b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
        packets = [smuggled[i : i + 1] for i in range(len(raw))] if each else [smuggled]
        answer = await talk(port, *packets)
        assert status(answer) == 400
        assert answer.count(b"HTTP/1.1 ") == 1
        assert b"connection: close" in answer
        assert [status for status, _, _ in app.refused] == [400]
        assert b"\r\nx-request-id: req_1\r\nrequest-id: req_1\r\n" in answer
        assert all(scope["path"] == "/" for scope in app.scopes)
        if app.scopes:  # only a fault in the body is seen after the app was asked
            await app.gone.wait()


@pytest.mark.parametrize(
    ("raw", "body"),
    [
        (POST + CLOSE + b"Content-Length: 3\r\n\r\nabc", b"abc"),
        (POST + CLOSE + CHUNKED + b"\r\n3;x=y\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"abcde"),
        (POST + CLOSE + CHUNKED + b"\r\n1\r\na\r\n0\r\nX-Late: 1\r\nHost: evil\r\n\r\n", b"a"),
        (b"\r\n\r\n" + POST + CLOSE + b"Content-Length: 1\r\n\r\na", b"a"),
        # RFC 9112 3.2.2: a target may be a whole address
        (POST.replace(b" /", b" HTTP://LOCALHOST/") + CLOSE + b"Content-Length: 1\r\n\r\na", b"a"),
        (POST.replace(b" /", b" http://localhost") + CLOSE + b"Content-Length: 1\r\n\r\na", b"a"),
        # RFC 9110 10.1.1: who speaks 1.0 is not told to go on
        (b"POST / HTTP/1.0\r\n" + HOST + EXPECT + b"Content-Length: 1\r\n\r\na", b"a"),
        # an offer to upgrade is not taken up, and the body stays a body
        (
            POST
            + b"Connection: Upgrade, HTTP2-Settings, close\r\nUpgrade: h2c\r\n"
            + b"HTTP2-Settings: AAMAAABkAAQAAP__\r\nContent-Length: 3\r\n\r\nabc",
            b"abc",
        ),
        (
            POST + b"Connection: Upgrade, close\r\nUpgrade: h2c\r\n" + CHUNKED + b"\r\n"
            b"3\r\nabc\r\n0\r\n\r\n",
            b"abc",
        ),
    ],
    ids=[
        *("length", "chunked", "trailer", "empty lines", "whole address", "no path", "1.0"),
        *("h2c length", "h2c chunked"),
    ],
)
@pytest.mark.parametrize("each", [False, True], ids=["at once", "byte by byte"])
async def test_what_is_one_request_is_answered(raw: bytes, body: bytes, each: bool) -> None:
    async with serving() as (app, port):
        answer = await talk(port, *([raw[i : i + 1] for i in range(len(raw))] if each else [raw]))
        assert status(answer) == 200
        assert answer.endswith(b"\r\n\r\n" + body)
        names = [name for name, _ in app.scopes[0]["headers"]]
        assert names.count(b"host") == 1
        assert b"x-late" not in names
        assert b"upgrade" not in names
        assert app.scopes[0]["path"] == "/"
        assert app.scopes[0]["server"] == ("127.0.0.1", port)
        assert b"\r\ndate: " in answer
        assert b"\r\nserver: " not in answer


async def test_a_body_that_waits_to_be_asked_for_is_asked_for() -> None:
    async with serving() as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + CLOSE + EXPECT + b"Content-Length: 1\r\n\r\n")
        assert await reader.readuntil(b"\r\n\r\n") == b"HTTP/1.1 100 Continue\r\n\r\n"
        writer.write(b"a")
        answer = await reader.read(-1)
        assert status(answer) == 200
        assert answer.endswith(b"\r\n\r\na")
        writer.close()


@pytest.mark.parametrize("more", [b"", EXPECT], ids=["", "expect"])
async def test_what_is_answered_before_it_is_whole_is_the_last_of_its_connection(
    more: bytes,
) -> None:
    """A client that waits to be told to go on never sends the body: its next request is none."""
    async with serving() as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        smuggled = b"GET /smuggled HTTP/1.1\r\n" + HOST + b"\r\n"
        size = len(smuggled) * 2
        writer.write(POST.replace(b"/ ", b"/early ") + more + b"Content-Length: %d\r\n\r\n" % size)
        head = await reader.readuntil(b"\r\n\r\nno")
        assert status(head) == 200
        assert b"connection: close" in head
        # what it was sending is read to its end, so that no reset takes the answer away
        for _ in range(3):
            writer.write(smuggled)
            await writer.drain()
        assert await reader.read(-1) == b""
        assert [scope["path"] for scope in app.scopes] == ["/early"]
        writer.close()


async def test_a_pipelined_request_is_left_to_be_sent_again() -> None:
    async with serving() as (app, port):
        two = (POST + b"Content-Length: 1\r\n\r\na") * 2
        answer = await talk(port, two)
        assert answer.count(b"HTTP/1.1 200") == 1
        assert b"connection: close" in answer
        assert len(app.scopes) == 1


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"", b""),  # silent from the start: closed without a word
        (b"\r\n", b""),
        (b"GET / HTTP/1.1\r\nHost: local", b"HTTP/1.1 408 "),
        (b"GET /" + b"a" * 500, b"HTTP/1.1 408 "),
        (POST + b"Content-Length: 3\r\n\r\na", b"HTTP/1.1 408 "),
        (POST + CHUNKED + b"\r\n3\r\nab", b"HTTP/1.1 408 "),
    ],
)
async def test_what_comes_too_slowly_is_ended(raw: bytes, expected: bytes) -> None:
    async with serving(SMALL) as (app, port):
        answer = await talk(port, raw)
        assert answer.startswith(expected)
        assert bool(answer) == bool(expected)
        if app.scopes:
            await app.gone.wait()


async def test_dripping_does_not_put_off_the_deadline() -> None:
    async with serving(SMALL) as (_, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        answer = asyncio.create_task(reader.read(-1))
        writer.write(b"GET / HTTP/1.1\r\nX: ")
        while not answer.done():
            writer.write(b"a")
            await asyncio.wait([answer], timeout=0.01)
        writer.close()
        assert status(answer.result()) == 408


@pytest.mark.parametrize("more", [b"", CLOSE], ids=["kept", "closed"])
async def test_a_client_that_reads_nothing_is_cut(more: bytes) -> None:
    async with serving(Limits(unread_seconds=0.1)) as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        app.answer = b"a" * 16_000_000  # more than the system keeps for both sides
        writer.write(POST + more + b"\r\n")
        await until(lambda: bool(app.scopes))
        await until(lambda: not app.connections())
        with contextlib.suppress(ConnectionResetError):
            assert len(await reader.read(-1)) < len(app.answer)
        writer.close()


async def test_one_that_reads_slowly_is_not() -> None:
    async with serving(Limits(unread_seconds=0.2)) as (app, port):
        reader, writer = await asyncio.open_connection("127.0.0.1", port, limit=1000)
        app.answer = b"a" * 16_000_000
        writer.write(POST + CLOSE + b"\r\n")
        await reader.readuntil(b"\r\n\r\n")
        got = 0
        while piece := await reader.read(800_000):
            got += len(piece)
            await asyncio.sleep(0.01)
        assert got == len(app.answer)
        writer.close()


async def test_a_large_body_has_the_time_that_a_slow_line_needs() -> None:
    """But no more: one that drips is ended."""
    async with serving(Limits(body_seconds=0.3)) as (_, port):
        for size, expected in ((RATE // 10, 200), (1, 408)):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            answer = asyncio.create_task(reader.read(-1))
            writer.write(POST + CLOSE + b"Content-Length: %d\r\n\r\n" % (size * 10))
            for _ in range(10):
                writer.write(b"a" * size)
                await asyncio.wait([answer], timeout=0.05)
            assert status(await answer) == expected
            writer.close()


async def test_a_slow_request_after_a_good_one_is_ended_too() -> None:
    async with serving(SMALL) as (_, port):
        good = POST + b"Content-Length: 1\r\n\r\na"
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        for _ in range(2):
            writer.write(good)
            await reader.readuntil(b"\r\n\r\na")
        writer.write(POST)
        assert status(await reader.read(-1)) == 408
        writer.close()


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (POST + b"X: " + b"a" * 3000 + b"\r\n\r\n", 431),
        (POST + b"X: " + b"a" * 3000, 431),
        (b"GET /" + b"a" * 3000, 431),
        (b"GET /" + b"a" * 70_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 431),
        (b"GET / HTTP/2.0\r\n" + HOST + b"\r\n", 505),
        (POST + b"".join(b"X-%d: 1\r\n" % i for i in range(101)) + b"\r\n", 431),
        (POST + CLOSE + b"X: " + b"a" * 1500 + b"\r\n\r\n", 200),
    ],
)
@pytest.mark.parametrize("size", [10**6, 100])
async def test_headers_are_bounded(raw: bytes, expected: int, size: int) -> None:
    async with serving() as (_, port):
        packets = [raw[i : i + size] for i in range(0, len(raw), size)]
        assert status(await talk(port, *packets)) == expected


@pytest.mark.parametrize("trailer", [b"X: " + b"a" * 4000, b"X: 1\r\n" * 600])
async def test_trailers_are_bounded(trailer: bytes) -> None:
    """The parser keeps each line of them until it is whole."""
    async with serving() as (app, port):
        pieces = [trailer[i : i + 500] for i in range(0, len(trailer), 500)]
        answer = await talk(port, POST + CHUNKED + b"\r\n1\r\na\r\n0\r\n", *pieces)
        assert status(answer) == 431
        await app.gone.wait()
        # what has a body in many packets has no trailer
        body = b"3e7\r\n" + b"a" * 999 + b"\r\n0\r\nX: 1\r\n\r\n"
        pieces = [body[i : i + 50] for i in range(0, len(body), 50)]
        assert status(await talk(port, POST + CLOSE + CHUNKED + b"\r\n", *pieces)) == 200


async def test_connections_are_bounded_for_those_that_are_used() -> None:
    async with serving(Limits(connections=2)) as (app, port):
        held = [
            asyncio.create_task(talk(port, POST.replace(b"/ ", b"/hold ") + CLOSE + b"\r\n"))
            for _ in range(2)
        ]
        while app.holdings < len(held):
            await app.holding.wait()
            app.holding.clear()
        full = await talk(port)
        assert status(full) == 503
        assert b"\r\nretry-after: 1\r\n" in full
        assert b'"type": "overloaded_error"' in full
        app.hold.set()
        assert [status(each) for each in await asyncio.gather(*held)] == [200, 200]


async def test_a_connection_that_nobody_uses_makes_room_for_one_that_is() -> None:
    async with serving(Limits(connections=ROOM + 1)) as (_, port):
        readers, writers = [], []
        for _ in range(ROOM + 1):
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
            readers.append(reader)
            writers.append(writer)
        for reader, writer in zip(readers[:2], writers[:2], strict=True):
            await asyncio.sleep(0.003)  # uvloop's clock ticks in milliseconds
            writer.write(POST + b"Content-Length: 1\r\n\r\na")
            await reader.readuntil(b"\r\n\r\na")
        assert status(await talk(port, POST + CLOSE + b"Content-Length: 1\r\n\r\na")) == 200
        # the unused longest go first: of these, the last that was used stays
        for reader in (readers[0], *readers[2:]):
            assert await reader.read() == b""
        writers[1].write(POST + CLOSE + b"Content-Length: 1\r\n\r\nb")
        assert (await readers[1].read()).endswith(b"\r\n\r\nb")
        for writer in writers:
            writer.close()


async def test_a_client_that_leaves_mid_body_is_noticed() -> None:
    async with serving() as (app, port):
        _, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(POST + b"Content-Length: 10\r\n\r\nabc")
        await writer.drain()
        writer.close()
        await app.gone.wait()


async def test_a_body_that_goes_on_as_it_comes_need_not_end_only_move() -> None:
    app = App(PATIENT)
    sock = bind("127.0.0.1", 0)
    edge = Edge(app, [sock], PATIENT)
    await edge.start()
    reader, writer = await asyncio.open_connection("127.0.0.1", sock.getsockname()[1])
    writer.write(POST + b"Content-Length: 3\r\n\r\na")
    await until(lambda: bool(app.scopes))
    (connection,) = edge._state.connections
    assert isinstance(connection, GuardedProtocol)

    def late() -> None:
        connection._late_at = 0.0
        connection._check_time()

    app.scopes[0]["moved"] = True  # as a door says that sends it on
    late()
    assert app.scopes[0]["moved"] is False
    connection.flow.pause_reading()  # nothing moved, since we do not read
    late()
    connection.flow.resume_reading()
    assert not reader.at_eof()
    late()  # now it is the client's own silence
    assert b"fell silent for 5 s" in (answer := await reader.read(-1))
    assert status(answer) == 408
    await app.gone.wait()
    writer.close()
    await edge.drain(5)


async def test_an_answer_that_is_left_unfinished_only_ends(
    caplog: pytest.LogCaptureFixture,
) -> None:
    async def leaves(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"half", "more_body": True})
        if scope["path"] == "/fault":
            raise ValueError

    sock = bind("127.0.0.1", 0)
    edge = Edge(leaves, [sock], PATIENT)
    await edge.start()
    port = sock.getsockname()[1]
    for path, records in [(b"/", 0), (b"/fault", 1)]:
        answer = await talk(port, b"GET " + path + b" HTTP/1.1\r\n" + HOST + b"\r\n")
        assert answer.endswith(b"4\r\nhalf\r\n")
        assert len(caplog.records) == records
    await edge.drain(5)


async def test_who_speaks_1_0_gets_no_chunks() -> None:
    async def streams(scope: Scope, receive: Receive, send: Send) -> None:
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": b"on", "more_body": True})
        await send({"type": "http.response.body", "body": b"ward"})

    sock = bind("127.0.0.1", 0)
    edge = Edge(streams, [sock], PATIENT)
    await edge.start()
    port = sock.getsockname()[1]
    old = await talk(port, b"GET / HTTP/1.0\r\n" + HOST + b"\r\n")
    assert old.endswith(b"\r\n\r\nonward")
    assert b"connection: close" in old
    assert b"chunked" not in old
    new = await talk(port, b"GET / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert new.endswith(b"2\r\non\r\n4\r\nward\r\n0\r\n\r\n")
    await edge.drain(5)


@pytest.mark.parametrize("address", ["127.0.0.1", "::1"])
async def test_a_request_of_1_0_needs_no_host(address: str) -> None:
    async def names(scope: Scope, receive: Receive, send: Send) -> None:
        host = dict(scope["headers"])[b"host"]
        await send({"type": "http.response.start", "status": 200, "headers": []})
        await send({"type": "http.response.body", "body": host + b" " + scope["path"].encode()})

    sock = bind(address, 0)
    edge = Edge(names, [sock], PATIENT)
    await edge.start()
    reader, writer = await asyncio.open_connection(*sock.getsockname()[:2])
    writer.write(b"OPTIONS /livez HTTP/1.0\r\n\r\n")
    answer = await reader.read()
    writer.close()
    assert answer.endswith(
        b"\r\n\r\n[::1] /livez" if ":" in address else b"\r\n\r\n127.0.0.1 /livez"
    )
    await edge.drain(5)


async def test_draining_lets_a_request_end_and_takes_no_new_one() -> None:
    app = App(PATIENT)
    sock = bind("127.0.0.1", 0)
    port = sock.getsockname()[1]
    edge = Edge(app, [sock], PATIENT)
    await edge.start()
    _, idle = await asyncio.open_connection("127.0.0.1", port)
    held = asyncio.create_task(talk(port, b"GET /hold HTTP/1.1\r\n" + HOST + b"\r\n"))
    await app.holding.wait()
    draining = asyncio.create_task(edge.drain(5))
    await asyncio.sleep(0)
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    app.hold.set()
    assert status(await held) == 200
    assert await draining == 0
    idle.close()


async def test_draining_cuts_what_does_not_end() -> None:
    app = App(PATIENT)
    sock = bind("127.0.0.1", 0)
    edge = Edge(app, [sock], PATIENT)
    await edge.start()
    port = sock.getsockname()[1]
    held = asyncio.create_task(talk(port, b"GET /hold HTTP/1.1\r\n" + HOST + b"\r\n"))
    await app.holding.wait()
    assert await edge.drain(0.05) == 1
    assert app.cancelled
    await held
    assert (edge.connections, edge.running) == (0, 0)


def test_no_more_clients_than_there_are_descriptors_for() -> None:
    """An answer needs a second one, for its provider."""
    asked = "import resource; from router.process.descriptors import raised;"
    asked += "resource.setrlimit(resource.RLIMIT_NOFILE, (160, 300)); print(raised(), raised())"
    done = subprocess.run([sys.executable, "-c", asked], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["300", "300"]
    assert clients(300, 2048) == (300 - RESERVED) // 2
    assert clients(65_536, 2048) == 2048
    assert clients(8, 2048) == 1


async def test_several_sockets_tell_their_port() -> None:
    app = App(PATIENT)
    socks = [bind("127.0.0.1", 0) for _ in range(2)]
    edge = Edge(app, socks, PATIENT)
    await edge.start()
    ports = [sock.getsockname()[1] for sock in socks]
    for port in ports:
        await talk(port, b"GET / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert [scope["server"][1] for scope in app.scopes] == ports
    await edge.drain(1)


def test_a_taken_port_names_its_holder_and_the_flag() -> None:
    listens = "import socket; s = socket.create_server(('127.0.0.1', 0)); "
    holds = f"{listens}print(s.getsockname()[1], flush=True); input()"
    with subprocess.Popen(
        [sys.executable, "-c", holds, "router"], stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as other:
        assert other.stdout is not None
        port = int(other.stdout.readline())
        with pytest.raises(PortTakenError) as caught:
            bind("127.0.0.1", port, "--ccr-port")
        other.kill()
    assert (caught.value.port, caught.value.flag) == (port, "--ccr-port")
    assert f"pid {other.pid}" in caught.value.holder
    assert "Pointsman" not in caught.value.holder, "a router of another kind"
    assert str(port) in str(caught.value)
    assert "--ccr-port" in str(caught.value)
    with bind("127.0.0.1", 0) as first:
        port = first.getsockname()[1]
        with pytest.raises(PortTakenError, match=f"{port} is asked for twice: .* --ssh-port"):
            bind("127.0.0.1", port, "--ssh-port")


async def test_the_unix_socket_is_private_and_replaces_a_dead_one(tmp_path: Path) -> None:
    path = tmp_path / "control.sock"
    bind_unix(path).close()  # left behind
    before = os.umask(0)
    try:
        sock = bind_unix(path)
    finally:
        os.umask(before)
    assert stat.S_IMODE(path.stat().st_mode) == 0o600
    app = App(PATIENT)
    edge = Edge(app, [sock], PATIENT)
    await edge.start()
    reader, writer = await asyncio.open_unix_connection(str(path))
    writer.write(b"GET / HTTP/1.1\r\n" + HOST + CLOSE + b"\r\n")
    assert status(await reader.read(-1)) == 200
    writer.close()
    await edge.drain(1)
    assert not path.exists()
