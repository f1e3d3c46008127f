"""Every command of Claude Code Router, in its words: what 2.0.0 prints is what `ccr` prints.

ORIGINAL was written down from the real program (the test at the end asks it again), and is
followed to the letter but for what OURS names, each with its reason.
"""

from __future__ import annotations

import json
import os
import subprocess
from pathlib import Path

import click
import pytest

from console.claude import with_settings
from console.main import ccr_group
from router.contract import VERSION
from storage.home import Home
from tests.console.commands.conftest import Invoke, Run
from tests.console.commands.fake import Fake
from tests.harness import free_ports

STATUS = "📊 Claude Code Router Status\n" + "═" * 40
DOWN = f"\n{STATUS}\n❌ Status: Not Running\n\n💡 To start the service:\n   ccr start\n\n"
RUNNING = (
    f"\n{STATUS}\n✅ Status: Running\n🆔 Process ID: PID\n🌐 Port: PORT\n"
    "📡 API Endpoint: http://127.0.0.1:PORT\n📄 PID File: FILE\n\n"
    "🚀 Ready to use! Run the following commands:\n"
    "   ccr code    # Start coding with Claude\n   ccr stop   # Stop the service\n\n"
)
EXPORTS = (
    'export ANTHROPIC_AUTH_TOKEN="sk-mine"\nexport ANTHROPIC_BASE_URL="http://127.0.0.1:PORT"\n'
    'export NO_PROXY="127.0.0.1"\nexport DISABLE_TELEMETRY="true"\n'
    'export DISABLE_COST_WARNINGS="true"\nexport API_TIMEOUT_MS="600000"\n'
    "unset CLAUDE_CODE_USE_BEDROCK\n"
)
STOPPED = "claude code router service has been successfully stopped.\n"
NOT_STOPPED = "Failed to stop the service. It may have already been stopped.\n"
STARTED = (
    "Starting claude code router service...\n✅ Service started successfully in the background.\n"
)

COMMANDS = (
    *("start", "stop", "restart", "status", "statusline", "code", "model", "preset", "install"),
    *("activate", "ui", "version", "help"),
)
#: read before the tests' clean environment takes it away
CLI = os.environ.get("CCR_PATH")

#: words, whether the service runs, exit code, stdout; the order in which the original was asked
ORIGINAL: tuple[tuple[str, bool, int, str], ...] = (
    ("-v", False, 0, "claude-code-router version: 2.0.0\n"),
    ("version", False, 0, "claude-code-router version: 2.0.0\n"),
    ("status", False, 0, DOWN),
    ("stop", False, 0, NOT_STOPPED),
    ("activate", False, 0, EXPORTS),
    ("restart", False, 0, f"Service was not running or failed to stop.\n{STARTED}"),
    ("status", True, 0, RUNNING),
    ("start", True, 0, "claude-code-router server is running\n"),
    ("env", True, 0, EXPORTS),
    ("restart", True, 0, f"claude code router service has been stopped.\n{STARTED}"),
    ("stop", True, 0, STOPPED),
)
#: what is said otherwise: exit code and stdout of ours, and why
OURS: dict[tuple[str, bool], tuple[int, str]] = {
    # the version is ours; the word before it is what scripts look for
    ("-v", False): (0, f"claude-code-router version: {VERSION} (Pointsman)\n"),
    ("version", False): (0, f"claude-code-router version: {VERSION} (Pointsman)\n"),
    # a script can tell from the code that nothing runs
    ("status", False): (3, DOWN),
    # 1.x's words, as its users know them
    ("start", True): (0, "✅ Service is already running in the background.\n"),
}


def config(port: int) -> str:
    provider = {
        "name": "p",
        "api_base_url": "http://127.0.0.1:9/chat/completions",
        "api_key": "sk-x",
        "models": ["m"],
    }
    return json.dumps(
        {"PORT": port, "APIKEY": "sk-mine", "Providers": [provider], "Router": {"default": "p,m"}}
    )


