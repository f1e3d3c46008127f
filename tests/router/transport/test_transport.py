"""The transport against a provider that misbehaves in every way we know of."""

from __future__ import annotations

import asyncio
import gzip
import socket
import zlib
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from router.errors import UpstreamError
from router.settings import Secret, Timeouts
from router.transport import Response, Transport
from router.transport.response import HIGH_WATER
from router.transport.wire import RACE
from tests.fakes.certificate import contexts
from tests.fakes.upstream import Behaviour, FakeUpstream

PATIENT = Timeouts(connect=5, first_byte=5, idle=5, total=10)
CHAT = b'{"model": "m", "messages": [{"role": "user", "content": "hello there"}]}'
STREAM = CHAT.replace(b'"m"', b'"m", "stream": true')


@pytest.fixture
async def transport() -> AsyncIterator[Transport]:
    made = Transport()
    yield made
    await made.close()
    assert made.open == 0


async def post(
    transport: Transport,
    upstream: FakeUpstream,
    body: bytes = CHAT,
    timeouts: Timeouts = PATIENT,
    path: str = "/v1/chat/completions",
    headers: tuple[tuple[str, str], ...] = (),
) -> Response:
    url = upstream.url(path)
    return await transport.send("POST", url, headers, body, timeouts=timeouts, provider="fake")


async def whole(response: Response) -> bytes:
    pieces = []
    while data := await response.read():
        pieces.append(data)
    return b"".join(pieces)


async def error_of(response: Response) -> UpstreamError:
    with pytest.raises(UpstreamError) as caught:
        await whole(response)
    return caught.value


@pytest.mark.parametrize("framing", ["length", "chunked", "close"])
@pytest.mark.parametrize("split", [None, 1, 7])
@pytest.mark.parametrize("body", [CHAT, STREAM])
async def test_every_framing_and_split_gives_the_same_bytes(
    transport: Transport, upstream: FakeUpstream, framing: Any, split: int | None, body: bytes
) -> None:
    upstream.then(Behaviour(framing="length"), Behaviour(framing=framing, split=split))
    expected = await (await post(transport, upstream, body)).body(10**6)
    answer = await post(transport, upstream, body, headers=(("X-Key", Secret("s3cret")),))
    assert answer.status == 200
    assert await whole(answer) == expected
    assert b"eight" in expected
    assert await answer.read() == b""
    seen = upstream.requests[1]
    assert seen.body == body
    assert seen.headers["x-key"] == "s3cret"
    assert seen.headers["accept-encoding"] == "identity"
    assert seen.headers["host"] == f"127.0.0.1:{upstream.port}"


async def test_a_connection_is_used_again_and_not_shared(
    transport: Transport, upstream: FakeUpstream
) -> None:
    for _ in range(3):
        await (await post(transport, upstream)).body(10**6)
    assert upstream.connections == 1
    upstream.then(Behaviour(stall="first"))
    stalled = await post(transport, upstream)
    await (await post(transport, upstream)).body(10**6)
    assert upstream.connections == 2
    upstream.release.set()
    assert await stalled.body(10**6)
    assert transport.open == 2


@pytest.mark.parametrize(
    ("stall", "timeouts", "words"),
    [
        ("headers", Timeouts(first_byte=0.05), "did not answer within 0.05 s"),
        ("first", Timeouts(idle=0.05), "fell silent for 0.05 s"),
        ("middle", Timeouts(idle=0.05), "fell silent for 0.05 s"),
        ("headers", Timeouts(total=0.05), "took longer than 0.05 s in all"),
        ("middle", Timeouts(total=0.05), "took longer than 0.05 s in all"),
    ],
)
async def test_each_deadline_ends_a_stall(
    transport: Transport, upstream: FakeUpstream, stall: Any, timeouts: Timeouts, words: str
) -> None:
    upstream.default = Behaviour(stall=stall)
    with pytest.raises(UpstreamError, match=words) as caught:
        await whole(await post(transport, upstream, STREAM, timeouts))
    assert (caught.value.kind, caught.value.status) == ("timeout", 504)
    assert caught.value.provider == "fake"
    await upstream.requests[0].closed.wait()
    assert len(upstream.requests) == 1  # a deadline is never a reason to send again


async def test_a_drip_is_ended_by_the_total_deadline_alone(
    transport: Transport, upstream: FakeUpstream
) -> None:
    upstream.default = Behaviour(drip=0.02, split=20)
    answer = await post(transport, upstream, STREAM, Timeouts(idle=5, total=0.2))
    assert "in all" in (await error_of(answer)).message


