"""`override` and `ccr model`: what is asked of the router, word for word."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
from pathlib import Path

import pytest

from router.contract import ClearOverride, ListModels, SetOverride
from storage.home import Home
from tests.console.commands.conftest import Invoke, Run
from tests.console.commands.fake import EVIL, Fake


@pytest.mark.parametrize(
    ("words", "scope", "seconds", "forced"),
    [
        ((), "everywhere", None, False),
        (("--for", "30m"), "everywhere", 1800.0, False),
        (("--for", "1h30m", "--session", "abc"), "session:abc", 5400.0, False),
        (("--key", "key-1"), "key:key-1", None, False),
        (("--scenario", "think", "--force"), "scenario:think", None, True),
    ],
)
async def test_override_set(
    here: Home,
    pointsman: Invoke,
    words: tuple[str, ...],
    scope: str,
    seconds: float | None,
    forced: bool,
) -> None:
    async with Fake(here) as fake:
        result = await pointsman("override", "set", "deepseek,deepseek-chat", *words)
        (action,) = fake.actions
    assert result.exit_code == 0
    assert isinstance(action, SetOverride)
    assert action.by
    wanted = (scope, "deepseek,deepseek-chat", seconds, forced)
    assert (action.scope, action.target, action.seconds, action.forced) == wanted
    assert scope in result.stdout


async def test_override_list_and_clear(here: Home, pointsman: Invoke) -> None:
    async with Fake(here) as fake:
        assert "no overrides" in (await pointsman("override", "list")).stdout
        await pointsman("override", "set", EVIL)
        listed = await pointsman("override", "list")
        assert "\x1b" not in listed.stdout
        assert "evil" in listed.stdout
        (view,) = json.loads((await pointsman("override", "list", "--json")).stdout)
        assert view["target"] == EVIL
        missing = await pointsman("override", "clear", "nope")
        assert (missing.exit_code, missing.stderr) == (1, "there is no override 'nope'\n")
        assert (await pointsman("override", "clear", view["id"])).exit_code == 0
        assert (await pointsman("override", "clear", "--all")).exit_code == 0
        assert fake.overrides == {}
        assert [a.id for a in fake.actions if isinstance(a, ClearOverride)] == ["nope", "o1", "all"]


@pytest.mark.parametrize(
    "words",
    [
        ("set",),
        ("set", "a,b", "--for", "soon"),
        ("set", "a,b", "--session", "s", "--key", "k"),
        ("clear",),
        ("clear", "o1", "--all"),
    ],
)
async def test_wrong_usage(here: Home, pointsman: Invoke, words: tuple[str, ...]) -> None:
    async with Fake(here) as fake:
        result = await pointsman("override", *words)
    assert result.exit_code == 2
    assert fake.actions == []


async def test_a_refusal_is_said_clean(here: Home, pointsman: Invoke) -> None:
    async with Fake(here) as fake:
        fake.refuse = EVIL
        result = await pointsman("override", "set", "a,b")
    assert result.exit_code == 1
    assert "evil" in result.stderr
    assert "\x1b" not in result.stderr


async def test_ccr_model_lists_without_a_terminal(here: Home, run: Run) -> None:
    async with Fake(here) as fake:
        code, out, _ = await run("ccr", "model", stdin=b"1\n1\n")
    assert code == 0
    assert "deepseek,deepseek-chat" in out
    assert "Which" not in out
    assert fake.actions == [ListModels()]


async def test_ccr_model_switches_at_a_terminal(
    here: Home, env: dict[str, str], tmp_path: Path
) -> None:
    """A real pty: an answer that fits nothing is asked again, a part of a name is enough."""
    code = "from console.main import ccr; ccr()"
    leader, follower = pty.openpty()
    async with Fake(here) as fake:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", code, "model"),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=env,
            cwd=tmp_path,
        )
        os.close(follower)
        os.write(leader, b"99\ndefault\nopenr\nsonnet\n")
        shown = await asyncio.to_thread(everything, leader)
        assert await child.wait() == 0
        _, action = fake.actions  # the first asks for the models
    os.close(leader)
    assert isinstance(action, SetOverride)
    assert (action.scope, action.target) == ("scenario:default", "openrouter,claude-3-5-sonnet")
    assert b"a number, or a part of one name" in shown
    assert b"1  deepseek    1 model" in shown
    assert b"claude-3-5-sonnet  $3.00 / $15.00  200,000 tokens" in shown
    assert b"pointsman override clear o1" in shown


def everything(leader: int) -> bytes:
    """What a pty shows until its last user has closed it (EIO on Linux)."""
    shown = b""
    while True:
        try:
            read = os.read(leader, 65_536)
        except OSError:
            return shown
        if not read:
            return shown
        shown += read
