"""The real CCR 2.0.0 is asked again for what is recorded of it: POINTSMAN_RECORD=1 writes it down.

CCR_PATH may name another cli.js.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import httpx
import pytest

from tests.fakes.upstream import FakeUpstream
from tests.harness import free_ports
from tests.router import ccr_cases
from tests.router.ccr_cases import RECORDED, decisions, written
from tests.stories.installed import ENVIRON, from_npm
from tests.waiting import wait_until

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]

PACKAGE = "@musistudio/claude-code-router"
VERSION = "2.0.0"


@pytest.fixture(scope="session")
def cli(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    return from_npm(pytestconfig.cache, PACKAGE, VERSION, "ccr", "CCR_PATH")


@contextmanager
def original(cli: Path, home: Path, port: int) -> Iterator[str]:
    """CCR in the foreground, until the block ends."""
    process = subprocess.Popen(
        ["node", str(cli), "start"],
        cwd=home,
        env={"HOME": str(home), "PATH": ENVIRON["PATH"], "LANG": "C.UTF-8"},
        stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    base = f"http://127.0.0.1:{port}"
    try:

        def listens() -> bool:
            assert process.poll() is None, "CCR did not start"
            with suppress(httpx.TransportError):
                httpx.get(f"{base}/health", timeout=5)
                return True
            return False

        wait_until(listens)
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
    if ENVIRON.get("POINTSMAN_RECORD"):
        file = Path(ccr_cases.__file__).with_name("ccr_recorded.json")
        file.write_text(json.dumps(made, indent=1) + "\n")
    assert made == RECORDED