async def test_a_deadline_passes_while_nobody_reads(
    transport: Transport, upstream: FakeUpstream
) -> None:
    upstream.default = Behaviour(stall="middle")
    answer = await post(transport, upstream, STREAM, Timeouts(total=0.05))
    await upstream.requests[0].closed.wait()
    assert (await error_of(answer)).kind == "timeout"


async def test_silence_is_told_and_the_answer_goes_on(
    transport: Transport, upstream: FakeUpstream
) -> None:
    upstream.default = Behaviour(stall="middle")
    answer = await post(transport, upstream, STREAM)
    before = b""
    while (data := await answer.read(wait=0.03)) is not None:
        before += data
    assert await answer.read(wait=0.01) is None
    upstream.release.set()
    after = await whole(answer)
    assert b"one " in before
    assert after.endswith(b"data: [DONE]\n\n")


async def test_waiting_in_steps_does_not_put_off_the_idle_deadline(
    transport: Transport, upstream: FakeUpstream
) -> None:
    upstream.default = Behaviour(stall="middle")
    answer = await post(transport, upstream, STREAM, Timeouts(idle=0.1))
    silences = 0

    async def in_steps() -> None:
        nonlocal silences
        while (data := await answer.read(wait=0.02)) is None or data:
            silences += data is None

    with pytest.raises(UpstreamError, match="fell silent"):
        await in_steps()
    assert 1 <= silences <= 5


@pytest.mark.parametrize("cut", ["headers", "first", "middle"])
@pytest.mark.parametrize("framing", ["length", "chunked"])
@pytest.mark.parametrize("reset", [False, True])
async def test_a_cut_is_an_error_after_what_arrived(
    transport: Transport, upstream: FakeUpstream, cut: Any, framing: Any, reset: bool
) -> None:
    upstream.default = Behaviour(cut=cut, framing=framing, reset=reset)
    with pytest.raises(UpstreamError) as caught:
        await whole(await post(transport, upstream, STREAM))
    assert (caught.value.kind, caught.value.status) == ("upstream", 502)
    assert len(upstream.requests) == 1  # it was a fresh connection


async def test_a_stale_connection_is_replaced_once(
    transport: Transport, upstream: FakeUpstream
) -> None:
    await (await post(transport, upstream)).body(10**6)
    upstream.then(Behaviour(cut="headers"))
    assert await (await post(transport, upstream)).body(10**6)
    assert [seen.connection for seen in upstream.requests] == [1, 1, 2]
    # the fresh one fails too: no third try
    upstream.then(Behaviour(cut="headers"), Behaviour(cut="headers"), Behaviour())
    with pytest.raises(UpstreamError, match="without an answer"):
        await post(transport, upstream)
    assert len(upstream.requests) == 5


async def test_a_connection_closed_while_idle_is_not_used(
    transport: Transport, upstream: FakeUpstream
) -> None:
    upstream.then(Behaviour(close_after=True))
    await (await post(transport, upstream)).body(10**6)
    await upstream.requests[0].closed.wait()
    assert await (await post(transport, upstream)).body(10**6)
    assert [seen.connection for seen in upstream.requests] == [1, 2]


async def test_a_deadline_on_a_used_connection_is_no_reason_to_send_again(
    transport: Transport, upstream: FakeUpstream
) -> None:
    await (await post(transport, upstream)).body(10**6)
    upstream.then(Behaviour(stall="headers"))
    with pytest.raises(UpstreamError, match="did not answer"):
        await post(transport, upstream, timeouts=Timeouts(first_byte=0.05))
    assert len(upstream.requests) == 2


EVIL = b"HTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil"


@pytest.mark.parametrize("unasked", [EVIL, b"garbage", b"\r\n"])
async def test_what_nobody_asked_for_never_becomes_an_answer(
    transport: Transport, upstream: FakeUpstream, unasked: bytes
) -> None:
    whole_answer = b"HTTP/1.1 200 OK\r\ncontent-length: 2\r\n\r\nok"
    # in the same packet as an answer, on a connection that stays open…
    upstream.then(Behaviour(raw=whole_answer + unasked, raw_open=True))
    assert await whole(await post(transport, upstream)) == b"ok"
    # …and later, while the connection is idle
    upstream.then(Behaviour(unasked=unasked))
    assert b"eight" in await whole(await post(transport, upstream))
    upstream.release.set()
    await upstream.requests[1].closed.wait()
    assert b"eight" in await whole(await post(transport, upstream))
    numbers = [seen.connection for seen in upstream.requests]
    assert numbers == ([1, 2, 3] if unasked != b"\r\n" else [1, 1, 2])


