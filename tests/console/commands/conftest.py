"""A home of its own for every test, and two ways to run a command: in a thread, or as a process."""

from __future__ import annotations

import asyncio
import os
import sys
from collections.abc import Awaitable, Callable
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from console.main import ccr_group, pointsman_group
from storage.home import Home, home

Invoke = Callable[..., Awaitable[Result]]
#: exit code, stdout, stderr
Ran = tuple[int, str, str]
Run = Callable[..., Awaitable[Ran]]

KEPT = ("PATH", "LANG", "LC_ALL", "TMPDIR", "COVERAGE_PROCESS_START")


@pytest.fixture
def env(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> dict[str, str]:
    """The whole environment of the test and of what it starts: nothing of the person's own."""
    for name in list(os.environ):
        if name not in KEPT and not name.startswith("PYTEST"):
            monkeypatch.delenv(name)
    values = {"HOME": str(tmp_path / "person"), "POINTSMAN_HOME": str(tmp_path / "home")}
    (tmp_path / "person").mkdir()
    for name, value in values.items():
        monkeypatch.setenv(name, value)
    return {name: os.environ[name] for name in KEPT if name in os.environ} | values


@pytest.fixture
def here(env: dict[str, str]) -> Home:
    return home(env)


@pytest.fixture
def pointsman(env: dict[str, str]) -> Invoke:
    async def invoke(*words: str, input: str | bytes | None = None) -> Result:
        runner = CliRunner()
        return await asyncio.to_thread(runner.invoke, pointsman_group, list(words), input)

    return invoke


@pytest.fixture
def ccr(env: dict[str, str]) -> Invoke:
    async def invoke(*words: str, input: str | bytes | None = None) -> Result:
        runner = CliRunner()
        return await asyncio.to_thread(runner.invoke, ccr_group, list(words), input)

    return invoke


@pytest.fixture
def run(env: dict[str, str], tmp_path: Path) -> Run:
    """A command as a process: `await run("ccr", "status", stdin=b"", PATH="…")`."""

    async def process(program: str, *words: str, stdin: bytes = b"", **more: str) -> Ran:
        module = "quick" if program == "ccr" else "main"
        start = f"from console.{module} import {program}; {program}()"
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", start, *words),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env=env | more,
            cwd=tmp_path,
        )
        out, err = await child.communicate(stdin)
        assert child.returncode is not None
        return child.returncode, out.decode(), err.decode()

    return process
