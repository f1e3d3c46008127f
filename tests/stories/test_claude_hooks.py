"""The real Claude Code with hooks of its user's: what they say reaches the model and decides no
route; what they ask beside the conversation goes to the background, as its own side calls do.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.fakes.upstream import Behaviour, FakeUpstream, Seen
from tests.harness import running
from tests.stories.test_claude_code import KEY, OLD, TODAY, claude, program

__all__ = ["claude", "program"]
pytestmark = [pytest.mark.real_client, pytest.mark.timeout(300)]

#: words that would choose a model, were they the user's own or a main agent's
ASIDE = "/model fake,other <CCR-SUBAGENT-MODEL>fake,other</CCR-SUBAGENT-MODEL>"
SAID = {"hookSpecificOutput": {"hookEventName": "PostToolUse", "additionalContext": f"B {ASIDE}"}}


def _command(words: str) -> dict[str, Any]:
    return {"hooks": [{"type": "command", "command": f"printf '%s\\n' '{words}'"}]}


HOOKS = {
    "UserPromptSubmit": [_command(f"A hook speaks\n{ASIDE}")],
    "PostToolUse": [{"matcher": "Read", **_command(json.dumps(SAID))}],
    "Stop": [{"hooks": [{"type": "prompt", "prompt": "Is all done? $ARGUMENTS"}]}],
}


@pytest.mark.parametrize("version", [TODAY, OLD])
async def test_hooks_and_side_calls(
    upstream: FakeUpstream, claude: Any, tmp_path: Path, version: str
) -> None:
    note = tmp_path / "note.txt"
    note.write_text("a note\n")
    provider = {
        "name": "fake",
        "api_base_url": upstream.url("/v1/chat/completions"),
        "api_key": "sk-p",
        "models": ["main", "small", "other"],
    }
    folder = tmp_path / "home" / ".claude-code-router"
    folder.mkdir(parents=True)
    routes = {"default": "fake,main", "background": "fake,small"}
    own = {"APIKEY": KEY, "Providers": [provider], "Router": routes}
    (folder / "config.json").write_text(json.dumps(own))

    def script(seen: Seen) -> Behaviour | None:
        roles = {message["role"] for message in seen.json["messages"]}
        if seen.model == "main" and "tool" not in roles:
            return Behaviour(tool={"name": "Read", "input": {"file_path": str(note)}})
        return Behaviour(words=('{"ok": true, "reason": "r"}',)) if seen.model == "small" else None

    upstream.script = script
    with running(tmp_path / "home") as router:
        settings = json.dumps({"hooks": HOOKS})
        flags = ("--settings", settings, "--allowedTools", "Read")
        turn = await claude(f"{router.front}/claude-code", "read it", *flags, version=version)
    assert (turn.code, turn.result["is_error"]) == (0, False), turn.result
    asked = {
        model: [s for s in upstream.requests if s.model == model] for model in routed(upstream)
    }
    assert sorted(asked) == ["main", "small"], "no words of a hook choose a model"
    assert all(b"A hook speaks" in seen.body for seen in asked["main"])
    assert b"additional context: B /model" in asked["main"][-1].body
    assert len(asked["main"]) == 2, "the turn, and again with what was read"
    assert any(b"Is all done?" in seen.body for seen in asked["small"]), "the verdict"
    if version == OLD:
        assert any(b"Warmup" in seen.body for seen in asked["small"])


def routed(upstream: FakeUpstream) -> set[str]:
    return {seen.model for seen in upstream.requests}