OK = b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize(
    ("raw", "expected"),
    [
        (b"HTTP/1.1 100 Continue\r\n\r\n" + OK + b"content-length: 2\r\n\r\nok", b"ok"),
        (
            b"HTTP/1.1 103 Early Hints\r\nlink: x\r\n\r\n" + OK + b"content-length: 2\r\n\r\nok",
            b"ok",
        ),
        (OK + b"content-length: 0\r\n\r\n", b""),
        (b"HTTP/1.1 204 No Content\r\n\r\n", b""),
        (b"HTTP/1.0 200 OK\r\n\r\nuntil the end", b"until the end"),
        # what follows a whole answer belongs to nobody
        (
            OK + b"content-length: 2\r\n\r\nokHTTP/1.1 200 OK\r\ncontent-length: 4\r\n\r\nevil",
            b"ok",
        ),
        (OK + b"content-length: 2\r\n\r\nok garbage", b"ok"),
        (b"SSH-2.0-OpenSSH_9\r\n", None),
        (b"HTTP/1.1 101 Switching Protocols\r\nupgrade: x\r\nconnection: upgrade\r\n\r\n", None),
        (OK + b"transfer-encoding: chunked\r\n\r\nzz\r\n", None),
        (OK + b"content-length: 2\r\ntransfer-encoding: chunked\r\n\r\n0\r\n\r\n", None),
        (OK + b"content-encoding: br\r\ncontent-length: 2\r\n\r\nok", None),
        (OK + b"x: " + b"y" * 200_000, None),
        (b"", None),
        (b"HTTP/1.1 100 Continue\r\n\r\n" * 20_000, None),
        (OK + b"transfer-encoding: chunked\r\n\r\n1\r\na\r\n0\r\nx: " + b"y" * 400_000, None),
    ],
    ids=range(16),
)
async def test_odd_answers(
    transport: Transport, upstream: FakeUpstream, raw: bytes, expected: bytes | None
) -> None:
    upstream.then(Behaviour(raw=raw))
    if expected is None:
        with pytest.raises(UpstreamError) as caught:
            await whole(await post(transport, upstream))
        assert caught.value.kind == "upstream"
    else:
        assert await whole(await post(transport, upstream)) == expected
    assert b"eight" in await (await post(transport, upstream)).body(10**6)


def raw_deflate(data: bytes) -> bytes:
    packer = zlib.compressobj(wbits=-15)
    return packer.compress(data) + packer.flush()


PLAIN = b"to be or not to be " * 100


@pytest.mark.parametrize(
    ("coding", "body", "expected"),
    [
        ("gzip", gzip.compress(PLAIN), PLAIN),
        ("gzip", gzip.compress(PLAIN) + gzip.compress(b"more"), PLAIN + b"more"),
        ("deflate", zlib.compress(PLAIN), PLAIN),
        ("deflate", raw_deflate(PLAIN), PLAIN),
        ("gzip", gzip.compress(PLAIN)[:-30], None),
        ("gzip", b"not gzip at all", None),
        ("gzip", b"", None),
    ],
    ids=["gzip", "two members", "deflate", "deflate without wrapper", "cut", "not gzip", "empty"],
)
@pytest.mark.parametrize("split", [None, 1])
async def test_a_compressed_answer(
    transport: Transport,
    upstream: FakeUpstream,
    coding: str,
    body: bytes,
    expected: bytes | None,
    split: int | None,
) -> None:
    upstream.then(Behaviour(headers={"content-encoding": coding}, body=body, split=split))
    answer = await post(transport, upstream)
    assert "content-encoding" not in answer.headers
    assert "content-length" not in answer.headers
    if expected is None:
        assert (await error_of(answer)).kind == "upstream"
    else:
        assert await whole(answer) == expected


async def test_a_bomb_is_handed_out_in_small_pieces(
    transport: Transport, upstream: FakeUpstream
) -> None:
    bomb = gzip.compress(bytes(50_000_000))
    upstream.default = Behaviour(headers={"content-encoding": "gzip"}, body=bomb)
    answer = await post(transport, upstream)
    sizes = [len(await answer.read() or b"") for _ in range(5)]
    assert max(sizes) <= 2**20
    answer.abort()
    with pytest.raises(UpstreamError, match="more than 1000 bytes"):
        await (await post(transport, upstream)).body(1000)


