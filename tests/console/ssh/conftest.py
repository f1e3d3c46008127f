"""One SSH front for all tests that leave it as it was; those that bar a source start their own."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from tests.console.ssh.house import House
from tests.console.ssh.running import Front

pytestmark = pytest.mark.skipif(not shutil.which("ssh"), reason="needs the OpenSSH client")

STAND_IN = f"{sys.executable} {Path(__file__).with_name('stand_in.py')}"


@pytest.fixture(scope="session")
def front(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Front]:
    started = Front(tmp_path_factory.mktemp("front"), "--console-command", STAND_IN)
    yield started
    assert started.stop() == 0


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Front]]:
    """Starts fronts in the test's own folder, and ends them with it."""
    fronts: list[Front] = []

    def make(*flags: str, fds: tuple[int, ...] = ()) -> Front:
        fronts.append(Front(tmp_path, *flags, fds=fds))
        return fronts[-1]

    yield make
    for each in fronts:
        if each.process.poll() is None:
            each.stop()
        else:
            assert each.process.stdin is not None
            assert each.process.stdout is not None
            each.process.stdin.close()
            each.process.stdout.close()


@pytest.fixture(scope="module")
def house(tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    made = House(tmp_path_factory.mktemp("house"))
    yield made
    made.stop()
