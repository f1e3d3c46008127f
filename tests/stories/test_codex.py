"""The real Codex CLI from npm runs a tool through a whole router, over every kind of provider.

Its home is a fresh folder and
its one connection goes to the router.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from storage.readers import Archive
from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.stories.installed import from_npm, ran
from tests.stories.provider import home_of, served

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]

VERSION = "0.169.0"
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
supports_websockets = {sockets}
"""


@pytest.fixture(scope="session")
def program(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    return from_npm(pytestconfig.cache, "@openai/codex", VERSION, "codex", "CODEX_PATH")


async def codex(program: Path, base: str, model: str, here: Path, sockets: str) -> tuple[int, str]:
    """One `codex exec`: its exit code and all that it printed. `sockets`: "true" where it speaks
    over a WebSocket."""
    (here / ".codex").mkdir(parents=True)
    (here / ".codex" / "config.toml").write_text(
        _CONFIG.format(model=model, base=base, sockets=sockets)
    )
    # its sandbox needs programs of the system; what it runs here is an echo
    asked = ("exec", "--skip-git-repo-check", "--sandbox", "danger-full-access", "do something")
    ended = await ran(program, *asked, at=here, env={"ROUTER_KEY": "k"})
    return ended.code, ended.out + ended.errors


@pytest.mark.parametrize("sockets", ["false", "true"])
@pytest.mark.parametrize("dialect", ["openai", "anthropic", "responses"])
async def test_a_turn_with_a_tool(
    dialect: str, sockets: str, program: Path, upstream: FakeUpstream, tmp_path: Path
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
        code, out = await codex(program, router.front, "gpt-x", tmp_path / "codex", sockets)
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
    assert len(second.json.get("input") or second.json["messages"]) > 2  # all that came before
    assert b"from-the-tool\\n" in second.body
    assert [(row.state, row.dialect, row.model) for row in kept] == [
        ("done", "openai_responses", "real")
    ] * 2
