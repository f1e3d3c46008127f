"""A name that leads to several addresses, or to none, or that takes its time to be looked up."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from collections.abc import Iterator
from typing import Any

import pytest
from aiohappyeyeballs import AddrInfoType

from router.edge import bind
from router.errors import UpstreamError
from router.settings import Timeouts
from router.transport import Transport
from router.transport.dial import Dial
from tests.fakes.upstream import FakeUpstream

PATIENT = Timeouts(connect=5, first_byte=5, idle=5, total=10)


def at(port: int, host: str = "127.0.0.1") -> AddrInfoType:
    return (socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP, "", (host, port))


class Names:
    """A resolver that answers when it is let."""

    def __init__(self, *found: AddrInfoType) -> None:
        self.found = found
        self.times = 0
        self.asked = asyncio.Event()
        self.go = asyncio.Event()

    async def __call__(self, host: str, port: int) -> tuple[AddrInfoType, ...]:
        self.times += 1
        self.asked.set()
        await self.go.wait()
        if not self.found:
            raise socket.gaierror(-2, "Name or service not known")
        return self.found


async def get(transport: Transport, host: str = "api.example") -> bytes:
    url = f"http://{host}/v1/models"
    answer = await transport.send("GET", url, (), b"", timeouts=PATIENT, provider="fake")
    return await answer.body(10**6)


@contextlib.contextmanager
def black_hole() -> Iterator[int]:
    """A port that answers nobody: its queue of connections is full."""
    with socket.socket() as full, contextlib.ExitStack() as stack:
        full.bind(("127.0.0.1", 0))
        full.listen(0)
        for _ in range(4):
            each = stack.enter_context(socket.socket())
            each.setblocking(False)
            each.connect_ex(full.getsockname())
        yield full.getsockname()[1]


async def test_a_dead_address_does_not_hold_up_a_living_one(upstream: FakeUpstream) -> None:
    with black_hole() as silent:
        names = Names(at(1), at(silent), at(1), at(upstream.port))
        names.go.set()
        transport = Transport(dial=Dial(names))
        assert b"fake" in await get(transport)
        assert transport.open == 1
        await transport.close()


@pytest.mark.parametrize(
    ("found", "words"),
    [
        ((at(1), at(1)), "connection refused"),
        # a broadcast address is refused by the system itself, for a reason of its own
        ((at(1), at(1, "127.255.255.255")), "none of its 2 addresses can be reached"),
        ((), "its name was not found"),
    ],
)
async def test_a_name_without_a_living_address_is_said_so(
    found: tuple[AddrInfoType, ...], words: str
) -> None:
    names = Names(*found)
    names.go.set()
    transport = Transport(dial=Dial(names))
    with pytest.raises(UpstreamError, match=words) as caught:
        await get(transport)
    assert caught.value.kind == "connect"
    assert transport.open == 0
    await transport.close()


async def test_many_who_wait_for_a_name_ask_for_it_once(upstream: FakeUpstream) -> None:
    names = Names(at(upstream.port))
    transport = Transport(dial=Dial(names))
    asking = [asyncio.create_task(get(transport)) for _ in range(3)]
    await names.asked.wait()
    asking[0].cancel()  # the others go on waiting
    names.go.set()
    cancelled, *answers = await asyncio.gather(*asking, return_exceptions=True)
    assert isinstance(cancelled, asyncio.CancelledError)
    assert all(isinstance(each, bytes) and b"fake" in each for each in answers)
    assert names.times == 1
    await transport.close()


async def test_a_look_up_that_fails_after_its_client_left_is_nobodys_affair() -> None:
    said: list[dict[str, Any]] = []
    asyncio.get_running_loop().set_exception_handler(lambda _, context: said.append(context))
    names = Names()
    transport = Transport(dial=Dial(names))
    asking = asyncio.create_task(get(transport))
    await names.asked.wait()
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    names.go.set()
    for _ in range(3):
        await asyncio.sleep(0)
    # the system's own resolver, which asks nobody for a label of more than 63 characters
    system = Transport()
    asking = asyncio.create_task(get(system, "x" * 64))
    await asyncio.sleep(0)
    asking.cancel()
    await asyncio.gather(asking, return_exceptions=True)
    await system.close()
    await transport.close()
    del asking
    gc.collect()
    await asyncio.sleep(0)
    assert not said


async def test_a_silent_connection_is_kept_alive_on_both_sides() -> None:
    listening = bind("127.0.0.1", 0)
    listening.setblocking(True)
    port = listening.getsockname()[1]
    with (
        listening,
        await Dial().connect("localhost", port) as ours,
        listening.accept()[0] as theirs,
    ):
        for sock in (ours, theirs):
            assert sock.getsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE)
            assert sock.getsockopt(socket.IPPROTO_TCP, socket.TCP_KEEPINTVL) == 20
