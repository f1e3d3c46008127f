"""Children end with the router, come back when they die, and stay down when they said why."""

from __future__ import annotations

import asyncio
import socket
import sys
from dataclasses import replace
from typing import cast

import pytest

from router.log import Log
from router.process.children import Child, own_environment
from router.process.programs import program, read_line

WAITS = "import sys; print('up', flush=True); sys.stdin.read(); print('bye', flush=True)"
REFUSES = "import sys; sys.stderr.write('no port\\n'); sys.exit(2)"


class Reports:
    """What a child wrote, and a way to wait for it."""

    def __init__(self) -> None:
        self.lines: list[tuple[str, bool]] = []
        self._more = asyncio.Event()

    def __call__(self, line: str, complaint: bool) -> None:
        self.lines.append((line, complaint))
        self._more.set()

    async def until(self, text: str, times: int = 1) -> None:
        while sum(text in line for line, _ in self.lines) < times:
            self._more.clear()
            await self._more.wait()


def child(code: str, reports: Reports) -> Child:
    return Child("test", [sys.executable, "-c", code], reports)


def test_no_child_of_ours_sees_a_key() -> None:
    env = {name: "x" for name in (
        "PATH", "HOME", "LC_ALL", "XDG_RUNTIME_DIR", "POINTSMAN_HOME", "POINTSMAN_SIMULATOR_PACE",
        "OPENAI_API_KEY", "POINTSMAN_KEY", "ANTHROPIC_API_KEY", "AWS_SECRET_ACCESS_KEY", "MY_KEY",
        "LD_PRELOAD", "HTTPS_PROXY", "GITHUB_TOKEN",
    )}  # fmt: skip
    assert set(own_environment(env)) == {
        *("PATH", "HOME", "LC_ALL", "XDG_RUNTIME_DIR", "POINTSMAN_HOME", "POINTSMAN_SIMULATOR_PACE")
    }


async def test_a_child_ends_with_its_keeper() -> None:
    reports = Reports()
    one = child(WAITS, reports)
    keeping = asyncio.create_task(one.keep())
    await reports.until("up")
    assert one.state == "running"
    assert one.process is not None
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping
    assert one.process.returncode is not None
    assert one.state == "ended"


async def test_a_socket_is_its_child_s_alone() -> None:
    """Else the port of one that was killed would be taken as long as another lives."""
    with socket.create_server(("127.0.0.1", 0)) as sock:
        looks = f"""import os
try: os.fstat({sock.fileno()})
except OSError: print("has not")
else: print("has it")"""
        heir = program(cast(Log, None), "test", [], [sock])
        other = child(looks, Reports())
        for one, said in [(heir, "has it"), (other, "has not")]:
            reports = Reports()
            one = replace(one, command=[sys.executable, "-c", looks], report=reports)
            keeping = asyncio.create_task(one.keep())
            await reports.until("has ")
            assert reports.lines[0] == (said, False)
            keeping.cancel()
            with pytest.raises(asyncio.CancelledError):
                await keeping


async def test_a_child_that_dies_is_started_again() -> None:
    reports = Reports()
    one = child("print('up')", reports)
    keeping = asyncio.create_task(one.keep())
    await reports.until("up", times=2)
    await reports.until("started again")
    keeping.cancel()
    with pytest.raises(asyncio.CancelledError):
        await keeping


async def test_a_child_that_said_why_stays_down() -> None:
    reports = Reports()
    one = child(REFUSES, reports)
    await asyncio.wait_for(one.keep(), 20)
    assert one.state == "failed"
    assert ("no port", True) in reports.lines


@pytest.mark.parametrize(
    ("line", "complaint", "read"),
    [
        ("plain words", False, ("info", "plain words")),
        ("plain words", True, ("warning", "plain words")),
        ('{"error": "port 2222 is taken"}', False, ("error", "error port 2222 is taken")),
        (
            '{"at": 1.5, "level": "info", "message": "login", "user": "dev", "term": ""}',
            True,
            ("info", "login · user dev"),
        ),
        ('{"level": "shouting", "message": "x"}', True, ("info", "x")),
        ("[1, 2]", True, ("warning", "[1, 2]")),
    ],
)
def test_what_a_line_means(line: str, complaint: bool, read: tuple[str, str]) -> None:
    assert read_line(line, complaint) == read
