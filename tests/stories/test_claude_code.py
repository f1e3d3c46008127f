"""The real Claude Code from npm drives a whole router: today's version and an old one.

Its home is a fresh folder and
its one connection goes to the router.
"""

from __future__ import annotations

import asyncio
import base64
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.harness import Running, running
from tests.stories.installed import from_npm, ran
from tests.stories.test_sdks import PNG

pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]

KEY = "ccr-dev-key-2024"
TODAY, OLD = "2.1.330", "2.0.77"


@dataclass(frozen=True)
class Turn:
    """How one `claude -p` ended; `lines` are what it printed, each a JSON object."""

    code: int
    lines: list[dict[str, Any]]
    errors: str

    @property
    def result(self) -> dict[str, Any]:
        assert self.lines, self.errors
        return self.lines[-1]


@pytest.fixture(scope="session")
def program(pytestconfig: pytest.Config) -> Callable[[str], Path]:
    cache = pytestconfig.cache
    assert cache is not None
    package = "@anthropic-ai/claude-code"
    return lambda version: from_npm(
        cache, package, version, "claude", "CLAUDE_PATH" if version == TODAY else ""
    )


@pytest.fixture
def claude(program: Callable[[str], Path], tmp_path: Path) -> Any:
    """Runs one turn: claude(base, prompt, *flags, version=…)."""

    async def turn(
        base: str, prompt: str, *flags: str, version: str = TODAY, key: str = KEY
    ) -> Turn:
        found = await asyncio.to_thread(program, version)
        here = tmp_path / "claude"
        ended = await ran(
            found,
            *("-p", "--output-format", "stream-json", "--verbose", *flags),
            *("--", prompt),
            at=here,
            env={
                "LANG": "C.UTF-8",
                "ANTHROPIC_BASE_URL": base,
                "ANTHROPIC_AUTH_TOKEN": key,
                "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
                "DISABLE_AUTOUPDATER": "1",
                "CLAUDE_CODE_MAX_RETRIES": "1",
            },
        )
        lines = [json.loads(line) for line in ended.out.splitlines() if line.startswith("{")]
        return Turn(ended.code, lines, ended.errors)

    return turn


@pytest.fixture(params=["anthropic", "openai"])
def routed(
    request: pytest.FixtureRequest, upstream: FakeUpstream, tmp_path: Path
) -> Iterator[Running]:
    """A router whose one provider is the fake, in either dialect."""
    anthropic = request.param == "anthropic"
    provider: dict[str, Any] = {
        "name": "fake",
        "api_base_url": upstream.url("/v1/messages" if anthropic else "/v1/chat/completions"),
        "api_key": "sk-p",
        "models": ["main", "picture"],
    }
    if anthropic:
        provider["transformer"] = {"use": ["Anthropic"]}
    folder = tmp_path / "home" / ".claude-code-router"
    folder.mkdir(parents=True)
    routes = {"default": "fake,main", "image": "fake,picture"}
    own = {"APIKEY": KEY, "Providers": [provider], "Router": routes}
    (folder / "config.json").write_text(json.dumps(own))
    (tmp_path / "home" / "pointsman.toml").write_text("[retry]\nretries = 0\ncooldown = 0\n")
    with running(tmp_path / "home") as router:
        yield router


@pytest.mark.parametrize("version", [TODAY, OLD])
@pytest.mark.parametrize("door", ["/claude-code", "/ccr", ":3456"])
async def test_a_turn_with_a_tool_call(
    router: Running, claude: Any, door: str, version: str
) -> None:
    base = router.ccr if door == ":3456" else router.front + door
    turn = await claude(base, "hello", "--allowedTools", "Bash", version=version)
    assert (turn.code, turn.result["is_error"]) == (0, False), turn.result
    assert turn.result["num_turns"] == 2
    assert "the tool ran and said “hello from the simulator”" in turn.result["result"]
    said = [line["message"]["content"] for line in turn.lines if line["type"] == "assistant"]
    calls = [block for blocks in said for block in blocks if block["type"] == "tool_use"]
    assert [call["name"] for call in calls] == ["Bash"]


async def test_a_model_with_a_comma(routed: Running, upstream: FakeUpstream, claude: Any) -> None:
    turn = await claude(f"{routed.front}/claude-code", "hello", "--model", "fake,other")
    assert turn.code == 0, turn.result
    assert {seen.model for seen in upstream.requests} == {"other"}
    assert turn.result["result"].startswith("one two three")


