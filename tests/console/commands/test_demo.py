"""The demo: every kind of request is sent, nothing of the person's is used, nothing is left."""

from __future__ import annotations

import asyncio
import os
import pty
import random
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

import msgspec
import psutil
import pytest

from console.demo.traffic import SCENES, bare, traffic
from storage.home import Home
from tests.console.commands.conftest import Run
from tests.console.commands.fake import Fake, installed


async def test_every_scene_is_sent_once_before_any_is_repeated(here: Home) -> None:
    async with Fake(here) as fake:
        await traffic(here, fake.url, most=len(SCENES))
        sent = [path for path in fake.paths if path not in ("/snapshot", "/act")]
    assert sorted(sent) == sorted(scene.path for scene in SCENES)


def test_scenes_are_bounded_json_and_differ() -> None:
    bodies = [msgspec.json.encode(scene.body(random.Random(1))) for scene in SCENES]
    assert max(map(len, bodies)) < 400_000
    assert sum(len(body) > 100_000 for body in bodies) == 1  # longContext, and only that


def test_nothing_real_reaches_the_router_of_a_demo() -> None:
    env = {
        "PATH": "/bin",
        "OPENAI_API_KEY": "sk",
        "OPENAI_BASE_URL": "http://real",
        "ANTHROPIC_AUTH_TOKEN": "sk",
        "OLLAMA_HOST": "real:1",
        "POINTSMAN_HOME": "/mine",
        "LOCAL": "1",
    }
    assert bare(env, "/demo") == {"PATH": "/bin", "POINTSMAN_HOME": "/demo", "LOCAL": ""}


async def test_the_demo_leaves_nothing(run: Run, tmp_path: Path, here: Home) -> None:
    # short: a control socket must fit below it
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        variables = installed(tmp_path / "fake") | {"TMPDIR": temporary}
        words = ("demo", "--headless", "--seconds", "1")
        code, out, err = await run("pointsman", *words, **variables)
        assert code == 0, err
        assert "Pointsman 0.1.0" in out
        assert f"POINTSMAN_HOME={temporary}/pointsman-demo-" in err
        assert os.listdir(temporary) == []
    assert not here.config.exists()


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGHUP])
async def test_a_demo_that_is_ended_leaves_nothing(
    env: dict[str, str], tmp_path: Path, number: signal.Signals
) -> None:
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from console.main import pointsman; pointsman()"),
            *("demo", "--headless", "--seconds", "60"),
            stderr=asyncio.subprocess.PIPE,
            env=env | installed(tmp_path / "fake") | {"TMPDIR": temporary},
        )
        assert child.stderr is not None
        await child.stderr.readline()  # it starts
        home = (await child.stderr.readline()).decode().split()[0].partition("=")[2]
        lock = Path(home) / "run" / "router.lock"
        router = int(lock.read_text())
        child.send_signal(number)
        await child.communicate()
        assert child.returncode == 128 + number
        assert os.listdir(temporary) == []
        assert not psutil.pid_exists(router) or psutil.Process(router).status() == "zombie"


@pytest.mark.long
def test_a_demo_that_is_killed_leaves_nothing(env: dict[str, str]) -> None:
    """As when its terminal goes: the console ends at once, and can tidy up nothing."""
    master, slave = pty.openpty()
    with tempfile.TemporaryDirectory(dir="/tmp") as temporary:
        child = subprocess.Popen(
            [sys.executable, "-c", "from console.main import pointsman; pointsman()", "demo"],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env | {"TMPDIR": temporary, "TERM": "xterm-256color"},
            start_new_session=True,
        )
        os.close(slave)
        seen = b""
        while b"DEMO" not in seen:
            seen += os.read(master, 65536)
        (home,) = Path(temporary).iterdir()
        router = psutil.Process(int((home / "run" / "router.lock").read_text()))
        tidies = [one for one in psutil.Process(child.pid).children() if one != router]
        child.kill()
        child.wait(30)
        os.close(master)
        assert psutil.wait_procs([router, *tidies], timeout=60)[1] == []
        assert os.listdir(temporary) == []


async def test_the_console_says_that_it_needs_a_terminal(run: Run, here: Home) -> None:
    code, out, err = await run("pointsman")
    assert (code, out) == (1, "")
    assert "needs a terminal" in err
    assert not here.socket.exists()
