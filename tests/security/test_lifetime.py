"""One router to a home, nothing half-started, nothing left behind."""

from __future__ import annotations

import asyncio
import fcntl
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import httpx
import psutil
import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.harness import environment, free_ports, running

PORTS = ("--port", "--litellm-port", "--ccr-port", "--ssh-port")


def serve(home: Path, **ports: int) -> subprocess.CompletedProcess[str]:
    """A start that should end by itself."""
    free = dict(zip(PORTS, free_ports(4), strict=True)) | {
        "--" + name.replace("_", "-"): port for name, port in ports.items()
    }
    words = [word for flag, port in free.items() for word in (flag, str(port))]
    return subprocess.run(
        [sys.executable, "-m", "router", "serve", *words],
        capture_output=True,
        text=True,
        timeout=30,
        env=environment(home),
        check=False,
    )


def lock_is_free(home: Path) -> bool:
    with (home / "run" / "router.lock").open() as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return False
    return True


def of_home(home: Path) -> list[int]:
    """Processes that work for this home, wherever they hang."""
    found = []
    for process in psutil.process_iter():
        try:
            if process.environ().get("POINTSMAN_HOME") == str(home):
                found.append(process.pid)
        except psutil.Error:
            continue
    return found


def test_the_second_router_of_a_home_says_so_and_ends(tmp_path: Path) -> None:
    with running(tmp_path) as first:
        second = serve(tmp_path)
        assert second.returncode == 4
        (line,) = second.stderr.splitlines()
        assert f"(pid {first.process.pid})" in line
        assert first.get("/health").status_code == 200
        assert (tmp_path / "run" / "control.sock").exists()
    assert of_home(tmp_path) == []
    assert lock_is_free(tmp_path)


@pytest.mark.parametrize("flag", PORTS)
def test_a_taken_port_names_its_holder_and_leaves_nothing(tmp_path: Path, flag: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        ended = serve(tmp_path, **{flag.removeprefix("--").replace("-", "_"): port})
    assert (ended.returncode, ended.stdout) == (1, "")
    (line,) = ended.stderr.splitlines()
    assert f"port {port} is taken by" in line
    assert f"(pid {os.getpid()})" in line
    variable = f"POINTSMAN_{flag.removeprefix('--').replace('-', '_').upper()}"
    assert line.endswith(f"with {flag}, or {variable}=…")
    assert of_home(tmp_path) == []
    assert lock_is_free(tmp_path)
    assert not (tmp_path / "run" / "control.sock").exists()


async def test_sigterm_lets_a_running_answer_end(tmp_path: Path, upstream: FakeUpstream) -> None:
    (tmp_path / "pointsman.toml").write_text(
        f"[providers.fake]\nkind = 'openai'\nbase = '{upstream.base}'\nkey = 'k'\nmodels = ['m']\n"
    )
    upstream.default = Behaviour(stall="middle")
    body = {"model": "fake,m", "stream": True, "messages": [{"role": "user", "content": "hi"}]}
    with running(tmp_path) as router:
        async with httpx.AsyncClient(timeout=30) as client:
            url = router.front + "/ccr/v1/messages"
            async with client.stream("POST", url, json=body) as answer:
                pieces = answer.aiter_text()
                seen = await anext(pieces)
                os.kill(router.process.pid, signal.SIGTERM)
                while (tmp_path / "run" / "control.sock").exists():
                    try:  # it listens no more: from then on it drains
                        await client.get(router.front + "/health")
                    except httpx.ConnectError:
                        break
                    except (httpx.RemoteProtocolError, httpx.ReadError):
                        continue  # the kept connection was closed just as it was used
                upstream.release.set()
                seen += "".join([piece async for piece in pieces])
        code = await asyncio.to_thread(router.process.wait, 20)
    assert code == 0
    assert "eight" in seen
    assert "message_stop" in seen
    assert of_home(tmp_path) == []


def test_children_do_not_outlive_a_killed_router(tmp_path: Path) -> None:
    with running(tmp_path, ssh=True) as router:
        with socket.create_connection(("127.0.0.1", router.ssh_port), timeout=20) as ssh:
            assert ssh.recv(4) == b"SSH-"
        children = psutil.Process(router.process.pid).children(recursive=True)
        assert len(children) >= 2
        router.kill()
        assert psutil.wait_procs(children, 10)[1] == []
    assert lock_is_free(tmp_path)
    with running(tmp_path) as again:  # over the dead one's socket and lock
        assert again.get("/health").status_code == 200
