"""A process under measurement: started on one core, watched as a tree, ended by its own pid."""

from __future__ import annotations

import os
import subprocess
import time
import urllib.error
import urllib.request
from collections.abc import Mapping, Sequence
from pathlib import Path

import psutil

#: seconds between two questions whether a program answers yet
AGAIN = 0.1


class Measured:
    """`command` on core `core`; its output goes to a file in `folder`."""

    def __init__(
        self, name: str, command: Sequence[str], core: int, folder: Path, env: Mapping[str, str]
    ) -> None:
        self.name = name
        self.log = folder / "output.txt"
        kept = {key: os.environ[key] for key in ("PATH", "LANG") if key in os.environ}
        with self.log.open("wb") as output:
            self._process = psutil.Popen(
                ["taskset", "-c", str(core), *command],
                env={**kept, "HOME": str(folder), **env},
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=output,
                stderr=output,
                start_new_session=True,
            )

    def wait_ready(self, url: str, seconds: float = 60.0) -> None:
        """Until `url` answers anything. Raises RuntimeError with the last words of the process."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            if self._process.poll() is not None:
                break
            try:
                with urllib.request.urlopen(url, timeout=2):
                    return
            except urllib.error.HTTPError:
                return
            except OSError:
                time.sleep(AGAIN)
        words = self.log.read_text(errors="replace")[-600:]
        raise RuntimeError(f"{self.name} did not come up:\n{words}")

    def cpu(self) -> float:
        """Seconds of CPU that the whole tree has used."""
        total = 0.0
        for process in self._tree():
            try:
                times = process.cpu_times()
            except psutil.NoSuchProcess:
                continue
            total += times.user + times.system
        return total

    def rss(self) -> float:
        """Megabytes of the process itself and of those it works with (its tree)."""
        total = 0
        for process in self._tree():
            try:
                total += process.memory_info().rss
            except psutil.NoSuchProcess:
                continue
        return total / 2**20

    def stop(self) -> None:
        tree = self._tree()
        for process in reversed(tree):
            try:
                process.terminate()
            except psutil.NoSuchProcess:
                continue
        for process in psutil.wait_procs(tree, timeout=5)[1]:
            process.kill()

    def _tree(self) -> list[psutil.Process]:
        try:
            return [self._process, *self._process.children(recursive=True)]
        except psutil.NoSuchProcess:
            return []
