"""How the front starts, refuses to start, logs and ends."""

from __future__ import annotations

import getpass
import os
import signal
import socket
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from tests.console.ssh.running import PATIENCE, Front, Terminal, fingerprint, run

Start = Callable[..., Front]


def test_the_host_key_is_private_and_stays(start: Start, tmp_path: Path) -> None:
    first = start()
    key = tmp_path / "pointsman" / "ssh_host_ed25519_key"
    assert key.stat().st_mode & 0o777 == 0o600
    assert first.ready["fingerprint"] == fingerprint(key)
    assert first.stop() == 0
    key.chmod(0o644)
    assert start().ready["fingerprint"] == first.ready["fingerprint"]
    assert key.stat().st_mode & 0o777 == 0o600
    assert [path.name for path in key.parent.iterdir()] == [key.name]


def test_a_taken_port_names_its_holder_and_the_flag(start: Start, front: Front) -> None:
    second = start("--port", str(front.port))
    assert second.process.wait(PATIENCE) == 2
    error = second.ready["error"]
    assert f"pid {front.process.pid}" in error
    assert "--ssh-port" in error


@pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.0.2.1"])
def test_no_default_password_beyond_this_machine(start: Start, host: str) -> None:
    started = start("--host", host)
    assert started.process.wait(PATIENCE) == 2
    # an address that this machine does not have ends it as well
    assert "password" in started.ready["error"] or "cannot listen" in started.ready["error"]


def test_a_broken_host_key_is_named(start: Start, tmp_path: Path) -> None:
    key = tmp_path / "pointsman" / "ssh_host_ed25519_key"
    key.parent.mkdir()
    key.write_text("no key")
    assert str(key) in start().ready["error"]


def test_a_socket_of_the_starter(start: Start) -> None:
    with socket.create_server(("127.0.0.1", 0)) as bound:
        front = start("--fd", str(bound.fileno()), fds=(bound.fileno(),))
        assert front.port == bound.getsockname()[1]
    assert front.run("echo in").stdout == b"in\n"
    assert "--fd 99" in start("--fd", "99").ready["error"]


def test_localhost_is_not_shared(start: Start) -> None:
    """A program on the same port of the other loopback address would be asked for passwords."""
    try:
        other = socket.create_server(("::1", 0), family=socket.AF_INET6)
    except OSError:
        pytest.skip("this machine has no IPv6")
    with other:
        refused = start("--port", str(other.getsockname()[1]))
        assert "on ::1 is taken" in refused.ready["error"]


@pytest.mark.parametrize("end", ["stdin closes", "SIGTERM"])
def test_the_end_takes_sessions_along_and_each_is_logged(start: Start, end: str) -> None:
    front = start()
    # as a console, which puts its visitor's terminal back when it is hung up
    program = "trap 'echo restored; exit 9' HUP; echo pid-$$-; sleep 1000 & wait"
    window = Terminal([*front.by_key("-t"), "developer@localhost", program])
    try:
        window.until("pid-")
        child = psutil.Process(int(window.until("-")))
        assert run([*front.by_key(), "developer@localhost", "exit 3"]).returncode == 3
        if end == "SIGTERM":
            os.kill(front.process.pid, signal.SIGTERM)
            assert front.process.wait(PATIENCE) == 0
        assert front.stop() == 0
        assert psutil.wait_procs([child], PATIENCE)[1] == []
        window.until("restored\r\npointsman: Pointsman is stopping\r\n")
        assert window.process.wait(PATIENCE) == 9
    finally:
        window.close()
    user, by = getpass.getuser(), fingerprint(front.key)
    sessions = front.logged("session")
    kept = ("user", "by", "from", "command", "term", "size", "exit")
    assert [tuple(each[name] for name in kept) for each in sessions] == [
        (user, by, "127.0.0.1", "exit", "", "", 3),
        (user, by, "127.0.0.1", "trap", "xterm-256color", "90x30", 9),
    ]
    assert {line["level"] for line in front.log()} == {"info"}
