"""A real SSH front as a child process, and the OpenSSH client that speaks to it.

Its rule: everything has a deadline, nothing sleeps, and no file outside the test's folder is read.
"""

from __future__ import annotations

import contextlib
import fcntl
import json
import os
import pty
import select
import struct
import subprocess
import sys
import termios
import time
from pathlib import Path
from typing import Any

import asyncssh

PATIENCE = 20.0
CANARY = "sk-canary-that-no-session-may-see"


def make_key(folder: Path, name: str) -> Path:
    """A fresh pair; returns the private key's path."""
    path = folder / name
    subprocess.run(
        ["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-C", name, "-f", str(path)], check=True
    )
    return path


def fingerprint(key: Path) -> str:
    shown = subprocess.run(["ssh-keygen", "-lf", str(key)], capture_output=True, check=True)
    return shown.stdout.decode().split()[1]


class Front:
    """`python -m console.ssh` with a home of its own. `key` is listed in its authorized_keys, and
    lies outside ~/.ssh."""

    def __init__(self, folder: Path, *flags: str, fds: tuple[int, ...] = ()) -> None:
        self.folder = folder
        self.user_home = folder / "user"
        self.ssh = self.user_home / ".ssh"
        if not self.ssh.exists():
            self.ssh.mkdir(parents=True, mode=0o700)
            key = make_key(folder, "login")
            (self.ssh / "authorized_keys").write_text(key.with_suffix(".pub").read_text())
        self.key = folder / "login"
        self.stderr = folder / "stderr"
        env = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.user_home),
            "POINTSMAN_HOME": str(folder / "pointsman"),
            "OPENAI_API_KEY": CANARY,
            "DEEPSEEK_API_KEY": CANARY,
        }
        command = [sys.executable, "-m", "console.ssh", "--child", "--port", "0", *flags]
        with self.stderr.open("ab") as stderr:
            self.process = subprocess.Popen(
                command,
                env=env,
                stdin=subprocess.PIPE,
                stdout=subprocess.PIPE,
                stderr=stderr,
                umask=0,
                pass_fds=fds,
            )
        assert self.process.stdout is not None
        self.ready: dict[str, Any] = json.loads(self.process.stdout.readline())
        self.port = int(self.ready.get("listening", 0))

    def stop(self) -> int:
        """Closes stdin, as a router that ends does. Returns the exit code."""
        assert self.process.stdin is not None
        assert self.process.stdout is not None
        self.process.stdin.close()
        try:
            return self.process.wait(PATIENCE)
        finally:
            self.process.kill()
            self.process.stdout.close()

    def log(self) -> list[dict[str, Any]]:
        """What it said on stderr. Complete only after `stop`."""
        return [json.loads(line) for line in self.stderr.read_text().splitlines()]

    def logged(self, message: str) -> list[dict[str, Any]]:
        return [line for line in self.log() if line["message"] == message]

    def client(self, *options: str, program: str = "ssh") -> list[str]:
        """The start of a command line: everything but host and command."""
        return [
            program,
            *options,  # first: the client takes the first value that it is given
            *("-F", "none", "-P" if program in ("scp", "sftp") else "-p", str(self.port)),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "LogLevel=ERROR", "-o", "IdentitiesOnly=yes"),
        ]

    def by_key(self, *options: str, program: str = "ssh") -> list[str]:
        return self.client("-i", str(self.key), "-o", "BatchMode=yes", *options, program=program)

    def by_password(self, *options: str, password: str = "devpassword") -> list[str]:
        return [
            *("sshpass", "-p", password),
            *self.client("-o", "LogLevel=INFO", "-o", "PubkeyAuthentication=no", *options),
        ]

    def run(self, command: str, *options: str, stdin: bytes = b"") -> Ran:
        return run([*self.by_key(*options), "developer@localhost", command], stdin=stdin)

    async def connect(self) -> asyncssh.SSHClientConnection:
        """A connection of ours, logged in by key: for what the OpenSSH client would not do."""
        return await asyncssh.connect(
            "127.0.0.1",
            self.port,
            username="developer",
            known_hosts=None,
            client_keys=[str(self.key)],
            agent_path=None,
            config=None,
        )


Ran = subprocess.CompletedProcess[bytes]


def run(command: list[str], *, stdin: bytes = b"", env: dict[str, str] | None = None) -> Ran:
    return subprocess.run(
        command, input=stdin, capture_output=True, timeout=PATIENCE, env=env, check=False
    )


class Terminal:
    """A client program on a terminal of ours, as a person's window is."""

    def __init__(self, command: list[str], columns: int = 90, rows: int = 30) -> None:
        master, slave = pty.openpty()
        self._master = master
        self.seen = b""
        self.resize(columns, rows)
        env = {"PATH": os.environ["PATH"], "TERM": "xterm-256color", "COLORTERM": "truecolor"}
        self.process = subprocess.Popen(
            command,
            stdin=slave,
            stdout=slave,
            stderr=slave,
            env=env,
            start_new_session=True,
            preexec_fn=lambda: fcntl.ioctl(0, termios.TIOCSCTTY, 0),
        )
        os.close(slave)

    def resize(self, columns: int, rows: int) -> None:
        size = struct.pack("HHHH", rows, columns, 0, 0)
        fcntl.ioctl(self._master, termios.TIOCSWINSZ, size)

    def send(self, text: str) -> None:
        os.write(self._master, text.encode())

    def until(self, text: str) -> str:
        """Reads until `text` was shown, and forgets what came before its end."""
        deadline = time.monotonic() + PATIENCE
        while text.encode() not in self.seen:
            left = deadline - time.monotonic()
            assert left > 0, f"{text!r} was never shown; last: {self.seen[-500:]!r}"
            if select.select([self._master], [], [], left)[0]:
                self.seen += self._read()
        shown, _, self.seen = self.seen.partition(text.encode())
        return shown.decode(errors="replace")

    def _read(self) -> bytes:
        try:
            data = os.read(self._master, 65536)
        except OSError:  # EIO: the client is gone
            data = b""
        assert data, f"the client ended; last: {self.seen[-500:]!r}"
        return data

    def ended(self) -> int:
        """Reads what it still shows until it ends. Returns its exit code."""
        deadline = time.monotonic() + PATIENCE
        while self.process.poll() is None:
            assert time.monotonic() < deadline, f"it does not end; last: {self.seen[-500:]!r}"
            if select.select([self._master], [], [], 0.05)[0]:
                with contextlib.suppress(OSError):
                    self.seen += os.read(self._master, 65536)
        return self.process.returncode

    def close(self) -> None:
        self.process.kill()
        self.process.wait(PATIENCE)
        os.close(self._master)