async def test_T13_a_slow_reader_stops_the_provider(
    transport: Transport, upstream: FakeUpstream
) -> None:
    big = bytes(64 * 2**20)
    upstream.default = Behaviour(body=big, split=2**16)
    answer = await post(transport, upstream)
    held = 0
    for _ in range(200):  # the loop turns, nobody reads
        await asyncio.sleep(0)
        held = max(held, answer._size)
    assert not upstream.requests[0].done.is_set()
    assert held <= 2 * HIGH_WATER
    assert await whole(answer) == big


async def test_T09_leaving_closes_the_upstream(
    transport: Transport, upstream: FakeUpstream
) -> None:
    upstream.default = Behaviour(stall="middle")
    left = await post(transport, upstream, STREAM)
    left.abort()
    left.abort()
    await asyncio.wait_for(upstream.requests[0].closed.wait(), 5)
    assert (await error_of(left)).kind == "cancelled"

    answer = await post(transport, upstream, STREAM)
    reading = asyncio.create_task(whole(answer))
    await asyncio.sleep(0)
    reading.cancel()
    await asyncio.wait_for(upstream.requests[1].closed.wait(), 5)

    upstream.default = Behaviour(stall="headers")
    sending = asyncio.create_task(post(transport, upstream))
    await upstream.arrived(3)
    sending.cancel()
    await asyncio.wait_for(upstream.requests[2].closed.wait(), 5)
    await asyncio.gather(reading, sending, return_exceptions=True)
    assert reading.cancelled()
    assert sending.cancelled()


async def test_abort_after_the_end_leaves_the_connection_to_its_next_user(
    transport: Transport, upstream: FakeUpstream
) -> None:
    first = await post(transport, upstream)
    await first.body(10**6)
    upstream.then(Behaviour(stall="middle"))
    second = await post(transport, upstream)
    first.abort()
    upstream.release.set()
    assert b"eight" in await second.body(10**6)
    assert upstream.connections == 1


async def test_nothing_listens(transport: Transport, upstream: FakeUpstream) -> None:
    url = "http://127.0.0.1:1/v1"
    with pytest.raises(UpstreamError, match="connection refused") as caught:
        await transport.send("POST", url, (), b"", timeouts=PATIENT, provider="fake")
    assert (caught.value.kind, caught.value.status) == ("connect", 502)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("x-a", "1\r\nx-evil: 1"),
        ("x-a", "1\nx-evil: 1"),
        ("x-a", "1\rx-evil: 1"),
        ("x-a", "1\0"),
        ("x-a\r\nx-evil", "1"),
        ("x a", "1"),
        ("", "1"),
        ("x-a", "✓"),
    ],
)
async def test_a_header_cannot_break_the_lines(
    transport: Transport, upstream: FakeUpstream, name: str, value: str
) -> None:
    with pytest.raises(UpstreamError) as caught:
        await post(transport, upstream, headers=((name, value),))
    assert caught.value.kind == "connect"
    assert upstream.requests == []


async def test_framing_headers_are_ours_and_repeated_ones_are_joined(
    transport: Transport, upstream: FakeUpstream
) -> None:
    raw = OK + b"content-length: 2\r\nX-A: 1\r\nx-a: 2\r\n\r\nok"
    upstream.then(Behaviour(raw=raw))
    given = (("Content-Length", "0"), ("Host", "evil"), ("Transfer-Encoding", "chunked"))
    answer = await post(transport, upstream, headers=given)
    assert answer.headers["x-a"] == "1, 2"
    seen = upstream.requests[0]
    assert seen.body == CHAT
    assert [n for n, _ in seen.raw_headers] == ["host", "accept-encoding", "content-length"]
    await whole(answer)


async def test_a_header_is_sent_once_however_its_name_is_written(
    transport: Transport, upstream: FakeUpstream
) -> None:
    ours, operators = ("user-agent", "pointsman"), ("User-Agent", "acct-7")
    await whole(await post(transport, upstream, headers=(ours, operators)))
    told = upstream.requests[0].raw_headers
    assert [pair for pair in told if pair[0].lower() == ours[0]] == [(ours[0], operators[1])]


async def test_tls(upstream: FakeUpstream, tmp_path: Path) -> None:
    server, client = contexts(tmp_path)
    async with FakeUpstream(tls=server) as secured:
        trusting = Transport(tls=client)
        assert b"eight" in await (await post(trusting, secured, STREAM)).body(10**6)
        assert await (await post(trusting, secured)).body(10**6)
        assert secured.connections == 1
        await trusting.close()
        assert "not trusted (self-signed" in await unreached(Transport(), secured)