def exports(text: str) -> dict[str, str | None]:
    """What a shell makes of it: the order and the quotes are nobody's business."""
    made: dict[str, str | None] = {}
    for line in text.splitlines():
        word, _, rest = line.partition(" ")
        name, _, value = rest.partition("=")
        made[name] = None if word == "unset" else value.strip('"')
    return made


RESTARTS = ("restart",)  # has a test with a real process of its own: test_process.py


@pytest.mark.parametrize(
    "case", [c for c in ORIGINAL if c[0] not in RESTARTS], ids=lambda c: f"{c[0]}-{c[1]}"
)
async def test_as_the_original_says_it(
    here: Home, ccr: Invoke, case: tuple[str, bool, int, str]
) -> None:
    words, runs, _, _ = case
    code, said = OURS.get((words, runs), case[2:])
    here.make()
    if runs:
        async with Fake(here) as fake:
            port = fake.role_port
            here.ccr_json.write_text(config(1))
            result = await ccr(words)
    else:
        port = 13456
        here.ccr_json.write_text(config(port))
        result = await ccr(words)
    filled = said.replace("PORT", str(port)).replace("PID File", "␀")
    filled = filled.replace("PID", str(os.getpid())).replace("␀", "PID File")
    filled = filled.replace("FILE", str(here.lock))
    if words in ("activate", "env"):
        given, wanted = exports(result.stdout), exports(filled)
        assert given.pop("NO_PROXY") == "127.0.0.1,localhost"  # theirs, and the other name of it
        del wanted["NO_PROXY"]
        assert wanted.items() <= given.items()
    else:
        assert result.stdout == filled
    assert result.exit_code == code


@pytest.mark.parametrize(
    ("words", "code", "stream"),
    [("help", 0, "out"), ("-h", 0, "out"), ("", 1, "out"), ("--version", 0, "out"),
     ("--help", 0, "out"), ("nonsense", 1, "both"), ("preset", 1, "err"),
     ("preset nonsense", 1, "err"), ("preset export", 1, "err"), ("preset install", 1, "err"),
     ("install", 1, "err"), ("install nope", 1, "err"), ("preset info nope", 1, "err"),
     ("preset delete nope", 1, "err"), ("preset list", 0, "out"), ("statusline", 0, "out"),
     ("status --x", 1, "err"), ("--x", 1, "err")],
)  # fmt: skip
async def test_codes_and_streams(
    ccr: Invoke, monkeypatch: pytest.MonkeyPatch, words: str, code: int, stream: str
) -> None:
    """Help that was asked for is data; what went wrong is said on stderr, with a code that is not
    0 (the original deletes a preset that is not there with a tick, and ends `--help` with 1)."""
    monkeypatch.setenv("POINTSMAN_PRESET_MARKET", "http://127.0.0.1:9/")
    result = await ccr(*words.split(), input="")
    assert result.exit_code == code
    assert bool(result.stdout.strip()) == (stream in ("out", "both")) or words == "statusline"
    assert bool(result.stderr.strip()) == (stream in ("err", "both")) or words == "preset list"
    if stream in ("out", "both") and words in ("help", "-h", "", "nonsense"):
        for command in COMMANDS:
            assert f"\n  {command} " in result.stdout


