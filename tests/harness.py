"""A real router in a process of its own, on free ports and a home of its own, for stories."""

from __future__ import annotations

import json
import os
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path

import httpx

#: what of the environment a router under test may see: no key, no proxy, no real home
KEPT = ("PATH", "LANG", "LC_ALL", "SSL_CERT_FILE", "VIRTUAL_ENV")


def free_ports(count: int) -> list[int]:
    """Ports nobody listens on now. They are all held until the last is found, so they differ."""
    sockets = [socket.socket() for _ in range(count)]
    try:
        for each in sockets:
            each.bind(("127.0.0.1", 0))
        return [each.getsockname()[1] for each in sockets]
    finally:
        for each in sockets:
            each.close()


@dataclass
class Running:
    """`front`, `litellm` and `ccr` are base URLs without a trailing slash."""

    home: Path
    process: subprocess.Popen[str]
    front: str
    litellm: str
    ccr: str
    ssh_port: int
    ready: dict[str, object]
    env: dict[str, str] = field(default_factory=dict)

    def get(self, path: str, **more: object) -> httpx.Response:
        return httpx.get(self.front + path, timeout=30, **more)  # type: ignore[arg-type]

    def post(self, path: str, body: object, **more: object) -> httpx.Response:
        return httpx.post(self.front + path, json=body, timeout=60, **more)  # type: ignore[arg-type]

    def kill(self) -> None:
        self.process.kill()
        self.process.wait(10)

    def stop(self) -> int:
        """SIGTERM; returns the exit code."""
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
        return self.process.wait(30)


def environment(home: Path, **more: str) -> dict[str, str]:
    kept = {name: os.environ[name] for name in KEPT if name in os.environ}
    return kept | {
        "HOME": str(home),
        "POINTSMAN_HOME": str(home),
        "POINTSMAN_SIMULATOR_PACE": "0",
        **more,
    }


def start(home: Path, *flags: str, ssh: bool = False, **env: str) -> Running:
    """Starts `python -m router serve` and waits until it says that it listens. A client's own end
    may take a port between our look and the router's: then others are tried."""
    environ = environment(home, **env)
    line, tries = "", 3
    while not line:
        front, litellm, ccr, ssh_port = free_ports(4)
        process = subprocess.Popen(
            [
                *(sys.executable, "-m", "router", "serve"),
                *("--port", str(front), "--litellm-port", str(litellm), "--ccr-port", str(ccr)),
                *("--ssh-port", str(ssh_port if ssh else 0)),
                *flags,
            ],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.PIPE,
            text=True,
            env=environ,
        )
        assert process.stdout is not None
        line, tries = process.stdout.readline(), tries - 1
        if not line:
            _, said = process.communicate()
            if "is taken by" not in said or not tries:
                raise RuntimeError(f"the router did not start: {said}")
    return Running(
        home=home,
        process=process,
        front=f"http://127.0.0.1:{front}",
        litellm=f"http://127.0.0.1:{litellm}",
        ccr=f"http://127.0.0.1:{ccr}",
        ssh_port=ssh_port,
        ready=json.loads(line),
        env=environ,
    )


@contextmanager
def running(home: Path, *flags: str, ssh: bool = False, **env: str) -> Iterator[Running]:
    """As `start`, and ended with the block."""
    router = start(home, *flags, ssh=ssh, **env)
    try:
        yield router
    finally:
        router.stop()
        for stream in (router.process.stdout, router.process.stderr):
            if stream is not None:
                stream.close()
