"""`ccr`: Claude Code Router's words, what Claude Code is given, and the answer without it."""

from __future__ import annotations

import asyncio
import json
import os
import pty
import shutil
import sys
from pathlib import Path
from typing import Any

import msgspec
import pytest

from console.claude import (
    Settings,
    arguments,
    base_url,
    environment,
    project_of,
    settings,
    take_context,
    with_headers,
)
from router.contract import ClientKeys, Invite, Listener, RequestView, ServiceView, Tokens
from storage.home import Home
from tests.console.commands.conftest import Invoke, Run
from tests.console.commands.fake import EVIL, Fake, answer, installed, sse
from tests.console.commands.test_changing import everything

CLAUDE = """#!/usr/bin/env python3
import json, os, sys
piped = "" if sys.stdin.isatty() else sys.stdin.read()
print(json.dumps({"args": sys.argv[1:], "env": dict(os.environ), "stdin": piped}))
sys.exit(7)
"""


@pytest.fixture
def claude(tmp_path: Path) -> dict[str, str]:
    """A `claude` on the PATH that tells what it was given and ends with 7."""
    folder = tmp_path / "bin"
    folder.mkdir()
    (folder / "claude").write_text(CLAUDE)
    (folder / "claude").chmod(0o755)
    return {"PATH": f"{folder}{os.pathsep}{os.environ['PATH']}"}


@pytest.fixture
def nothing(tmp_path: Path) -> dict[str, str]:
    """A PATH with no `claude` on it."""
    return {"PATH": str(tmp_path)}


# ── status and activate ───────────────────────────────────────────────────────────────────────────


async def test_status_has_the_original_layout(here: Home, ccr: Invoke) -> None:
    async with Fake(here) as fake:
        result = await ccr("status")
    assert result.exit_code == 0
    assert result.stdout == (
        "\n📊 Claude Code Router Status\n"
        + "═" * 40
        + f"\n✅ Status: Running\n🆔 Process ID: {os.getpid()}\n🌐 Port: {fake.role_port}\n"
        f"📡 API Endpoint: {fake.url}\n📄 PID File: {here.lock}\n\n"
        "🚀 Ready to use! Run the following commands:\n"
        "   ccr code    # Start coding with Claude\n   ccr stop   # Stop the service\n\n"
    )
    down = await ccr("status")
    assert down.exit_code == 3
    assert down.stdout == (
        "\n📊 Claude Code Router Status\n"
        + "═" * 40
        + "\n❌ Status: Not Running\n\n💡 To start the service:\n   ccr start\n\n"
    )


@pytest.mark.parametrize("word", ["activate", "env"])
async def test_a_shell_takes_what_activate_prints(here: Home, ccr: Invoke, word: str) -> None:
    here.make()
    here.ccr_json.write_text('{"APIKEY": "it\'s $KEY; rm -rf /", "API_TIMEOUT_MS": 1234}')
    async with Fake(here) as fake:
        printed = (await ccr(word)).stdout
    names = ["BASE_URL", "AUTH_TOKEN"]
    names = [f"ANTHROPIC_{name}" for name in names] + ["API_TIMEOUT_MS", "NO_PROXY"]
    script = printed + "".join(f'echo "${name}"\n' for name in [*names, "DISABLE_TELEMETRY"])
    shell = await asyncio.create_subprocess_exec(
        *("sh", "-c", script), env={"KEY": "k"}, stdout=asyncio.subprocess.PIPE
    )
    told, _ = await shell.communicate()
    assert told.decode().splitlines() == [
        fake.url,
        "it's $KEY; rm -rf /",  # no KEY in this environment: left as it is, and quoted
        "1234",
        "127.0.0.1,localhost",
        "true",
    ]
    assert "unset CLAUDE_CODE_USE_BEDROCK" in printed


async def test_ui_gives_a_link_to_the_routes_in_a_browser(here: Home, ccr: Invoke) -> None:
    async with Fake(here) as fake:
        result = await ccr("ui")
    assert result.stdout == "http://localhost:5000/ccr/ui/#ticket=ticket-of-one\n"
    assert [action.once for action in fake.actions if isinstance(action, Invite)] == [True]


# ── what Claude Code is given ─────────────────────────────────────────────────────────────────────


@pytest.mark.parametrize(
    ("words", "wanted"),
    [
        (["hello there"], ["hello there"]),
        (["-p", "--model", "x", "--", "-q"], ["-p", "--model", "x", "--", "-q"]),
        (["/model deepseek,coder Optimize\nthis"], ["Optimize\nthis\n/model deepseek,coder"]),
        (["-p", "  /model a,b:free\n\nFix it"], ["-p", "Fix it\n/model a,b:free"]),
        (["/model a,b"], ["--model", "a,b"]),
        (["/model opus"], ["/model opus"]),
        (["/models a,b c"], ["/models a,b c"]),
        (["say /model a,b c"], ["say /model a,b c"]),
        (["--model=a,b", "x"], ["--model=a,b", "x"]),
    ],
)
def test_arguments_are_handed_on(words: list[str], wanted: list[str]) -> None:
    assert arguments(words) == wanted


