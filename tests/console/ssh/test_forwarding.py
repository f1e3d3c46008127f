"""What may be opened beside sessions: tunnels to the router, and nothing else."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Callable

import asyncssh
import pytest

from console.ssh import limits
from tests.console.ssh.running import Front, run

Start = Callable[..., Front]


@pytest.fixture
async def ports() -> AsyncIterator[tuple[int, int]]:
    """Two small servers that say hello: the first plays the router."""

    async def hello(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"hello\n")
        await reader.read()
        writer.close()

    servers = [await asyncio.start_server(hello, "127.0.0.1", 0) for _ in range(2)]
    yield (servers[0].sockets[0].getsockname()[1], servers[1].sockets[0].getsockname()[1])
    for server in servers:
        server.close()
        await server.wait_closed()


async def test_only_the_router_can_be_reached(start: Start, ports: tuple[int, int]) -> None:
    router, other = ports
    front = await asyncio.to_thread(start, "--router-port", str(router))
    for target, reached in (
        (f"localhost:{router}", True),
        (f"127.0.0.1:{router}", True),
        (f"localhost:{other}", False),
        (f"127.0.0.2:{router}", False),
        (f"localhost:{front.port}", False),
    ):
        ran = await asyncio.to_thread(
            run, [*front.by_key("-o", "LogLevel=INFO", "-W", target), "localhost"]
        )
        assert (ran.stdout == b"hello\n") is reached, (target, ran)
        assert reached or b"administratively prohibited" in ran.stderr


def test_nothing_else_is_forwarded(front: Front) -> None:
    back = ("-R", "0:127.0.0.1:9", "-o", "ExitOnForwardFailure=yes")
    assert front.run("echo in", *back).returncode == 255
    agent = ["ssh-agent", *front.by_key("-A"), "localhost", "echo [$SSH_AUTH_SOCK]"]
    assert run(agent).stdout == b"[]\n"
    x11 = front.run("echo [$DISPLAY]", "-X")
    assert x11.stdout == b"[]\n"


async def test_sockets_and_sessions_beyond_the_limit_are_refused(front: Front) -> None:
    async with await front.connect() as connection:
        with pytest.raises(asyncssh.ChannelOpenError):
            await connection.open_unix_connection("/run/anything.sock")
        sessions = [await connection.create_process("cat") for _ in range(limits.SESSIONS)]
        with pytest.raises(asyncssh.ChannelOpenError, match="open on this connection already"):
            await connection.create_process("cat")
        sessions[0].stdin.write_eof()
        await sessions[0].wait_closed()
        with pytest.raises(asyncssh.ChannelOpenError):  # one round trip: the place is free now
            await connection.open_unix_connection("/run/anything.sock")
        again = await connection.create_process("cat")
        for each in (*sessions[1:], again):
            each.stdin.write_eof()
            await each.wait()


async def test_tunnels_are_bounded_and_their_places_come_back(
    start: Start, ports: tuple[int, int]
) -> None:
    front = await asyncio.to_thread(start, "--router-port", str(ports[0]))
    async with await front.connect() as connection:
        for _ in range(2):
            tunnels = [
                await connection.open_connection("localhost", ports[0])
                for _ in range(limits.TUNNELS)
            ]
            with pytest.raises(asyncssh.ChannelOpenError, match="tunnels are open already"):
                await connection.open_connection("localhost", ports[0])
            for reader, writer in tunnels:
                assert await reader.readline() == b"hello\n"
                writer.write_eof()
            for reader, writer in tunnels:
                assert await reader.read() == b""
                writer.close()
                await writer.wait_closed()
