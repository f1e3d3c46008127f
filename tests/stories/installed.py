"""The real programs that stories drive, each installed once into pytest's cache, and how they run.

Its one rule: what is not there and cannot be installed skips the test, and says why. A variable
(CLAUDE_PATH, …) may name a program that is there already.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
import sys
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

import pytest

#: read before the tests' clean environment takes it away: npm and pip need their own settings
ENVIRON = dict(os.environ)
#: seconds
_INSTALL = 300
_RUN = 90


def from_npm(cache: pytest.Cache, package: str, version: str, program: str, named: str) -> Path:
    """The program of an npm package, or its path in `node_modules` where npm makes no link of it;
    `named` is the variable that may name another."""
    if found := ENVIRON.get(named):
        return Path(found)
    folder = cache.mkdir(f"{package.rpartition('/')[2]}-{version}")
    path = folder / "node_modules" / (program if "/" in program else f".bin/{program}")
    if not path.exists():
        if shutil.which("npm", path=ENVIRON.get("PATH")) is None:
            pytest.skip(f"npm is not installed, and {named} names no {program}")
        quiet = ("--no-audit", "--no-fund")
        _install(folder, "npm", "install", *quiet, f"{package}@{version}")
    return path


def from_pypi(cache: pytest.Cache, name: str, *packages: str, named: str) -> Path:
    """The `bin` of an environment with these packages: what they need is not what we need."""
    if found := ENVIRON.get(named):
        return Path(found)
    folder = cache.mkdir(f"pypi-{name}")
    path, whole = folder / "bin", folder / "whole"
    if not whole.exists():
        _install(folder, sys.executable, "-m", "venv", ".")
        _install(folder, "bin/python", "-m", "pip", "install", "--quiet", *packages)
        whole.touch()
    return path


def _install(folder: Path, *command: str) -> None:
    made = subprocess.run(
        command, cwd=folder, env=ENVIRON, capture_output=True, text=True, timeout=_INSTALL
    )
    if made.returncode:
        pytest.skip(f"could not install: {' '.join(command)}: {made.stderr[-300:]}")


@dataclass(frozen=True)
class Ran:
    code: int
    out: str
    errors: str


async def ran(program: Path, *arguments: str, at: Path, env: Mapping[str, str]) -> Ran:
    """Runs a program to its end in the folder `at`, which is its home too. Of our own environment
    it sees the PATH alone."""
    await asyncio.to_thread(at.mkdir, parents=True, exist_ok=True)
    process = await asyncio.create_subprocess_exec(
        *(str(program), *arguments),
        cwd=at,
        env={"HOME": str(at), "PATH": ENVIRON.get("PATH", ""), "TERM": "xterm", **env},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.PIPE,
    )
    try:
        out, errors = await asyncio.wait_for(process.communicate(), _RUN)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return Ran(
        process.returncode or 0, out.decode("utf-8", "replace"), errors.decode("utf-8", "replace")
    )
