"""The real CCR 2.0.0 is asked again for what is recorded of it: POINTSMAN_RECORD=1 writes it down.

It is found by CCR_PATH (its cli.js), or installed by npm into pytest's cache.
"""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import httpx
import pytest

from tests.fakes.upstream import FakeUpstream
from tests.harness import free_ports
from tests.router import ccr_cases
from tests.router.ccr_cases import RECORDED, decisions, written

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]

PACKAGE = "@musistudio/claude-code-router"
VERSION = "2.0.0"
#: read before the tests' clean environment takes it away; npm needs its own settings too
_ENVIRON = dict(os.environ)


@pytest.fixture(scope="session")
def cli(request: pytest.FixtureRequest) -> Path:
    if named := _ENVIRON.get("CCR_PATH"):
        return Path(named)
    if shutil.which("npm", path=_ENVIRON.get("PATH")) is None:
        pytest.skip("npm is not installed, and CCR_PATH names no cli.js")
    cache = request.config.cache
    assert cache is not None
    folder = cache.mkdir(f"ccr-{VERSION}")
    program = folder / "node_modules" / PACKAGE / "dist" / "cli.js"
    if not program.exists():
        made = subprocess.run(
            ["npm", "install", "--no-audit", "--no-fund", f"{PACKAGE}@{VERSION}"],
            cwd=folder,
            env=_ENVIRON,
            capture_output=True,
            text=True,
            timeout=240,
        )
        if made.returncode:
            pytest.skip(f"npm could not install CCR {VERSION}: {made.stderr[-300:]}")
    return program


@contextmanager
def original(cli: Path, home: Path, port: int) -> Iterator[str]:
    """CCR in the foreground, until the block ends."""
    process = subprocess.Popen(
        ["node", str(cli), "start"],
        cwd=home,
        env={"HOME": str(home), "PATH": _ENVIRON["PATH"], "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:
        for _ in range(200):
            try:
                httpx.get(f"{base}/health", timeout=5)
                break
            except httpx.TransportError:
                assert process.poll() is None, "CCR did not start"
                time.sleep(0.05)  # another program's start: there is nothing to wait on
        yield base
    finally:
        process.terminate()
        try:
            process.wait(20)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


async def test_the_record_is_what_ccr_does(
    cli: Path, tmp_path: Path, upstream: FakeUpstream
) -> None:
    (port,) = free_ports(1)
    written(tmp_path / "home", upstream.url("")[7:], port)
    with original(cli, tmp_path / "home", port) as base:
        made = await decisions(base, upstream)
    if _ENVIRON.get("POINTSMAN_RECORD"):
        file = Path(ccr_cases.__file__).with_name("ccr_recorded.json")
        file.write_text(json.dumps(made, indent=1) + "\n")
    assert made == RECORDED
