"""The names that Claude Code Router's templates use, from Claude Code's JSON. Pure but for reading
git's HEAD and the end of the transcript.

One rule: what is not known is "", and the module that shows it is left out.
"""

from __future__ import annotations

import json
import os

from console.text import age, tokens

TYPE_CHECKING = False
if TYPE_CHECKING:
    from collections.abc import Mapping
    from typing import Any

#: bytes of a transcript's end in which its newest answer is looked for
_TAIL = 1 << 16


def of(data: Mapping[str, Any]) -> dict[str, str]:
    folder = str(_at(data, "workspace", "current_dir") or data.get("cwd") or "")
    window = _at(data, "context_window")
    window = window if isinstance(window, dict) else {}
    cost = _at(data, "cost", "total_cost_usd")
    added, removed = (_at(data, "cost", f"total_lines_{word}") for word in ("added", "removed"))
    answered, used = newest_answer(str(data.get("transcript_path") or ""))
    told = str(_at(data, "model", "display_name") or _at(data, "model", "id") or "")
    return {
        "workDirName": os.path.basename(folder.rstrip("/")),
        "gitBranch": branch(folder) if folder else "",
        # what really answered, which may be another than the one Claude Code believes in
        "model": answered or told,
        "inputTokens": _count(used.get("input_tokens", window.get("total_input_tokens"))),
        "outputTokens": _count(used.get("output_tokens", window.get("total_output_tokens"))),
        "totalInputTokens": _count(window.get("total_input_tokens")),
        "totalOutputTokens": _count(window.get("total_output_tokens")),
        "contextPercent": _percent(window),
        "contextWindowSize": _count(window.get("context_window_size")),
        # Claude Code's own sum, at list prices; `ccr usage` has what was really spent
        "cost": f"${cost:.2f}" if isinstance(cost, int | float) else "",
        "duration": _seconds(_at(data, "cost", "total_duration_ms")),
        "linesAdded": _count(added),
        "linesRemoved": _count(removed),
        "netLines": str(added - removed)
        if isinstance(added, int) and isinstance(removed, int)
        else "",
        "version": str(data.get("version") or ""),
        "sessionId": str(data.get("session_id") or "")[:8],
    }


def newest_answer(transcript: str) -> tuple[str, dict[str, Any]]:
    """The model and the usage of a transcript's newest answer; ("", {}) where there is none."""
    try:
        with open(transcript, "rb") as file:
            file.seek(max(0, file.seek(0, os.SEEK_END) - _TAIL))
            lines = file.read().splitlines()
    except (OSError, ValueError):
        return "", {}
    for line in reversed(lines):
        if b'"assistant"' not in line:
            continue
        try:
            message = json.loads(line)["message"]
            model, usage = str(message["model"]), message.get("usage")
        except (ValueError, KeyError, TypeError, AttributeError):
            continue
        return model, usage if isinstance(usage, dict) else {}
    return "", {}


def branch(folder: str) -> str:
    """The branch checked out in `folder` or above it, read without starting git."""
    place = os.path.abspath(folder)
    while True:
        git = os.path.join(place, ".git")
        try:
            if os.path.isfile(git):  # a worktree: "gitdir: PATH"
                git = os.path.join(place, _text(git).partition("gitdir:")[2].strip())
            head = _text(os.path.join(git, "HEAD")).strip()
        except (OSError, UnicodeDecodeError):
            above = os.path.dirname(place)
            if above == place:
                return ""
            place = above
            continue
        name = head.removeprefix("ref: refs/heads/")
        return name if name != head else head[:8]


def _text(path: str) -> str:
    with open(path, encoding="utf-8") as file:
        return file.read()


def _at(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _percent(window: Mapping[str, Any]) -> str:
    used = window.get("used_percentage")
    if isinstance(used, int | float):
        return f"{used:.0f}"
    size, now = window.get("context_window_size"), window.get("current_usage")
    if not isinstance(size, int) or not size or not isinstance(now, dict):
        return ""
    kinds = ("input_tokens", "cache_creation_input_tokens", "cache_read_input_tokens")
    counts = [now.get(kind) for kind in kinds]
    return f"{100 * sum(c for c in counts if isinstance(c, int)) / size:.0f}"


def _count(value: Any) -> str:
    return tokens(value, 5) if isinstance(value, int) else ""


def _seconds(value: Any) -> str:
    return age(value / 1000) if isinstance(value, int | float) else ""
