"""The real console over SSH: a fork of the warm process, or an ordinary start without one."""

from __future__ import annotations

import contextlib
import shutil
import sys
import time
from collections.abc import Iterator

import psutil
import pytest

from tests.console.ssh.house import House
from tests.console.ssh.running import PATIENCE, Terminal, run

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="needs the OpenSSH client")


@pytest.fixture
def windows() -> Iterator[list[Terminal]]:
    opened: list[Terminal] = []
    yield opened
    for each in opened:
        each.close()


def warm_process(house: House) -> psutil.Process | None:
    """Once it is ready: it then sleeps in select with the console imported."""
    router = psutil.Process(house.router.process.pid)
    fronts = [p for p in router.children() if "console.ssh" in p.cmdline()]
    for child in [child for front in fronts for child in front.children()]:
        with contextlib.suppress(psutil.ZombieProcess, psutil.NoSuchProcess):  # it just ended
            if "console.remote.warm" in child.cmdline():
                return child
    return None


def consoles(house: House, role: str, words: str, windows: list[Terminal]) -> Terminal:
    windows.append(Terminal([*house.ssh(role, "-tt"), *([words] if words else [])], 110, 30))
    return windows[-1]


def test_a_login_is_a_fork_that_paints_follows_its_terminal_and_ends(
    house: House, windows: list[Terminal]
) -> None:
    deadline = time.monotonic() + PATIENCE
    while True:  # the first may come before the warm process is ready
        window = consoles(house, "view", "costs", windows)
        window.until("7 days")
        warm = warm_process(house)
        assert warm is not None
        if warm.children():
            break
        assert time.monotonic() < deadline
    (fork,) = warm.children()
    environment = fork.environ()
    assert "POINTSMAN_VISITOR" not in environment, "a fork's first environment is the warm one's"
    assert fork.nice() > psutil.Process(house.router.process.pid).nice(), "requests come first"
    window.until("view@")
    window.resize(70, 20)
    window.until("Costs")
    other = consoles(house, "operate", "", windows)
    other.until("Live")
    window.send("\x03\x03")
    assert window.ended() == 0
    other.close()
    assert psutil.wait_procs([fork, *warm.children()], PATIENCE)[1] == []
    windows.remove(other)


def test_a_fork_has_nothing_left_to_import(house: House) -> None:
    """What a session would import itself, it would import each time, and its first paint wait."""
    code = """
import asyncio, sys
from console.remote.warm import warm_up
warm_up()
before = set(sys.modules)
from console.app import ConsoleApp
from console.process.presence import running
from storage.home import home
async def painted():
    assert await running(home()) is not None
    app = ConsoleApp(home())
    async with app.run_test(size=(80, 24)):
        while app.board.snapshot is None:
            await asyncio.sleep(0.01)
asyncio.run(painted())
late = {n for n in sys.modules if n not in before}
print(*sorted(n for n in late if not n.startswith("rich._unicode_data")))
"""
    ran = run([sys.executable, "-c", code], env=house.router.env)
    assert ran.returncode == 0, ran
    assert ran.stdout.split() == []


def test_without_the_warm_process_a_session_starts_the_ordinary_way(
    house: House, windows: list[Terminal]
) -> None:
    warm = warm_process(house)
    assert warm is not None
    orphan = consoles(house, "view", "", windows)
    orphan.until("Live")
    warm.kill()
    # nobody could tell how it ends, so it is ended
    assert orphan.ended() != 0
    consoles(house, "view", "health", windows).until("Health")