@pytest.mark.parametrize(
    ("words", "context", "rest"),
    [
        (["--context", "background", "Generate"], "background", ["Generate"]),
        (["-p", "--context=think", "x"], "think", ["-p", "x"]),
        (["--", "--context", "x"], "", ["--", "--context", "x"]),
        (["--context"], "", []),
        (["--contextual", "x"], "", ["--contextual", "x"]),
    ],
)
def test_the_context_is_ours(words: list[str], context: str, rest: list[str]) -> None:
    assert take_context(words) == (context, rest)


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("", Settings()),
        ("{}", Settings()),
        ("[1]", None),
        ("{ bad", None),
        (
            "// JSON5\n{APIKEY: '${MY_KEY}', CLAUDE_PATH: '/x/claude', API_TIMEOUT_MS: 5,}",
            Settings(key="secret", claude="/x/claude", timeout_ms="5"),
        ),
        ('\ufeff{"APIKEY": "$UNKNOWN"}', Settings(key="$UNKNOWN")),
        ('{"APIKEY": true, "NON_INTERACTIVE_MODE": true}', Settings(non_interactive=True)),
        ('{"ANTHROPIC_SMALL_FAST_MODEL": "m"}', Settings(small_model="m")),
    ],
)
def test_settings_are_read_leniently(here: Home, text: str, wanted: Settings | None) -> None:
    here.make()
    here.ccr_json.write_text(text, "utf-8")
    found = settings(here, {"MY_KEY": "secret"})
    if wanted is None:
        assert str(here.ccr_json) in found.problem
    else:
        assert found == wanted
        assert "secret" not in repr(found)


def test_the_key_of_pointsman_toml_is_used_too(here: Home) -> None:
    here.make()
    here.toml.write_text('[ccr]\nkeys = ["$MY_KEY", "other"]\n')
    assert settings(here, {"MY_KEY": "secret"}).key == "secret"


def test_what_a_person_set_wins() -> None:
    env = {
        "ANTHROPIC_DEFAULT_HAIKU_MODEL": "mine",
        "API_TIMEOUT_MS": "9",
        "no_proxy": "a.b,127.0.0.1",
    }
    told = environment("http://x", Settings(small_model="config"), env)
    assert told["ANTHROPIC_DEFAULT_HAIKU_MODEL"] == "mine"
    assert told["API_TIMEOUT_MS"] == "9"
    assert told["NO_PROXY"] == "a.b,127.0.0.1,localhost"
    usual = environment("http://x", Settings(), {})
    assert "haiku" in str(usual["ANTHROPIC_DEFAULT_HAIKU_MODEL"])  # else background never fires
    assert usual["ANTHROPIC_AUTH_TOKEN"] == "test"


async def test_the_role_without_a_port_is_below_the_front_door(here: Home) -> None:
    async with Fake(here) as fake:
        snapshot = fake.snapshot()
        front = Listener("front door", "http://0.0.0.0:5000")
        assert base_url(snapshot) == fake.url
        below = msgspec.structs.replace(snapshot, listeners=(front,))
        assert base_url(below) == "http://127.0.0.1:5000/ccr"
        assert base_url(msgspec.structs.replace(snapshot, listeners=())) == ""


def test_a_session_is_called_by_its_repository(tmp_path: Path) -> None:
    inner = tmp_path / "shop" / "api"
    inner.mkdir(parents=True)
    assert project_of(inner, tmp_path) == "api"
    (tmp_path / ".git").mkdir()  # of a person's dot files
    assert project_of(inner, tmp_path) == "api"
    (tmp_path / "shop" / ".git").write_text("gitdir: elsewhere")  # a worktree has a file
    assert [project_of(one, tmp_path) for one in (inner, tmp_path)] == ["shop", ""]
    assert project_of(tmp_path / "图书馆", tmp_path) == ""
    variables: dict[str, str | None] = {}
    with_headers(variables, "", "a", {"ANTHROPIC_CUSTOM_HEADERS": "X-Pointsman-Project: mine"})
    assert variables == {"ANTHROPIC_CUSTOM_HEADERS": "X-Pointsman-Project: mine"}


