"""The request bodies: a small chat, and what a coding agent really sends (200 KB, with tools)."""

from __future__ import annotations

import asyncio
import json
from pathlib import Path
from typing import Any

QUESTION = (
    "Explain how a reverse proxy balances requests among upstream servers, and when a"
    " least-connections policy is better than round robin. "
) * 6
SYSTEM = "You are a helpful assistant."
AGENT_BYTES = 150_000


def make(folder: Path) -> None:
    """Writes NAME.json for each body. The model's name tells the mock what to do (src/mock.c)."""
    for name, body in _all().items():
        (folder / f"{name}.json").write_text(json.dumps(body, ensure_ascii=False), encoding="utf-8")


def _all() -> dict[str, dict[str, Any]]:
    user = {"role": "user", "content": QUESTION}
    chat = {"model": "mock", "messages": [{"role": "system", "content": SYSTEM}, user]}
    messages = {"model": "mock,mock", "max_tokens": 512, "system": SYSTEM, "messages": [user]}
    usage = {"stream": True, "stream_options": {"include_usage": True}}
    return {
        "chat": {**chat, "temperature": 0.7, "max_tokens": 512},
        "chat_stream": {**chat, "model": "mock-c100", **usage},
        "messages": messages,
        "messages_stream": {**messages, "model": "mock,mock-c100", "stream": True},
        "agent": {**agent(AGENT_BYTES), "model": "mock,mock"},
    }


def agent(long: int) -> dict[str, Any]:
    """Like Claude Code in the middle of its work: a long system prompt, 20 tools, files it read,
    `long` characters of them. The model is for a route to choose."""
    text = "".join(path.read_text() for path in sorted(Path(asyncio.__file__).parent.glob("*.py")))
    argument = {"type": "string", "description": "An absolute path, a pattern or a range. " * 2}
    schema = {
        "type": "object",
        "properties": {f"arg_{i}": argument for i in range(6)},
        "required": ["arg_0"],
        "additionalProperties": False,
    }
    words = "Reads, searches or edits files of the workspace; returns numbered lines. " * 12
    tools = [{"name": f"tool_{i}", "description": words, "input_schema": schema} for i in range(20)]
    history: list[dict[str, Any]] = [{"role": "user", "content": "Store timers in a wheel."}]
    size = 0
    while size < long:
        call = f"toolu_{size:08d}"
        used = {"type": "tool_use", "id": call, "name": "tool_3", "input": {"arg_0": f"/{size}"}}
        said = {"type": "text", "text": "I will read the next part of the file."}
        piece = text[size % (len(text) - 4000) :][:3500]
        result = {"type": "tool_result", "tool_use_id": call, "content": piece}
        history.append({"role": "assistant", "content": [said, used]})
        history.append({"role": "user", "content": [result]})
        size += len(json.dumps(piece)) + 450
    return {
        "model": "claude-sonnet-4-5",
        "max_tokens": 8192,
        "system": "You are a coding agent. Use the tools with care. " * 160,
        "tools": tools,
        "messages": history,
    }
