"""Hostile, broken and many clients: the front goes on serving, and keeps nothing of those who left.

One rule: after each of them a good client gets in, and the front holds what it held before.
"""

from __future__ import annotations

import asyncio
import os
import random
import shutil
import statistics
import struct
from collections.abc import Callable

import asyncssh
import httpx
import psutil
import pytest

from console.ssh import limits
from tests.console.ssh.house import House
from tests.console.ssh.running import PATIENCE, Front, Terminal
from tests.waiting import wait_until

pytestmark = [
    pytest.mark.long,
    pytest.mark.timeout(300),
    pytest.mark.skipif(not shutil.which("ssh"), reason="needs the OpenSSH client"),
]
Start = Callable[..., Front]
MIB = 1 << 20
HELLO = b"SSH-2.0-hostile\r\n"
_DICE = random.Random(10)

#: what is sent at once, and whether the front itself must hang up on it
GARBAGE = {
    "nothing, then a hang-up": (b"", False),
    "half a version": (b"SSH-2.", False),
    "another protocol": (b"GET / HTTP/1.1\r\nHost: x\r\n\r\n" * 40, True),
    "an endless first line": (b"S" * 1_000_000, True),
    "endless lines before the version": (b"hello\r\n" * 200_000, True),
    "version 1": (b"SSH-1.5-old\r\n", True),
    "a packet of 4 GiB": (HELLO + b"\xff\xff\xff\xff" + b"\0" * 64, True),
    "a packet of 1 GiB": (HELLO + struct.pack(">I", 1 << 30) + b"\0" * 100_000, True),
    "a packet of nothing": (HELLO + struct.pack(">IB", 0, 0) + b"\0" * 64, True),
    "more padding than packet": (HELLO + struct.pack(">IBB", 12, 255, 20) + b"\0" * 64, True),
    "a message before the keys": (HELLO + struct.pack(">IBB", 12, 4, 50) + b"\0" * 10, True),
    "half a key exchange": (HELLO + struct.pack(">IBB", 1020, 4, 20) + b"\0" * 500, False),
    "key exchange without names": (HELLO + struct.pack(">IBB", 44, 4, 20) + b"\0" * 42, True),
    **{f"noise {n}": (HELLO + _DICE.randbytes(40_000), False) for n in range(5)},
}


def held(front: psutil.Process, most_fds: int) -> None:
    """Until the front holds no more descriptors than `most_fds`."""
    wait_until(lambda: front.num_fds() <= most_fds, PATIENCE, front.num_fds)


async def test_garbage_half_handshakes_and_huge_packets(start: Start) -> None:
    front = await asyncio.to_thread(start)
    process = psutil.Process(front.process.pid)
    assert (await asyncio.to_thread(front.run, "echo in")).stdout == b"in\n"
    fds, rss = process.num_fds(), process.memory_info().rss
    for name, (data, must_end) in GARBAGE.items():
        reader, writer = await asyncio.open_connection("127.0.0.1", front.port)
        try:
            writer.write(data)
            await writer.drain()
            if must_end:
                async with asyncio.timeout(PATIENCE):
                    while await reader.read(1 << 16):
                        pass
        except ConnectionError:
            pass  # it hung up while we still sent
        except TimeoutError:
            pytest.fail(f"{name}: the front does not hang up")
        finally:
            writer.close()
        # a good client beside it
        ran = await asyncio.to_thread(front.run, "echo in")
        assert ran.stdout == b"in\n", name
    await asyncio.to_thread(held, process, fds)
    grown = (process.memory_info().rss - rss) / MIB
    assert grown < 32, f"{grown:.0f} MiB more"
    assert front.stop() == 0
    assert not [line for line in front.log() if line["level"] == "error"], front.log()


async def test_a_hundred_channels_and_a_client_that_does_not_read(start: Start) -> None:
    front = await asyncio.to_thread(start)
    process = psutil.Process(front.process.pid)
    async with await front.connect() as connection:
        rss = process.memory_info().rss
        opened, refused = [], 0
        for _ in range(100):
            try:
                # its output is never read: it must wait, not fill our memory
                opened.append(await connection.create_process("yes", encoding=None))
            except asyncssh.ChannelOpenError:
                refused += 1
        assert (len(opened), refused) == (limits.SESSIONS, 100 - limits.SESSIONS)
        for _ in range(20):
            assert (await asyncio.to_thread(front.run, "echo in")).stdout == b"in\n"
        grown = (process.memory_info().rss - rss) / MIB
        assert grown < 8 * limits.SESSIONS, f"{grown:.0f} MiB for clients that do not read"
        children = process.children(recursive=True)
        assert sum(child.name() == "yes" for child in children) == limits.SESSIONS
    _, alive = await asyncio.to_thread(psutil.wait_procs, children, PATIENCE)
    assert [child for child in alive if child.name() == "yes"] == []


