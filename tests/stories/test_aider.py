"""The real aider from PyPI edits a file through a whole router: LiteLLM's own client code, as most
Python programs use it, in the dialects it speaks.

aider has no tools: an edit is a block of text in the answer, which every byte must survive.
"""

from __future__ import annotations

import asyncio
from pathlib import Path

import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream
from tests.stories.agents import between
from tests.stories.installed import from_pypi, ran
from tests.stories.provider import served

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(400)]

EDIT = """hello.py
```python
<<<<<<< SEARCH
print("old")
=======
print("ünïcode — new")
>>>>>>> REPLACE
```
"""
#: aider's name for a dialect → (the variable for its address, the router's path, a model there)
CLIENTS = {
    "openai": ("OPENAI_API_BASE", "/litellm/v1", "claude-there"),
    "anthropic": ("ANTHROPIC_API_BASE", "/claude-code", "litellm-internal,gpt-there"),
    "ollama_chat": ("OLLAMA_API_BASE", "/ollama", "claude-there"),
}
QUIET = (
    "--no-check-update",
    "--analytics-disable",
    "--yes-always",
    "--no-show-model-warnings",
    "--no-git",
    "--no-auto-lint",
    "--edit-format=diff",
)


@pytest.fixture(scope="session")
def aider(pytestconfig: pytest.Config) -> Path:
    assert pytestconfig.cache is not None
    found = from_pypi(pytestconfig.cache, "aider", "aider-chat==0.86.2", named="AIDER_PATH")
    return found / "aider"


@pytest.mark.parametrize("shape", ["--stream", "--no-stream"])
@pytest.mark.parametrize("client", CLIENTS)
async def test_an_edit(
    client: str, shape: str, aider: Path, upstream: FakeUpstream, tmp_path: Path
) -> None:
    variable, path, model = CLIENTS[client]
    # in pieces that end anywhere, as a model's do
    upstream.default = Behaviour(words=[EDIT[at : at + 7] for at in range(0, len(EDIT), 7)])
    home = await asyncio.to_thread(between, tmp_path / "home", upstream)
    work = tmp_path / "work"
    work.mkdir()
    (work / "hello.py").write_text('print("old")\n')
    async with served(home) as router:
        env = {
            variable: router.front + path,
            "OPENAI_API_KEY": "k",
            "ANTHROPIC_API_KEY": "k",
            "LITELLM_LOCAL_MODEL_COST_MAP": "True",
        }
        asked = ("--model", f"{client}/{model}", shape, "--message", "edit it", "hello.py")
        turn = await ran(aider, *QUIET, *asked, at=work, env=env)
    assert turn.code == 0, turn.errors
    assert (work / "hello.py").read_text() == 'print("ünïcode — new")\n', turn.out
    assert {seen.model for seen in upstream.requests} == {model.rpartition(",")[2]}
