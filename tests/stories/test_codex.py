"""The real Codex CLI from npm runs a tool through a whole router, over every kind of provider.

It is found by CODEX_PATH, or installed by npm into pytest's cache. Its home is a fresh folder and
its one connection goes to the router.
"""

from __future__ import annotations

import asyncio
import os
import shutil
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest

from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.stories.provider import home_of, served

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]

VERSION = "0.169.0"
#: read before the tests' clean environment takes it away; npm needs its own settings too
_ENVIRON = dict(os.environ)
_CONFIG = """
model = "{model}"
model_provider = "router"
check_for_update_on_startup = false
[analytics]
enabled = false
[model_providers.router]
name = "router"
base_url = "{base}/litellm/v1"
env_key = "ROUTER_KEY"
wire_api = "responses"
request_max_retries = 0
stream_max_retries = 0
"""


def _found(cache: Path) -> Path:
    """The program. Skips where it is not there and cannot be installed."""
    if named := _ENVIRON.get("CODEX_PATH"):
        return Path(named)
    program = cache / "node_modules" / ".bin" / "codex"
    if not program.exists():
        if shutil.which("npm", path=_ENVIRON.get("PATH")) is None:
            pytest.skip("npm is not installed, and CODEX_PATH names no Codex")
        install = ["npm", "install", "--no-audit", "--no-fund", f"@openai/codex@{VERSION}"]
        made = subprocess.run(
            install, cwd=cache, env=_ENVIRON, capture_output=True, text=True, timeout=240
        )
        if made.returncode:
            pytest.skip(f"npm could not install Codex {VERSION}: {made.stderr[-300:]}")
    return program


@pytest.fixture(scope="session")
def program(request: pytest.FixtureRequest) -> Callable[[], Path]:
    cache = request.config.cache
    assert cache is not None
    return lambda: _found(cache.mkdir(f"codex-{VERSION}"))


async def codex(program: Path, base: str, model: str, here: Path) -> tuple[int, str]:
    """One `codex exec`: its exit code and all that it printed."""
    (here / ".codex").mkdir(parents=True)
    (here / ".codex" / "config.toml").write_text(_CONFIG.format(model=model, base=base))
    process = await asyncio.create_subprocess_exec(
        *(str(program), "exec", "--skip-git-repo-check", "do something"),
        cwd=here,
        env={"HOME": str(here), "PATH": _ENVIRON.get("PATH", ""), "ROUTER_KEY": "k"},
        stdin=asyncio.subprocess.DEVNULL,
        stdout=asyncio.subprocess.PIPE,
        stderr=asyncio.subprocess.STDOUT,
    )
    try:
        out, _ = await asyncio.wait_for(process.communicate(), 120)
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()
    return process.returncode or 0, out.decode("utf-8", "replace")


@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses"])
async def test_a_turn_with_a_tool(
    dialect: str, program: Callable[[], Path], upstream: FakeUpstream, tmp_path: Path
) -> None:
    home = tmp_path / "home"
    home.mkdir()
    prefix = {"responses": "openai/responses"}.get(dialect, dialect)
    base = upstream.url("") if dialect == "anthropic" else upstream.base
    (home / "litellm-config.yaml").write_text(
        f"model_list:\n  - model_name: gpt-x\n    litellm_params: {{model: {prefix}/real,"
        f" api_base: '{base}', api_key: a-provider-key}}\n"
    )
    upstream.then(
        Behaviour(
            words=("I will run it.",),
            thinking="what to run" if dialect != "openai" else "",
            tool={"name": "exec_command", "input": {"cmd": "echo from-the-tool"}},
        ),
        Behaviour(words=("All ", "is done.")),
    )
    async with served(home) as router:
        found = await asyncio.to_thread(program)
        code, out = await codex(found, router.front, "gpt-x", tmp_path / "codex")
        ledger = home_of(router).ledger
    archive = Archive(ledger)
    kept = await archive.requests()
    await archive.close()
    assert code == 0, out
    assert "All is done." in out
    assert len(upstream.requests) == 2
    first, second = upstream.requests
    path = {"openai": "/v1/chat/completions", "anthropic": "/v1/messages"}
    assert first.path == path.get(dialect, "/v1/responses")
    assert first.json["model"] == "real"
    assert b"from-the-tool\\n" in second.body
    assert [(row.state, row.dialect, row.model) for row in kept] == [
        ("done", "openai_responses", "real")
    ] * 2