async def test_a_picture_that_it_reads_goes_to_the_image_model(
    routed: Running, upstream: FakeUpstream, claude: Any, tmp_path: Path
) -> None:
    picture = tmp_path / "pixel.png"
    picture.write_bytes(base64.b64decode(PNG))
    upstream.then(Behaviour(tool={"name": "Read", "input": {"file_path": str(picture)}}))
    turn = await claude(f"{routed.front}/ccr", "look", "--allowedTools", "Read")
    assert turn.code == 0, turn.result
    assert [seen.model for seen in upstream.requests] == ["main", "picture"]
    assert b'"image' in upstream.requests[-1].body
    assert turn.result["num_turns"] == 2


async def test_a_subagent(routed: Running, upstream: FakeUpstream, claude: Any) -> None:
    task = {"description": "d", "prompt": "say it", "subagent_type": "general-purpose"}
    upstream.then(Behaviour(tool={"name": "Agent", "input": {**task, "run_in_background": False}}))
    turn = await claude(f"{routed.front}/claude-code", "delegate", "--allowedTools", "Agent")
    assert turn.code == 0, turn.result
    assert turn.result["subagent_stats"]["completed"] == 1
    assert len(upstream.requests) == 3
    if upstream.requests[0].path.startswith("/v1/messages"):
        agents = [seen.headers.get("x-claude-code-agent-id", "") for seen in upstream.requests]
        assert [bool(agent) for agent in agents] == [False, True, False]
        assert len({_session(seen) for seen in upstream.requests}) == 1


def _session(seen: Seen) -> str:
    return seen.headers["x-claude-code-session-id"]


#: what the provider says → (what Claude Code reports, how often the provider was asked)
FAILURES = [
    (Behaviour(status=429, headers={"retry-after": "0"}), 429, 2),
    (Behaviour(status=529), 529, 2),
    (Behaviour(status=500), 500, 2),
    (Behaviour(status=401), 502, 1),
]


@pytest.mark.parametrize(
    ("behaviour", "reported", "asked"), FAILURES, ids=lambda v: str(getattr(v, "status", v))
)
async def test_a_failing_provider(
    routed: Running,
    upstream: FakeUpstream,
    claude: Any,
    behaviour: Behaviour,
    reported: int,
    asked: int,
) -> None:
    upstream.default = behaviour
    turn = await claude(f"{routed.front}/claude-code", "hello")
    assert (turn.code, turn.result["is_error"]) == (1, True)
    assert (turn.result["api_error_status"], len(upstream.requests)) == (reported, asked)


async def test_a_wrong_key_is_refused_once_and_for_all(
    routed: Running, upstream: FakeUpstream, claude: Any
) -> None:
    turn = await claude(f"{routed.front}/claude-code", "hello", key="wrong")
    assert (turn.code, turn.result["api_error_status"]) == (1, 401)
    assert "Invalid API key" in turn.result["result"]
    assert not [line for line in turn.lines if line.get("subtype") == "api_retry"]
    assert upstream.requests == []


async def test_a_prompt_that_is_too_long_is_understood(
    routed: Running, upstream: FakeUpstream, claude: Any
) -> None:
    words = "This model's maximum context length is 8192 tokens, however you requested 9000 tokens"
    error = {"message": words, "type": "invalid_request_error", "code": "context_length_exceeded"}
    upstream.default = Behaviour(status=400, body=json.dumps({"error": error}).encode())
    turn = await claude(f"{routed.front}/claude-code", "hello")
    assert turn.result["terminal_reason"] == "prompt_too_long"
    assert "too long" in turn.result["result"].lower()


async def test_a_prompt_that_fits_without_its_answer_is_asked_again_for_a_shorter_one(
    routed: Running, upstream: FakeUpstream, claude: Any
) -> None:
    """vLLM's words of today, with a context that Claude Code's own bound does not leave room in."""
    words = (
        "'max_tokens' or 'max_completion_tokens' is too large: 32000. This model's maximum context"
        " length is 40000 tokens and your request has 14000 input tokens (32000 > 40000 - 14000)."
    )
    error = {"message": words, "type": "BadRequestError"}
    refusal = Behaviour(status=400, body=json.dumps({"error": error}).encode())

    def script(seen: Seen) -> Behaviour | None:
        return refusal if seen.json["max_tokens"] > 26_000 else None

    upstream.script = script
    turn = await claude(f"{routed.front}/claude-code", "hello", "--model", "x")
    assert (turn.code, turn.result["is_error"]) == (0, False), turn.result
    assert turn.result["result"].startswith("one two three")
    assert upstream.requests[-1].json["max_tokens"] == 40_000 - 14_000 - 1_000