async def test_code_becomes_claude(
    here: Home, run: Run, claude: dict[str, str], tmp_path: Path
) -> None:
    """Every word, stdin, our variables and the exit code; the person's own key stays out."""
    more = claude | {
        "ANTHROPIC_API_KEY": "sk-own",
        "CLAUDE_CODE_USE_BEDROCK": "1",
        "ANTHROPIC_CUSTOM_HEADERS": "x-mine: 1",
    }
    async with Fake(here) as fake:
        words = ("--context", "background", "-p", "--x=1", "--", "/model a,b Fix", "--help")
        code, out, err = await run("ccr", "code", *words, stdin=b"piped", **more)
    assert (code, err) == (7, "")
    given = json.loads(out)
    assert given["args"] == ["-p", "--x=1", "--", "Fix\n/model a,b", "--help"]
    assert given["stdin"] == "piped"
    env = given["env"]
    assert env["ANTHROPIC_BASE_URL"] == fake.url
    assert env["ANTHROPIC_CUSTOM_HEADERS"].split("\n") == [
        "x-mine: 1", "x-pointsman-context: background", f"x-pointsman-project: {tmp_path.name}",
    ]  # fmt: skip
    assert env["POINTSMAN_HOME"] == str(here.config)
    assert not {"ANTHROPIC_API_KEY", "CLAUDE_CODE_USE_BEDROCK"} & env.keys()


async def test_the_router_knows_its_key_better(
    here: Home, run: Run, ccr: Invoke, claude: dict[str, str]
) -> None:
    """A variable of config.json is not set in a shell over SSH, whose environment is made anew."""
    here.make()
    here.ccr_json.write_text('{"APIKEY": "$NOT_SET_HERE"}')
    async with Fake(here) as fake:
        fake.keys = ClientKeys(ccr="sk-of-the-router")
        # who should answer is not there: Claude Code would try again for minutes without a word
        fake.roles = (ServiceView("CCR", "role", "down", address="http://it", reason="is gone"),)
        _, out, err = await run("ccr", "code", "hi", **claude)
        assert "Claude Code Router at http://it is gone" in err
        assert json.loads(out)["env"]["ANTHROPIC_AUTH_TOKEN"] == "sk-of-the-router"
        assert "sk-of-the-router" in (await ccr("activate")).stdout


async def test_code_without_interaction(here: Home, run: Run, claude: dict[str, str]) -> None:
    here.make()
    path = claude["PATH"].split(os.pathsep)[0] + "/claude"
    here.ccr_json.write_text(json.dumps({"NON_INTERACTIVE_MODE": True, "CLAUDE_PATH": path}))
    async with Fake(here):
        code, out, _ = await run("ccr", "code", "hi", stdin=b"not read")
    given = json.loads(out)
    assert (code, given["stdin"], given["env"]["TERM"]) == (7, "", "dumb")


async def test_code_starts_the_router(
    here: Home, run: Run, claude: dict[str, str], tmp_path: Path
) -> None:
    variables = claude | installed(tmp_path / "fake") | {"POINTSMAN_PORT": "5066"}
    code, out, err = await run("ccr", "code", "hi", **variables)
    assert (code, err) == (7, "Service not running, starting service...\n")
    status, shown, _ = await run("pointsman", "status", "--json")
    listeners = {one["name"]: one["address"] for one in json.loads(shown)["listeners"]}
    assert listeners["front door"].endswith(":5066")
    assert json.loads(out)["env"]["ANTHROPIC_BASE_URL"] == listeners["CCR"]
    assert (await run("pointsman", "stop"))[0] == status == 0


# ── the answer without Claude Code ────────────────────────────────────────────────────────────────


async def test_code_answers_itself(here: Home, run: Run, nothing: dict[str, str]) -> None:
    text = f"Line one\n{EVIL}\n  indented"
    async with Fake(here, answers=[answer(text, thinking=True, tool="Bash")]) as fake:
        fake.recent = (
            RequestView(
                "req_chat", 0, "done", "ccr", "anthropic_messages", provider="deepseek",
                model=EVIL, rule="coder", tokens=Tokens(input=11, output=5), cost=2_000_000,
            ),
        )  # fmt: skip
        words = ("-p", "--context", "coder", "/model a,b Fix", "this")
        code, out, err = await run("ccr", "code", *words, stdin=b"file text", **nothing)
    assert code == 0, err
    assert out.startswith("Line one\nevil␛]52")
    assert out.endswith("\n  indented\n")
    assert "\x1b" not in out + err
    assert "no Claude Code is installed" in err
    assert "thinking…" in err
    assert 'wants to use Bash {"command":"ls"}' in err
    assert err.splitlines()[-1].endswith("(coder) · 11 in, 5 out · $0.0020")
    (body,) = fake.asked
    assert body["messages"] == [{"role": "user", "content": "/model a,b Fix this\n\nfile text"}]
    assert body["stream"] is True
    assert "model" not in body
    assert fake.headers[0]["x-pointsman-context"] == "coder"
    assert fake.headers[0]["authorization"] == "Bearer test"


