"""The landing page in a real Chromium: its script runs under its own policy and keeps it true."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
from pathlib import Path

import pytest

from tests.console.web.chromium import chromium as in_chromium
from tests.harness import running

pytestmark = pytest.mark.real_client
#: the rows are in the page as it is served; its style and its script come after them
WHOLE = "document.readyState === 'complete' && !!document.querySelector('#services td.up')"


def look(folder: Path, url: str) -> tuple[str, str]:
    """The page as it stands after two seconds, and what the browser complained of."""
    chromium = shutil.which("chromium") or shutil.which("google-chrome")
    if chromium is None:
        pytest.skip("Chromium is not installed")
    # files, not pipes: helpers of the browser live on for a moment and would hold the ends
    shown, said = folder / "shown", folder / "said"
    with shown.open("w") as out, said.open("w") as err:
        subprocess.run(
            [
                *(chromium, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
                *("--disable-background-networking", f"--user-data-dir={folder / 'profile'}"),
                *("--enable-logging=stderr", "--virtual-time-budget=5000", "--dump-dom", url),
            ],
            stdout=out,
            stderr=err,
            timeout=90,
            check=True,
        )
    wrong = [line for line in said.read_text().splitlines() if "CONSOLE" in line]
    return shown.read_text(), "\n".join(wrong)


def test_the_landing_page_runs_under_its_own_policy(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with running(home) as router:
        port = router.front.rpartition(":")[2]
        page, complaints = look(tmp_path, f"http://localhost:{port}/")
        assert complaints == ""
        assert page.count("<button>Copy</button>") == 4
        assert f"http://localhost:{port}/claude-code" in page
        # drawn by the script, from /health: the server's own rows have no space before the number
        assert '<td class="number" data-of="errors">0</td>' in page
        assert '<td class="up">● up</td>' in page


async def test_the_landing_page_fits_the_smallest_phone(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    with running(home) as router:
        async with in_chromium(tmp_path / "profile") as tab:
            await tab.size(335, 700)  # 320 and a scroll bar
            await tab.go(router.front)
            await tab.until(WHOLE)
            wide, room = await tab.run(
                "[document.documentElement.scrollWidth, document.documentElement.clientWidth]"
            )
    assert wide == room


async def test_the_landing_page_of_a_router_that_is_gone_claims_nothing(tmp_path: Path) -> None:
    home = tmp_path / "home"
    home.mkdir()
    states = "[...document.querySelectorAll('[data-service], #services td:nth-child(2)')]"
    with running(home) as router:
        async with in_chromium(tmp_path / "profile") as tab:
            await tab.go(router.front)
            await tab.until(WHOLE)
            os.kill(router.process.pid, signal.SIGSTOP)  # it listens, and never answers
            try:
                await tab.until("summary.innerText === 'the router does not answer'")
                assert await tab.run(f"{states}.every(one => one.innerText === '○ unknown')")
            finally:
                os.kill(router.process.pid, signal.SIGCONT)
            await tab.until("!!document.querySelector('#services td.up')")
