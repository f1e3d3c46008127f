"""A real program and ours, asked the same: what each said, and how two answers differ.

Its one rule: a difference counts as explained only by a pattern with its reason, and a pattern that
explains nothing any more is as wrong as a difference without one.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

import httpx

JSON = dict[str, Any]


def told(answer: httpx.Response) -> Any:
    """An answer's body, a stream folded into what it said, less ids and times."""
    if answer.headers.get("content-type", "").startswith("text/event-stream"):
        return _folded(answer.text)
    try:
        return _lasting(answer.json())
    except ValueError:
        return answer.text


def _lasting(body: Any) -> Any:
    if not isinstance(body, dict):
        return body
    fleeting = ("id", "created", "created_at", "completed_at", "system_fingerprint")
    return {name: value for name, value in body.items() if name not in fleeting}


def _folded(text: str) -> JSON:
    """A stream of Anthropic's, or of OpenAI's chat, as its content and its end."""
    said: JSON = {}
    for line in text.splitlines():
        if not line.startswith("data: {"):
            continue
        event = json.loads(line[6:])
        match event:
            case {"error": error}:
                said["error"] = error
            case {"type": "content_block_start", "content_block": block}:
                block = {k: "" if k == "input" else v for k, v in block.items()}
                said.setdefault("content", []).append(block)
            case {"type": "content_block_delta", "delta": delta}:
                for name, value in delta.items():
                    name = "input" if name == "partial_json" else name
                    if name != "type":
                        _add(said["content"][-1], name, value)
            case {"type": "message_delta", "delta": delta}:
                said["stop_reason"] = delta["stop_reason"]
            case {"choices": choices}:
                said["model"] = event.get("model")
                _chat(said, choices)
                if event.get("usage"):
                    said["usage"] = event["usage"]
    return said


def _chat(said: JSON, choices: Iterable[JSON]) -> None:
    for choice in choices:
        for name, value in choice.get("delta", {}).items():
            if name == "tool_calls":
                for call in value:
                    for part in ("name", "arguments"):
                        _add(said, part, call.get("function", {}).get(part))
            elif name in ("content", "reasoning_content", "refusal"):
                _add(said, name, value)
        if choice.get("finish_reason"):
            said["finish_reason"] = choice["finish_reason"]


def _add(said: JSON, name: str, value: str | None) -> None:
    if value:
        said[name] = said.get(name, "") + value


def differences(ours: Any, theirs: Any, path: str = "") -> Iterator[str]:
    """`.path.to[0].it: ours …, theirs …`; a field that is absent differs from one that is null
    no more than in its look."""
    if isinstance(ours, dict) and isinstance(theirs, dict):
        for name in sorted({*ours, *theirs}):
            yield from differences(ours.get(name), theirs.get(name), f"{path}.{name}")
    elif isinstance(ours, list) and isinstance(theirs, list) and len(ours) == len(theirs):
        for index, (one, other) in enumerate(zip(ours, theirs, strict=True)):
            yield from differences(one, other, f"{path}[{index}]")
    elif ours != theirs:
        yield f"{path}: ours {json.dumps(ours)[:200]}, theirs {json.dumps(theirs)[:200]}"


def explained(found: Iterable[str], reasons: Mapping[str, str]) -> None:
    """Every difference matches a pattern of `reasons` by what stands before its colon, and every
    pattern a difference."""
    unexplained, used = [], set()
    for one in found:
        where = one.partition(": ours ")[0]
        matching = [pattern for pattern in reasons if re.search(pattern, where)]
        used.update(matching)
        if not matching:
            unexplained.append(one)
    assert not unexplained, "\n".join(unexplained)
    assert used == set(reasons), f"no longer needed: {set(reasons) - used}"
