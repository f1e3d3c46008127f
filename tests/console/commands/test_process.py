"""Starting and ending the router: real processes; only the router itself is a stand-in."""

from __future__ import annotations

import asyncio
import fcntl
import os
import re
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace

import msgspec
import psutil
import pytest

from console.link import VISITOR
from console.opening import disagreements
from console.options import arguments_after
from console.process import starting
from console.process.presence import running
from console.process.program import LENT, environment
from console.process.restarting import _refused
from console.process.starting import start_router
from console.process.stopping import stop_router
from console.remote.environment import Account, build
from console.remote.options import Options
from router.contract import Listener
from storage.home import ROOM, Home
from tests.console.commands.conftest import Invoke, Run
from tests.console.commands.fake import Fake, installed


@pytest.fixture
async def fake(
    here: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[dict[str, str]]:
    """The stand-in on the path; one that still runs at the end is ended."""
    variables = installed(tmp_path / "fake")
    for name, value in variables.items():
        monkeypatch.setenv(name, value)
    yield variables
    if await running(here) is not None:
        await stop_router(here)


async def test_start_restart_stop(
    here: Home,
    pointsman: Invoke,
    ccr: Invoke,
    fake: dict[str, str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    result = await pointsman("start", "--port", "5055")
    assert result.exit_code == 0, result.stderr
    first = int(re.findall(r"pid (\d+)", result.stdout)[0])
    assert "http://127.0.0.1:5055" in result.stdout
    assert os.getsid(first) == first  # a session of its own: a closing terminal cannot end it
    assert here.router_output.stat().st_mode & 0o777 == 0o600

    result = await pointsman("start", "--port", "5056")
    assert result.exit_code == 0
    assert f"already runs (pid {first})" in result.stderr
    assert "front door on port 5055: `pointsman restart --port 5056`" in result.stderr

    result = await pointsman("restart", "--ssh-port", "0")
    assert result.exit_code == 0, result.stderr
    second = int(re.findall(r"pid (\d+)", result.stdout)[0])
    assert second != first
    assert not psutil.pid_exists(first)
    words = psutil.Process(second).cmdline()
    assert words[words.index("serve") + 1 :] == ["--port", "5055", "--ssh-port", "0"]

    result = await ccr("restart")
    assert result.exit_code == 0
    assert result.stdout.splitlines() == [
        "claude code router service has been stopped.",
        "Starting claude code router service...",
        "✅ Service started successfully in the background.",
    ]
    monkeypatch.setenv("POINTSMAN_CCR_PORT", "5057")
    result = await ccr("stop")
    assert result.exit_code == 0
    assert result.stdout == "claude code router service has been successfully stopped.\n"
    assert not psutil.pid_exists(second)
    result = await ccr("restart")
    assert result.stdout.startswith("Service was not running or failed to stop.\n")
    snapshot = await running(here)
    assert snapshot is not None
    words = psutil.Process(snapshot.pid).cmdline()
    assert words[words.index("serve") + 1 :] == ["--ccr-port", "5057"]
    moved = Listener("front door", "http://127.0.0.1:5055")
    after = arguments_after(msgspec.structs.replace(snapshot, listeners=(moved,)))
    assert after == ["--ccr-port", "5057", "--port", "5055"], "the ports of one that went"
    await stop_router(here)
    assert here.router_output.read_text().split() == ["ready", "drained"] * 4
    result = await ccr("stop")
    assert result.exit_code == 0
    assert result.stdout == "Failed to stop the service. It may have already been stopped.\n"
    assert (await pointsman("stop")).exit_code == 3


async def test_a_router_outlives_the_command_that_started_it(
    here: Home, run: Run, fake: dict[str, str]
) -> None:
    code, out, err = await run("pointsman", "start", **fake)
    assert code == 0, err
    snapshot = await running(here)
    assert snapshot is not None
    assert f"pid {snapshot.pid}" in out


async def test_a_router_that_dies_leaves_its_last_words(
    here: Home, run: Run, fake: dict[str, str]
) -> None:
    here.make()
    here.router_output.write_text("words of an earlier start\n")
    code, out, err = await run("pointsman", "start", "--port", "1", **fake)
    assert (code, out) == (1, "")
    assert err.count("port 1 is taken by evil") == 1
    assert "\x1b" not in err
    assert "earlier" not in err


async def test_two_starts_at_once_make_one_router(
    here: Home, env: dict[str, str], fake: dict[str, str]
) -> None:
    await asyncio.gather(*(start_router(here, env=env | fake) for _ in range(3)))
    snapshot = await running(here)
    assert snapshot is not None
    assert here.lock.read_text() == str(snapshot.pid)
    late = [child for child in starting._started if child.pid != snapshot.pid]
    codes = [await asyncio.to_thread(child.wait, 30) for child in late]
    assert codes[-2:] == [starting.ALREADY_RUNNING] * 2


async def test_a_folder_named_router_in_the_working_directory_is_not_run(
    here: Home, run: Run, tmp_path: Path, fake: dict[str, str]
) -> None:
    """`python -m router` looks into the working directory first, unless it is told not to."""
    project = tmp_path / "router"  # `run` has tmp_path as its working directory
    project.mkdir()
    (project / "__main__.py").write_text(
        f"open({str(tmp_path / 'touched')!r}, 'w')\nraise SystemExit(9)\n"
    )
    code, _, err = await run("pointsman", "start", **fake)
    assert code == 0, err
    assert not (tmp_path / "touched").exists()


@pytest.mark.parametrize("program", ["pointsman", "ccr"])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
async def test_serve_ends_clean_on_a_signal(
    env: dict[str, str], fake: dict[str, str], program: str, number: signal.Signals
) -> None:
    word = {"pointsman": "serve", "ccr": "start"}[program]
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", f"from console.main import {program}; {program}()", word),
        stdout=asyncio.subprocess.PIPE,
        env=env | fake,
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    child.send_signal(number)
    assert await child.stdout.read() == b"drained\n"
    assert await child.wait() == 0


async def test_a_router_of_a_terminal_that_is_restarted_says_its_log_there_no_longer(
    here: Home, env: dict[str, str], pointsman: Invoke, fake: dict[str, str]
) -> None:
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "console", "serve", "--ccr-port", "5057"),
        stdout=asyncio.subprocess.PIPE,
        env=env | fake,
    )
    assert child.stdout is not None
    assert await child.stdout.readline() == b"ready\n"
    result = await pointsman("restart")
    assert result.exit_code == 0, result.stderr
    assert await child.wait() == 0
    pid = int(re.findall(r"pid (\d+)", result.stdout)[0])
    assert pid != child.pid
    words = psutil.Process(pid).cmdline()
    assert words[words.index("serve") + 1 :] == ["--ccr-port", "5057"]


async def test_serve_has_the_exit_code_of_a_second_router(
    here: Home, env: dict[str, str], run: Run, fake: dict[str, str]
) -> None:
    await start_router(here, env=env | fake)
    code, _, err = await run("pointsman", "serve", **fake)
    assert code == 4
    assert "another router runs" in err
    code, out, _ = await run("ccr", "start", **fake)
    assert (code, out) == (0, "✅ Service is already running in the background.\n")


def test_a_router_started_in_a_session_does_not_take_its_own_keys_for_a_providers(
    here: Home, tmp_path: Path
) -> None:
    options = Options(here, "", tmp_path)
    ends = (("127.0.0.1", 1), ("127.0.0.1", 2222))
    shell = build(options, Account("a", "/bin/sh", tmp_path), "a", ends, {}, "xterm")
    assert {name for pair in LENT for name in pair} <= shell.keys()
    session = {**shell, VISITOR: "t", "POINTSMAN_ROLE": "shell"}
    started = environment(session)
    assert started == {
        name: value
        for name, value in shell.items()
        if not name.startswith(("OPENAI_", "ANTHROPIC_"))
    } | {"PYTHONSAFEPATH": "1"}
    own = session | {"OPENAI_BASE_URL": "https://api.openai.com/v1", "OPENAI_API_KEY": "sk-own"}
    assert environment(own)["OPENAI_API_KEY"] == "sk-own"
    assert environment(shell)["OPENAI_API_KEY"]  # a person's own terminal is as they made it


async def test_a_silent_router_is_named(here: Home, run: Run, env: dict[str, str]) -> None:
    """Someone holds the lock but does not answer: it is not said that none runs."""
    here.make()
    with here.lock.open("w") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        lock.write("4242")
        lock.flush()
        told = {words: await run(*words.split()) for words in ("pointsman stop", "ccr status")}
        told["pointsman reload"] = await run("pointsman", "reload")
    assert [code for code, _, _ in told.values()] == [1, 3, 3]
    for _, _, err in told.values():
        assert "a router (pid 4242) holds" in err
        assert "`kill 4242`" in err
    assert "Not Answering" in told["ccr status"][1]


async def test_opening_a_console_says_where_a_running_router_differs(
    here: Home, pointsman: Invoke
) -> None:
    async with Fake(here) as fake:
        options = {"port": 5000, "ccr_port": fake.role_port, "ssh_port": 0, "litellm_port": None}
        assert disagreements(options, fake.snapshot()) == [
            "the router that runs has its SSH on port 2299: "
            "`pointsman restart --ssh-port 0` moves it"
        ]
        assert disagreements({"litellm_port": 4000}, fake.snapshot()) == [
            "the router that runs has its LiteLLM nowhere: "
            "`pointsman restart --litellm-port 4000` moves it"
        ]


def test_a_full_disk_is_no_time_to_restart(here: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    """The running router serves without its ledger; a new one could not begin."""
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=ROOM - 1))
    assert "is full: free some space" in _refused(here, [], None, os.environ, held=False)