async def test_a_preset_is_a_command(here: Home, run: Run, ccr: Invoke, tmp_path: Path) -> None:
    """Its Router decides at /preset/NAME, its settings are Claude Code's; `noServer` goes to the
    provider itself. What is no preset's name, or is not installed, is no command."""
    program = tmp_path / "claude"
    program.write_text(
        "#!/usr/bin/env python3\nimport json, os, sys\n"
        "print(json.dumps([sys.argv[1:], dict(os.environ)])); sys.exit(7)\n"
    )
    program.chmod(0o755)
    here.make()
    settings = {"env": {"MINE": "1"}, "model": "opus"}
    direct = {"name": "q", "api_base_url": "https://q.test/v1/messages", "api_key": "$MY_KEY"}
    for name, manifest in {
        "mine": {"StatusLine": {"enabled": True}, "claudeCodeSettings": settings},
        "direct": {"noServer": True, "Providers": [direct]},
        "gone": {"noServer": True, "provider": "nobody"},
    }.items():
        (here.ccr / "presets" / name).mkdir(parents=True)
        (here.ccr / "presets" / name / "manifest.json").write_text(json.dumps(manifest))
    more = {"CLAUDE_PATH": str(program), "MY_KEY": "sk-q"}
    async with Fake(here) as fake:
        code, out, _ = await run("ccr", "mine", "-p", "write this", "--x", **more)
        args, env = json.loads(out)
        assert code == 7
        assert args[0] == "--settings"
        assert json.loads(args[1]) == settings | {
            "statusLine": {"type": "command", "command": "ccr statusline mine", "padding": 0}
        }
        assert args[2:] == ["-p", "write this", "--x"]
        assert env["ANTHROPIC_BASE_URL"] == f"{fake.url}/preset/mine"
    code, out, _ = await run("ccr", "direct", "hi", **more)  # no router runs, and none is started
    args, env = json.loads(out)
    assert (code, args) == (7, ["hi"])
    assert (env["ANTHROPIC_BASE_URL"], env["ANTHROPIC_AUTH_TOKEN"]) == ("https://q.test", "sk-q")
    # as the original, no model is named: what the provider's small one is called is not ours to say
    assert not [name for name in env if name.startswith("ANTHROPIC_") and name.endswith("MODEL")]
    assert (await ccr("gone", "hi")).exit_code == 1
    offered = ccr_group.shell_complete(click.Context(ccr_group), "m")
    assert [one.value for one in offered] == ["model", "mine"]
    for no in ("other", "..", "../presets/mine"):
        result = await ccr(no)
        assert (result.exit_code, "ccr has no command" in result.stderr) == (1, True)
        assert "Usage: ccr" in result.stdout


def test_a_persons_own_settings_stand() -> None:
    ours = {"model": "opus"}
    assert with_settings(["-p", "x"], ours) == ["--settings", '{"model": "opus"}', "-p", "x"]
    assert with_settings(["--", "--settings"], ours)[0] == "--settings"
    for words in (["--settings", "{}", "x"], ["--settings={}"]):
        assert with_settings(words, ours) == words
    assert with_settings(["x"], {}) == ["x"]


@pytest.mark.real_client
def test_the_original_still_says_so(tmp_path: Path) -> None:
    """CCR_PATH: the cli.js of the real CCR 2.0.0."""
    if not CLI:
        pytest.skip("CCR_PATH names no cli.js of Claude Code Router")
    (port,) = free_ports(1)
    folder = tmp_path / ".claude-code-router"
    folder.mkdir()
    (folder / "config.json").write_text(config(port))
    env = {"HOME": str(tmp_path), "PATH": os.environ["PATH"], "NO_COLOR": "1"}

    def ask(words: str) -> subprocess.CompletedProcess[str]:
        assert CLI is not None
        return subprocess.run(
            ["node", CLI, words], env=env, capture_output=True, text=True, timeout=30
        )

    try:
        for words, runs, code, said in ORIGINAL:
            if runs:  # its restart does not wait until the service answers
                assert any("Running\n🆔" in ask("status").stdout for _ in range(60))
            done = ask(words)
            wanted = said.replace("PORT", str(port)).strip().splitlines()
            given = done.stdout.strip().splitlines()
            assert (words, done.returncode, len(given)) == (words, code, len(wanted))
            for ours, theirs in zip(wanted, given, strict=True):
                head = ours.partition("PID")[0] if "Process" in ours else ours.partition("FILE")[0]
                assert theirs.startswith(head), (words, theirs)
    finally:
        ask("stop")