@pytest.mark.parametrize(
    ("kind", "signed", "whole"),
    [
        ("audio/mpeg", True, True),
        ("audio/mpeg", False, False),
        # whether something is missing shows in the text itself
        ("application/json", False, True),
        ("text/event-stream", False, True),
    ],
)
async def test_tls_that_ends_beneath_an_answer_of_unknown_length(
    tmp_path: Path, kind: str, signed: bool, whole: bool
) -> None:
    server, client = contexts(tmp_path)
    listening = socket.create_server(("127.0.0.1", 0))

    def serve() -> None:
        with server.wrap_socket(listening.accept()[0], server_side=True) as secured:
            secured.recv(9_999)
            secured.sendall(f"HTTP/1.1 200 OK\r\ncontent-type: {kind}\r\n\r\n{{}}".encode())
            if signed:
                secured.unwrap()

    serving = asyncio.create_task(asyncio.to_thread(serve))
    trusting = Transport(tls=client)
    url = f"https://127.0.0.1:{listening.getsockname()[1]}/"
    answer = await trusting.send("POST", url, (), b"{}", timeouts=PATIENT, provider="p")
    if whole:
        assert await answer.body(100) == b"{}"
    else:
        with pytest.raises(UpstreamError, match="cut its answer short"):
            await answer.body(100)
    await serving
    listening.close()
    await trusting.close()


@pytest.mark.parametrize(
    ("made", "words"),
    [
        ({"days": -1}, "its certificate is not trusted (certificate has expired)"),
        ({"address": "127.0.0.2"}, "its certificate is not trusted (IP address mismatch"),
    ],
)
async def test_a_certificate_that_does_not_hold(
    tmp_path: Path, made: dict[str, Any], words: str
) -> None:
    server, client = contexts(tmp_path, **made)
    async with FakeUpstream(tls=server) as secured:
        assert words in await unreached(Transport(tls=client), secured)


async def unreached(transport: Transport, upstream: FakeUpstream) -> str:
    """What is said of a provider to which there is no way."""
    with pytest.raises(UpstreamError) as caught:
        await post(transport, upstream, timeouts=Timeouts(connect=0.1))
    assert caught.value.kind == "connect"
    assert transport.open == 0
    await transport.close()
    return caught.value.message


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (b"HTTP/1.1 400 Bad Request\r\ncontent-length: 0\r\n\r\n", "it does not speak TLS"),
        (b"\x16\x03\x03\x00\x7a\x02\x00\x00\x76\x03\x03", "within 0.1 s"),  # half a handshake
        (None, "it closed the connection as soon as it was open"),
    ],
    ids=["http", "stalls", "closes"],
)
async def test_a_handshake_that_fails(tmp_path: Path, answer: bytes | None, words: str) -> None:
    _, client = contexts(tmp_path)
    over = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read(1)
        if answer is not None:
            writer.write(answer)
            await over.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    secured = FakeUpstream(tls=contexts(tmp_path)[0])  # an https:// address, of the server's port
    secured.port = server.sockets[0].getsockname()[1]
    assert words in await unreached(Transport(tls=client), secured)
    over.set()
    server.close()


async def test_a_provider_that_speaks_tls_where_it_is_not_asked_to(
    transport: Transport, upstream: FakeUpstream
) -> None:
    upstream.then(Behaviour(raw=b"\x15\x03\x01\x00\x02\x02\x46"))
    with pytest.raises(UpstreamError, match="speaks TLS: its address should begin with https://"):
        await post(transport, upstream)


@pytest.mark.long
async def test_a_request_that_a_provider_had_for_long_is_not_sent_again(
    transport: Transport, upstream: FakeUpstream
) -> None:
    """It may have been answered, and billed, before its connection broke."""
    await (await post(transport, upstream)).body(10**6)
    upstream.then(Behaviour(stall="headers", cut="headers"))
    sending = asyncio.create_task(post(transport, upstream))
    await upstream.arrived(2)
    await asyncio.sleep(RACE)
    upstream.release.set()
    with pytest.raises(UpstreamError, match="without an answer"):
        await sending
    assert len(upstream.requests) == 2


async def test_closing_ends_what_is_under_way(upstream: FakeUpstream) -> None:
    transport = Transport()
    upstream.default = Behaviour(stall="headers")
    sending = asyncio.create_task(post(transport, upstream))
    await upstream.arrived(1)
    await transport.close()
    with pytest.raises(UpstreamError, match="stopping"):
        await sending
    await upstream.requests[0].closed.wait()
