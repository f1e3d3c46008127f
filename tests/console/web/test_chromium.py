"""The console in a real browser: keys, mouse, size, letters of the world, and who is kept out."""

from __future__ import annotations

import asyncio
import contextlib
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from tests.console.web.chromium import PROGRAM, Tab, chromium
from tests.console.web.conftest import Door
from tests.harness import free_ports

pytestmark = [
    pytest.mark.real_client,
    pytest.mark.skipif(PROGRAM is None, reason="needs Chromium"),
]

SCREEN = """
Array.from({length: terminal.rows}, (_, y) => terminal.buffer.active.getLine(y)
  .translateToString(true)).join("\\n")
"""


@pytest.fixture
async def tab(tmp_path: Path) -> AsyncIterator[Tab]:
    async with chromium(tmp_path / "profile") as tab:
        yield tab


def shows(text: str) -> str:
    return f"({SCREEN}).includes({text!r})"


async def test_the_console_in_chromium(door: Door, tab: Tab, tmp_path: Path) -> None:
    link = await asyncio.to_thread(door.link, "--role", "shell")
    await tab.go(link.replace("/console/", "/console/?screen=costs"))
    await tab.until(shows("7 days"))
    assert await tab.run("location.hash") == "", "the ticket does not stay in the address"
    # keys
    await tab.press("Escape", 27)
    await tab.type("1")
    await tab.until(shows("req/s"))
    # the mouse: a click on the tab of the second screen
    where = await tab.run(
        f"""(() => {{
          const line = ({SCREEN}).split("\\n")[1], box = terminal.element.getBoundingClientRect();
          const x = line.indexOf("Costs"), cell = box.width / terminal.cols;
          return [box.left + (x + 2) * cell, box.top + 1.5 * box.height / terminal.rows];
        }})()"""
    )
    await tab.click(*where)
    await tab.until(shows("7 days"))
    # the size follows the window
    before = await tab.run("[terminal.cols, terminal.rows].join()")
    await tab.size(760, 420)
    await tab.until(f"[terminal.cols, terminal.rows].join() !== {before!r}")
    cols = await tab.run("terminal.cols")
    await tab.until(f"({SCREEN}).split('\\n')[0].length > {cols - 12}")
    # letters of the world, into a shell and back
    await tab.size(1100, 700)
    await tab.type("!")
    await tab.until(shows("exit"))
    await tab.paste("echo 'grüße, мир 日本 ✓'")
    await tab.enter()
    await tab.until(f"({SCREEN}).split('grüße, мир 日本 ✓').length > 2")
    await tab.type("exit")
    await tab.enter()
    await tab.until(shows("req/s"))
    await tab.picture(tmp_path / "console.png")
    # a page that is loaded again comes back to its console
    await tab.do("Page.reload")
    await tab.until("typeof terminal === 'object' && " + shows("req/s"))
    assert tab.complaints == []


async def test_who_is_kept_out_in_chromium(door: Door, tab: Tab) -> None:
    await tab.go(f"http://{door.address}/console/")
    await tab.until("!document.getElementById('asked').hidden")
    assert "pointsman web" in await tab.run("document.getElementById('words').textContent")
    # a page of somewhere else cannot open the socket, not even with a good ticket
    ticket = await asyncio.to_thread(door.ticket)
    await tab.go("data:text/html,<title>elsewhere</title>")
    await tab.until("document.title === 'elsewhere'")
    await tab.run(
        f"var outcome = ''; var s = new WebSocket('ws://{door.address}/console/ws',"
        f" ['pointsman', 'ticket.{ticket}']); s.onopen = () => outcome = 'open';"
        " s.onerror = () => outcome = 'refused'; 1"
    )
    assert await tab.until("outcome") == "refused"
    # … and the ticket is still good for the page that it was meant for
    await tab.go(f"http://{door.address}/console/#ticket={ticket}")
    await tab.until("typeof terminal === 'object' && " + shows("req/s"))


NGINX = shutil.which("nginx") or shutil.which("nginx", path="/usr/sbin")
CONFIG = """
daemon off; pid {folder}/nginx.pid; error_log {folder}/error.log;
events {{}}
http {{
  access_log off;
  client_body_temp_path {folder}/b; proxy_temp_path {folder}/p; fastcgi_temp_path {folder}/f;
  uwsgi_temp_path {folder}/u; scgi_temp_path {folder}/s;
  server {{
    listen 127.0.0.1:{port};
    location /tools/pointsman/ {{
      proxy_pass http://{front}/;
      proxy_http_version 1.1;
      proxy_set_header Host $http_host;
      proxy_set_header Upgrade $http_upgrade;
      proxy_set_header Connection "upgrade";
    }}
  }}
}}
"""


@contextlib.asynccontextmanager
async def nginx(folder: Path, port: int, front: str) -> AsyncIterator[None]:
    """A real nginx that has the front door under a prefix."""
    assert NGINX is not None
    path = folder / "nginx.conf"
    path.write_text(CONFIG.format(folder=folder, port=port, front=front))
    process = await asyncio.create_subprocess_exec(
        NGINX, "-e", str(folder / "error.log"), "-c", str(path), stdin=subprocess.DEVNULL
    )
    try:
        async with asyncio.timeout(10):
            while True:
                with contextlib.suppress(OSError):
                    _, writer = await asyncio.open_connection("127.0.0.1", port)
                    writer.close()
                    break
                await asyncio.sleep(0.05)
        yield
    finally:
        process.terminate()
        await process.wait()


@pytest.mark.skipif(NGINX is None, reason="needs nginx")
async def test_under_a_prefix_behind_nginx(door: Door, tab: Tab, tmp_path: Path) -> None:
    """`location /tools/pointsman/`: the page, its files, its socket, and the way back when nginx
    was away; the pages of the guide lead there too."""
    (port,) = free_ports(1)
    front = door.address.replace("localhost", "127.0.0.1")
    base = f"http://localhost:{port}/tools/pointsman"
    async with nginx(tmp_path, port, front):
        ticket = await asyncio.to_thread(door.ticket)
        await tab.go(f"{base}/console/?screen=costs#ticket={ticket}")
        await tab.until(shows("7 days"))
        await tab.type("1")
        await tab.until(shows("req/s"))
    await tab.until("document.getElementById('words').textContent.includes('trying again')")
    async with nginx(tmp_path, port, front):
        await tab.until("document.getElementById('notice').hidden && " + shows("req/s"))
        for path in ("/ccr/ui", "/litellm/", "/chat"):
            await tab.go(f"{base}{path}")
            await tab.until("location.pathname.startsWith('/tools/pointsman/')")
            await tab.until("typeof terminal === 'object'")