@pytest.mark.parametrize(
    ("reply", "status", "said"),
    [
        (b'{"error": {"message": "no key"}}', 401, "401: no key"),
        (b"<html>", 502, "502: <html>"),
        (sse({"type": "error", "error": {"message": EVIL}}), 200, "evil"),
        (answer("half", stop=False), 200, "the answer was cut off"),
    ],
)
async def test_an_answer_that_fails(
    here: Home, run: Run, nothing: dict[str, str], reply: bytes, status: int, said: str
) -> None:
    async with Fake(here, answers=[reply], status=status):
        code, out, err = await run("ccr", "code", "hi", **nothing)
    assert code == 1
    assert said in err
    assert "\x1b" not in out + err


async def test_a_pin_that_could_not_be_honoured_is_said(
    here: Home, run: Run, nothing: dict[str, str]
) -> None:
    async with Fake(here, answers=[answer("somebody else's")]) as fake:
        fake.problem = "/model no,x: no provider is named 'no'"
        code, out, err = await run("ccr", "code", "/model no,x hi", **nothing)
    assert (code, out) == (0, "somebody else's\n")
    assert "/model no,x: no provider is named 'no'" in err.splitlines()


async def test_flags_that_need_claude_are_refused(
    here: Home, run: Run, nothing: dict[str, str]
) -> None:
    async with Fake(here, answers=[answer("x")]) as fake:
        code, out, err = await run("ccr", "code", "--resume", "hi", **nothing)
        assert (code, out) == (1, "")
        assert "--resume is Claude Code's" in err
        code, _, err = await run("ccr", "code", **nothing)
        assert code == 1
        assert "nothing to ask" in err
    assert fake.asked == []


async def test_a_conversation_keeps_what_was_said(
    here: Home, env: dict[str, str], nothing: dict[str, str], tmp_path: Path
) -> None:
    leader, follower = pty.openpty()
    async with Fake(here, answers=[answer("first"), answer("second")]) as fake:
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-c", "from console.main import ccr; ccr()", "code", "--model", "m"),
            stdin=follower,
            stdout=follower,
            stderr=follower,
            env=env | nothing,
            cwd=tmp_path,
        )
        os.close(follower)
        os.write(leader, b"one\ntwo\n/exit\n")
        shown = await asyncio.to_thread(everything, leader)
        assert await child.wait() == 0
    os.close(leader)
    assert b"second" in shown
    assert [body["model"] for body in fake.asked] == ["m", "m"]
    assert [turn["content"] for turn in fake.asked[1]["messages"]] == ["one", "first", "two"]


# ── the real Claude Code ──────────────────────────────────────────────────────────────────────────


@pytest.mark.real_client
async def test_the_real_claude_takes_the_prompt_as_text(here: Home, run: Run) -> None:
    """Needs a `claude` on the PATH: its first request carries the pin as a line of the prompt, and
    none of the requests is the probe that its own /model makes."""
    if shutil.which("claude") is None:
        pytest.skip("no claude on the PATH")
    async with Fake(here, answers=[_whole("ok")]) as fake:
        words = ("-p", "--context", "coder", "/model deepseek,coder Optimize")
        code, out, err = await run("ccr", "code", *words, TERM="xterm", DISABLE_AUTOUPDATER="1")
    assert (code, out) == (0, "ok\n"), err
    texts = [json.dumps(body["messages"]) for body in fake.asked]
    assert any("Optimize\\n/model deepseek,coder" in text for text in texts)
    assert all(body["model"] != "deepseek,coder Optimize" for body in fake.asked)
    assert {headers["x-pointsman-context"] for headers in fake.headers} == {"coder"}


def _whole(text: str) -> bytes:
    """A stream with everything that a strict client wants."""
    message: dict[str, Any] = {
        "id": "m", "type": "message", "role": "assistant", "model": "m", "content": [],
        "stop_reason": None, "stop_sequence": None,
        "usage": {"input_tokens": 1, "output_tokens": 1},
    }  # fmt: skip
    return sse(
        {"type": "message_start", "message": message},
        {"type": "content_block_start", "index": 0, "content_block": {"type": "text", "text": ""}},
        {"type": "content_block_delta", "index": 0, "delta": {"type": "text_delta", "text": text}},
        {"type": "content_block_stop", "index": 0},
        {
            "type": "message_delta",
            "delta": {"stop_reason": "end_turn", "stop_sequence": None},
            "usage": {"output_tokens": 1},
        },
        {"type": "message_stop"},
    )
