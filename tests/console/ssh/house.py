"""A real router with SSH in a home of its own, where each role has a user of its name."""

from __future__ import annotations

import contextlib
import os
import signal
import subprocess
import sys
from pathlib import Path

import psutil

from console.ssh import users
from storage.home import home
from tests import harness
from tests.console.ssh.running import PATIENCE, Ran, make_key, run


class House:
    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.home = home({"POINTSMAN_HOME": str(folder)})
        folder.chmod(0o700)
        made = {role: make_key(folder, role) for role in users.ROLES}
        users.write(
            self.home.ssh_users,
            {
                role: users.User(role, role, (key.with_suffix(".pub").read_text().strip(),))
                for role, key in made.items()
            },
        )
        self.router = harness.start(folder, ssh=True)

    def ssh(self, role: str, *options: str) -> list[str]:
        return [
            *("ssh", "-F", "none", "-p", str(self.router.ssh_port), *options),
            *("-o", "StrictHostKeyChecking=no", "-o", "UserKnownHostsFile=/dev/null"),
            *("-o", "IdentitiesOnly=yes", "-i", str(self.folder / role), "-o", "BatchMode=yes"),
            *("-o", "LogLevel=ERROR", "any@127.0.0.1"),
        ]

    def run(self, role: str, command: str) -> Ran:
        return run([*self.ssh(role), command])

    def pointsman(self, *words: str, stdin: bytes = b"") -> Ran:
        start = "from console.main import pointsman; pointsman()"
        return subprocess.run(
            [sys.executable, "-c", start, *words],
            input=stdin,
            env=self.router.env,
            capture_output=True,
            timeout=PATIENCE,
            check=False,
        )

    def stop(self) -> None:
        self.router.stop()
        for stream in (self.router.process.stdout, self.router.process.stderr):
            assert stream is not None
            stream.close()
        # one that a test restarted is not our child
        if pid := self.home.lock.read_text().strip():
            with contextlib.suppress(ProcessLookupError, psutil.NoSuchProcess):
                os.kill(int(pid), signal.SIGTERM)
                psutil.Process(int(pid)).wait(PATIENCE)
