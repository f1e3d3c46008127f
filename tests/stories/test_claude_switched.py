"""A session of the real Claude Code, with thinking and tools, switched by the operator between
providers that check signatures: none of them refuses it, and each switch says what it costs.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

import pytest

from console.link import Link
from router.contract import Done, WeighOverride
from tests.fakes.signing import Signing
from tests.fakes.upstream import Behaviour
from tests.harness import running
from tests.stories.installed import ran
from tests.stories.provider import home_of
from tests.stories.test_claude_code import KEY, claude, program

__all__ = ["claude", "program"]
pytestmark = [pytest.mark.real_client, pytest.mark.timeout(400)]
#: dollars per million tokens
PRICES = """
[prices]
ma = { input = 3, output = 15, cache_read = 0.3 }
mo = { input = 2, output = 8 }
mb = { input = 0.1, output = 1 }
"""
CACHED = {"a": 30_000, "o": 5_000, "b": 30_000}
#: where the operator sends the session, and what is said of that
SWITCHES = {
    # 30,000 tokens at $2 instead of $0.3 a million
    "o,mo": "leaves 1 warm cache of 30,000 tokens: about $0.0510 more",
    # 5,000 at $3 instead of $2: nothing is cheaper from o's cache
    "a,ma": "leaves 1 warm cache of 5,000 tokens: about $0.0050 more",
    "b,mb": "leaves 1 warm cache of 30,000 tokens: no dearer there",
    # 30,000 at $3 instead of $0.1
    " a,ma": "leaves 1 warm cache of 30,000 tokens: about $0.0870 more",
}


def behaviours(name: str) -> list[Behaviour]:
    """A call of a tool and what follows it, three times."""
    thinks: dict[str, Any] = {"thinking": f"thoughts of {name}", "cached": CACHED[name]}
    tool = {"name": "Bash", "input": {"command": "echo seen", "description": "d"}}
    calls, says = Behaviour(words=["I look"], tool=tool, **thinks), Behaviour(**thinks)
    return [calls, says] * 3 + [says]


async def test_K01_to_K07_switched_while_it_flies(claude: Any, tmp_path: Path) -> None:
    home = tmp_path / "home"
    async with (
        Signing("a", *behaviours("a")) as a,
        Signing("o", *behaviours("o")) as o,
        Signing("b", *behaviours("b")) as b,
    ):
        configure(home, a, o, b)
        with running(home) as router:
            link = Link(home_of(router))
            door, flags = f"{router.front}/claude-code", ("--allowedTools", "Bash")
            await turn(claude, door, "begin", *flags)
            for target, cost in SWITCHES.items():
                asked = WeighOverride("everywhere", target.strip())
                weighed = await link.act(asked)  # as the console does before anything is set
                assert weighed == Done(warning=cost)
                words = ("-m", "console", "override", "set", target.strip())
                told = await ran(Path(sys.executable), *words, at=home, env=router.env)
                assert told.code == 0, told.errors
                assert told.out.splitlines()[-1] == cost
                await turn(claude, door, "go on", *flags, "--continue")
            assert [fake.refused for fake in (a, o, b)] == [[], [], []]
            assert [len(fake.requests) for fake in (a, o, b)] == [6, 2, 2]
            assert thoughts(a) == ["thoughts of a"] * 5
            assert thoughts(b) == ["thoughts of b"]
            assert b"thoughts of" not in o.requests[-1].body
            await link.close()


async def turn(claude: Any, door: str, *words: str) -> None:
    """One with a call of a tool in it."""
    ended = await claude(door, *words)
    assert (ended.code, ended.result["is_error"]) == (0, False), ended.result["result"]
    assert ended.result["num_turns"] == 2


def thoughts(fake: Signing) -> list[str]:
    """In the newest request that it was sent."""
    contents = [message["content"] for message in fake.requests[-1].json["messages"]]
    blocks = [block for content in contents if isinstance(content, list) for block in content]
    return [block["thinking"] for block in blocks if block["type"] == "thinking"]


def configure(home: Path, a: Signing, o: Signing, b: Signing) -> None:
    folder = home / ".claude-code-router"
    folder.mkdir(parents=True)
    providers = [
        {
            "name": fake.name,
            "api_base_url": fake.url("/v1/chat/completions" if fake is o else "/v1/messages"),
            "api_key": "sk-p",
            "models": [f"m{fake.name}"],
            **({} if fake is o else {"transformer": {"use": ["Anthropic"]}}),
        }
        for fake in (a, o, b)
    ]
    own = {"APIKEY": KEY, "Providers": providers, "Router": {"default": "a,ma"}}
    (folder / "config.json").write_text(json.dumps(own))
    retry = "[retry]\nretries = 0\ncooldown = 0\n"
    (home / "pointsman.toml").write_text(retry + PRICES)
