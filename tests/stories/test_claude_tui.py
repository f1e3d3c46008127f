"""The real Claude Code at its own screen, in tmux: its picker lists our models, what is picked is
what is asked, a session's name is asked of the background, and /context counts here."""

from __future__ import annotations

import asyncio
import json
import shutil
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.upstream import FakeUpstream
from tests.harness import Running, running
from tests.stories.installed import ENVIRON
from tests.stories.test_claude_code import KEY, TODAY, program
from tests.waiting import until

__all__ = ["program"]
pytestmark = [
    pytest.mark.real_client,
    pytest.mark.timeout(300),
    pytest.mark.skipif(shutil.which("tmux") is None, reason="tmux is not installed"),
]
#: seconds that another program's screen may take to show what is awaited
PATIENCE = 60.0


class Screen:
    """One tmux session of a server of its own."""

    def __init__(self, socket: Path) -> None:
        self._socket = str(socket)

    async def tmux(self, *words: str) -> str:
        process = await asyncio.create_subprocess_exec(
            *("tmux", "-S", self._socket, *words),
            stdout=asyncio.subprocess.PIPE,
            stderr=asyncio.subprocess.PIPE,
            env={"PATH": ENVIRON["PATH"], "LANG": "C.UTF-8", "TERM": "xterm"},
        )
        out, _ = await process.communicate()
        return out.decode("utf-8", "replace")

    async def keys(self, *keys: str) -> None:
        await self.tmux("send-keys", "-t", "t", *keys)

    async def until(self, *texts: str) -> str:
        """The screen once it shows one of the texts."""
        return await self.once(lambda shown: any(text in shown for text in texts))

    async def once(self, holds: Callable[[str], bool]) -> str:
        shown = ""

        async def seen() -> bool:
            nonlocal shown
            shown = await self.tmux("capture-pane", "-p", "-t", "t")
            return holds(shown)

        await until(seen, PATIENCE, lambda: shown)
        return shown

    async def command(self, words: str, listed: str) -> None:
        """A slash command, entered once its entry is on the list."""
        await self.keys("-l", words)
        await self.until(listed)
        await self.keys("Enter")


@pytest.fixture
def router(upstream: FakeUpstream, tmp_path: Path) -> Any:
    folder = tmp_path / "home" / ".claude-code-router"
    folder.mkdir(parents=True)
    chat = {
        "name": "deep",
        "api_base_url": upstream.url("/v1/chat/completions"),
        "api_key": "sk-d",
        "models": ["deepseek-chat", "small", "vendor/qwen3:30b"],
    }
    routes = {"default": "deep,deepseek-chat", "background": "deep,small"}
    own = {"APIKEY": KEY, "Providers": [chat], "Router": routes}
    (folder / "config.json").write_text(json.dumps(own))
    with running(tmp_path / "home") as found:
        yield found


@pytest.fixture
async def screen(router: Running, program: Any, tmp_path: Path) -> AsyncIterator[Screen]:
    home, work = tmp_path / "me", tmp_path / "me" / "w"
    work.mkdir(parents=True)
    trusted = {str(work): {"hasTrustDialogAccepted": True}}
    seen = {"hasCompletedOnboarding": True, "theme": "dark", "projects": trusted}
    (home / ".claude.json").write_text(json.dumps(seen))
    found = await asyncio.to_thread(program, TODAY)
    env = {
        "HOME": str(home),
        "PATH": ENVIRON["PATH"],
        "TERM": "xterm-256color",
        "LANG": "C.UTF-8",
        "ANTHROPIC_BASE_URL": f"{router.front}/claude-code",
        "ANTHROPIC_AUTH_TOKEN": KEY,
        "CLAUDE_CODE_ENABLE_GATEWAY_MODEL_DISCOVERY": "1",
        "DISABLE_AUTOUPDATER": "1",
    }
    made = Screen(tmp_path / "tmux")
    words = ["env", "-i", *(f"{name}={value}" for name, value in env.items()), str(found)]
    await made.tmux(
        "new-session", "-d", "-s", "t", "-x", "120", "-y", "50", "-c", str(work), *words
    )
    yield made
    await made.tmux("kill-server")


def chosen(shown: str) -> str:
    """The line of a list that the hand points at."""
    return next((line for line in reversed(shown.splitlines()) if "❯" in line), "")


def away_from(line: str) -> Callable[[str], bool]:
    return lambda shown: chosen(shown) != line


async def test_the_picker_and_the_context(screen: Screen, upstream: FakeUpstream) -> None:
    def asked(words: bytes) -> set[str]:
        """The models of the requests that hold these words."""
        return {seen.model for seen in upstream.requests if words in seen.body}

    await screen.until("Auto mode", "? for shortcuts", "/help")
    await screen.keys("-l", "hello there")
    await screen.keys("Enter")
    await screen.until("one two three")
    await until(lambda: asked(b"naming a coding session") == {"small"}, PATIENCE)
    await screen.command("/model", "Switch model")
    shown = await screen.until("deep/vendor/qwen3:30b")
    assert "deep/deepseek-chat" in shown
    for _ in range(20):  # down to it: how many models stand before it is the client's affair
        here = chosen(shown)
        if "qwen3" in here:
            break
        await screen.keys("Down")
        shown = await screen.once(away_from(here))
    await screen.keys("Enter")
    await screen.until("Yes, switch to")  # it minds the cache that it leaves
    await screen.keys("Enter")
    await screen.until("Set model to", "set model to", "Switched")
    await screen.keys("-l", "hello again")
    await screen.keys("Enter")
    # the turn, and a title beside it that names the same alias
    await until(lambda: asked(b"hello again") == {"vendor/qwen3:30b", "small"}, PATIENCE)
    before = len(upstream.requests)
    await screen.command("/context", "Show what fills")
    shown = await screen.until("tokens (")
    assert "deep" in shown or "claude-ccr" in shown
    assert len(upstream.requests) == before, "counted here, every one of them"
