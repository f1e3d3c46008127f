"""`override` and `ccr model`: what is asked of the router, word for word."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import sys
import termios
from pathlib import Path

import click
import msgspec
import pytest
from click.testing import CliRunner

from console.adding import add
from console.output import who
from router.contract import AddModels, ClearOverride, EditRoutes, ListModels, SetOverride
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
        await pointsman("override", "set", f"p,{EVIL}")
        listed = await pointsman("override", "list")
        assert "\x1b" not in listed.stdout
        assert "evil" in listed.stdout
        (view,) = json.loads((await pointsman("override", "list", "--json")).stdout)
        assert view["target"] == f"p,{EVIL}"
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
        ("set", "deepseek"),
        ("set", "deepseek,"),
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
    """A real pty: a part of a name is enough, Esc asks the question before again, and the choice is
    kept in config.json. Then for now: an override."""
    async with Fake(here) as fake:
        shown = await _choosing(
            env,
            tmp_path,
            (b"Which scenario?", b"thi\r"),
            (b"which provider?", b"\x1b"),
            (b"Which scenario?", b"\r"),
            (b"which provider?", b"openr\r"),
            (b"which model?", b"\r"),
            (b"for how long?", b"\r"),
        )
        assert b"default now goes to openrouter,claude-3-5-sonnet" in shown
        assert b"$3.00 / $15.00" in shown
        assert b"written into /x/config.json" in shown
        _, edit = fake.actions  # the first asks for the models
        assert edit == EditRoutes({"default": "openrouter,claude-3-5-sonnet"}, False, who(), True)
        shown = await _choosing(
            env, tmp_path, (b"Which scenario?", b"everything\r"), (b"which provider?", b"\r"),
            (b"which model?", b"\r"),
        )  # fmt: skip
        assert b"pointsman override clear o1" in shown
        assert isinstance(fake.actions[-1], SetOverride)
        assert fake.actions[-1].scope == "everywhere"


@pytest.mark.parametrize(
    ("provider", "typed", "asked"),
    [
        ("deepseek", "r1, r2\n", AddModels("deepseek", ("r1", "r2"))),
        (
            "",
            "mine\nhttp://x/v1\n$MINE\nbig\n\n",
            AddModels("mine", ("big",), "http://x/v1", "$MINE"),
        ),
        (
            "",
            'mine\nhttp://x/v1\n\nbig\n[["maxtoken", {"max_tokens": 9}], "deepseek"]\n',
            AddModels(
                "mine", ("big",), "http://x/v1", "", (["maxtoken", {"max_tokens": 9}], "deepseek")
            ),
        ),
    ],
)
async def test_ccr_model_adds_models(
    here: Home, env: dict[str, str], provider: str, typed: str, asked: AddModels
) -> None:
    command = click.Command("add", callback=lambda: add(provider))
    async with Fake(here) as fake:
        done = await asyncio.to_thread(CliRunner().invoke, command, [], typed)
    assert done.exit_code == 0, done.output
    assert fake.actions == [msgspec.structs.replace(asked, by=who())]
    assert "written into /x/config.json" in done.output
    assert "\x1b" not in done.output


async def _choosing(env: dict[str, str], folder: Path, *steps: tuple[bytes, bytes]) -> bytes:
    """`ccr model` at a terminal: at each text that shows itself, some keys."""
    leader, follower = pty.openpty()
    termios.tcsetwinsize(leader, (30, 100))
    child = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", "from console.main import ccr; ccr()", "model"),
        stdin=follower, stdout=follower, stderr=follower, cwd=folder,
        env=env | {"TERM": "xterm-256color"},
    )  # fmt: skip
    os.close(follower)

    def play() -> bytes:
        shown = b""
        at = 0
        for text, keys in steps:
            while text not in shown[at:]:
                shown += os.read(leader, 65_536)
            at = len(shown)
            os.write(leader, keys)
        return shown + everything(leader)

    shown = await asyncio.to_thread(play)
    os.close(leader)
    assert await child.wait() == 0
    return shown


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
