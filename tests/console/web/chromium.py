"""A headless Chromium, driven by its own DevTools protocol over a WebSocket."""

from __future__ import annotations

import asyncio
import base64
import contextlib
import json
import shutil
import subprocess
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

from websockets.asyncio.client import ClientConnection, connect

PROGRAM = shutil.which("chromium") or shutil.which("google-chrome")
PATIENCE = 30.0


class Tab:
    def __init__(self, socket: ClientConnection) -> None:
        self._socket = socket
        self._number = 0
        #: what the page complained of
        self.complaints: list[str] = []

    async def do(self, method: str, **params: Any) -> Any:
        self._number += 1
        await self._socket.send(
            json.dumps({"id": self._number, "method": method, "params": params})
        )
        async with asyncio.timeout(PATIENCE):
            while True:
                said = json.loads(await self._socket.recv())
                if said.get("id") == self._number:
                    assert "error" not in said, said
                    return said["result"]
                if said.get("method") in ("Log.entryAdded", "Runtime.exceptionThrown"):
                    self.complaints.append(json.dumps(said["params"]))

    async def run(self, script: str) -> Any:
        found = await self.do("Runtime.evaluate", expression=script, returnByValue=True)
        assert "exceptionDetails" not in found, found
        return found["result"].get("value")

    async def until(self, script: str) -> Any:
        """Asks the page again and again until `script` gives something true."""
        async with asyncio.timeout(PATIENCE):
            # what the page has not made yet is not there yet
            patient = f"(() => {{ try {{ return {script}; }} catch {{ return null; }} }})()"
            while not (value := await self.run(patient)):
                await self.do(
                    "Runtime.evaluate",
                    expression="new Promise(requestAnimationFrame)",
                    awaitPromise=True,
                )
        return value

    async def go(self, url: str) -> None:
        await self.do("Page.navigate", url=url)

    async def type(self, text: str) -> None:
        """As a keyboard does for characters that it has, as a composition does for others."""
        for character in text:
            await self.do("Input.dispatchKeyEvent", type="keyDown", text=character, key=character)
            await self.do("Input.dispatchKeyEvent", type="keyUp", key=character)

    async def paste(self, text: str) -> None:
        """As an input method gives it."""
        await self.do("Input.insertText", text=text)

    async def enter(self) -> None:
        for kind in ("keyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, key="Enter", code="Enter", text="\r",
                          windowsVirtualKeyCode=13)  # fmt: skip

    async def press(self, key: str, code: int, modifiers: int = 0) -> None:
        for kind in ("rawKeyDown", "keyUp"):
            await self.do("Input.dispatchKeyEvent", type=kind, key=key, code=key,
                          windowsVirtualKeyCode=code, modifiers=modifiers)  # fmt: skip

    async def click(self, x: float, y: float) -> None:
        for kind in ("mousePressed", "mouseReleased"):
            await self.do("Input.dispatchMouseEvent", type=kind, x=x, y=y, button="left",
                          clickCount=1)  # fmt: skip

    async def size(self, width: int, height: int) -> None:
        await self.do("Emulation.setDeviceMetricsOverride", width=width, height=height,
                      deviceScaleFactor=1, mobile=False)  # fmt: skip

    async def picture(self, path: Path) -> None:
        found = await self.do("Page.captureScreenshot", format="png")
        await asyncio.to_thread(path.write_bytes, base64.b64decode(found["data"]))


@contextlib.asynccontextmanager
async def chromium(folder: Path) -> AsyncIterator[Tab]:
    assert PROGRAM is not None
    words = [
        *(PROGRAM, "--headless=new", "--no-sandbox", "--disable-gpu", "--no-first-run"),
        *("--disable-dev-shm-usage", "--disable-background-networking", "--window-size=1100,700"),
        *(f"--user-data-dir={folder}", "--remote-debugging-port=0", "about:blank"),
    ]
    process = await asyncio.create_subprocess_exec(
        *words, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.PIPE
    )
    try:
        assert process.stderr is not None
        async with asyncio.timeout(PATIENCE):
            while b"DevTools listening on ws://" not in (line := await process.stderr.readline()):
                assert line, "Chromium ended"
        browser = line.decode().split("listening on ")[1].strip()
        drain = asyncio.create_task(process.stderr.read())
        async with connect(browser, max_size=None) as control:
            whole = Tab(control)
            target = await whole.do("Target.createTarget", url="about:blank")
            host = browser.removeprefix("ws://").partition("/")[0]
            page = f"ws://{host}/devtools/page/{target['targetId']}"
            async with connect(page, max_size=None) as socket:
                tab = Tab(socket)
                for domain in ("Page", "Runtime", "Log"):
                    await tab.do(f"{domain}.enable")
                yield tab
            await whole.do("Browser.close")
        await drain
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()