async def test_twenty_guessers_at_once_bar_only_themselves(start: Start) -> None:
    """A storm of logins from one source: few are looked at, and a key still gets in."""
    front = await asyncio.to_thread(start)

    async def guess(number: int) -> None:
        try:
            async with asyncssh.connect(
                "127.0.0.1",
                front.port,
                username=f"user{number}",
                password="wrong",
                known_hosts=None,
                client_keys=None,
                agent_path=None,
                config=None,
            ):
                pytest.fail("a wrong password opened the door")
        except (asyncssh.Error, OSError):
            pass

    for _ in range(3):
        await asyncio.gather(*(guess(number) for number in range(20)))
        assert (await asyncio.to_thread(front.run, "echo in")).stdout == b"in\n"
    assert front.stop() == 0
    log = front.log()
    assert any(line["message"].startswith("passwords are not taken") for line in log)
    assert len(log) < 60, "a flood does not fill the log"


def _front_of(house: House) -> psutil.Process:
    router = psutil.Process(house.router.process.pid)
    return next(p for p in router.children() if "console.ssh" in p.cmdline())


def _sessions(front: psutil.Process) -> list[psutil.Process]:
    """All that runs for visitors: everything below the front but its warm process."""
    below = front.children(recursive=True)
    return [p for p in below if p.is_running() and "console.remote.warm" not in _command(p)]


def _command(process: psutil.Process) -> list[str]:
    """A fork of the warm process has its command line; it is one where its parent is not us."""
    try:
        line = process.cmdline()
        parent = process.parent()
        is_fork = parent is not None and "console.remote.warm" in parent.cmdline()
    except psutil.Error:
        return []
    return [] if is_fork else line


def _windows(house: House, count: int) -> list[Terminal]:
    opened: list[Terminal] = []
    for number in range(count):
        shell = number % 4 == 3
        words = ["sleep 1000 & exec sleep 1001"] if shell else []
        role = "shell" if shell else "view"
        opened.append(Terminal([*house.ssh(role, "-tt"), *words], 110, 30))
        if not shell:
            opened[-1].until("Live")
    return opened


def test_twenty_sessions_cut_off_leave_nothing(house: House) -> None:
    house.run("shell", "echo in")
    front = _front_of(house)
    before = front.num_fds()
    windows = _windows(house, 20)
    try:
        running = _sessions(front)
        assert len(running) >= 20
        for window in windows:
            os.kill(window.process.pid, 9)
        assert psutil.wait_procs(running, PATIENCE)[1] == []
        wait_until(
            lambda: front.num_fds() <= before and not _sessions(front),
            PATIENCE,
            lambda: (front.num_fds(), before, _sessions(front)),
        )
        assert house.pointsman("ssh", "sessions", "--json").stdout.strip() == b"[]"
    finally:
        for window in windows:
            window.close()
    assert house.run("shell", "echo in").stdout == b"in\n"


async def _load(url: str, seconds: float, rate: float) -> list[float]:
    """Requests at fixed times, whatever becomes of those before. Latencies in ms; all must succeed:
    from the planned time on, so that a stall counts for each that it holds up."""
    body = {
        "model": "claude-sonnet-4-5",
        "messages": [{"role": "user", "content": "hello"}],
        "max_tokens": 8,
    }
    async with httpx.AsyncClient(timeout=30, limits=httpx.Limits(max_connections=64)) as client:
        begin = asyncio.get_running_loop().time()

        async def one(number: int) -> float:
            at = begin + number / rate
            await asyncio.sleep(max(0.0, at - asyncio.get_running_loop().time()))
            answer = await client.post(url, json=body)
            assert answer.status_code == 200, answer.text
            return (asyncio.get_running_loop().time() - at) * 1000

        return await asyncio.gather(*(one(number) for number in range(int(seconds * rate))))


async def test_twenty_consoles_beside_a_hundred_requests_a_second(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    url = house.router.ccr + "/v1/messages"
    await _load(url, 2, 20)
    alone = await _load(url, 8, 100)
    windows = await asyncio.to_thread(_windows, house, 20)
    try:
        consoles = [p for p in _sessions(_front_of(house)) if p.name() != "sleep"]
        each = [p.memory_full_info().uss / MIB for p in consoles]
        beside = await _load(url, 8, 100)
        cut = asyncio.create_task(_load(url, 3, 100))
        for window in windows:
            os.kill(window.process.pid, 9)
        await cut  # which loses no request
    finally:
        for window in windows:
            window.close()
    p99 = [statistics.quantiles(some, n=100)[98] for some in (alone, beside)]
    p50 = [statistics.median(some) for some in (alone, beside)]
    with capsys.disabled():
        print(
            f"\np50 {p50[0]:.1f} → {p50[1]:.1f} ms, p99 {p99[0]:.1f} → {p99[1]:.1f} ms"
            f" (× {p99[1] / p99[0]:.1f}); {statistics.median(each):.0f} MiB of its own a console"
        )
    assert statistics.median(each) < 41
