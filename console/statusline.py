"""Claude Code's status line, from what it tells about itself: pure but for reading git's HEAD.

One rule: it is drawn again after every answer, so it costs milliseconds and never fails: what is
not known is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Any

import click

from console.text import clean, tokens

#: what Claude Code Router shows by default, and the cost
MODULES: tuple[Mapping[str, str], ...] = (
    {"type": "workDir", "icon": "", "text": "{{workDirName}}", "color": "bright_blue"},
    {"type": "gitBranch", "icon": "", "text": "{{gitBranch}}", "color": "bright_magenta"},
    {"type": "model", "icon": "", "text": "{{model}}", "color": "bright_cyan"},
    {"type": "context", "icon": "", "text": "{{contextPercent}}% context", "color": "bright_green"},
    {"type": "usage", "icon": "↑", "text": "{{inputTokens}} ↓{{outputTokens}}", "color": ""},
    {"type": "cost", "icon": "", "text": "{{cost}}", "color": ""},
)
_SLOT = re.compile(r"\{\{(\w+)\}\}")
_COLORS = frozenset(("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white"))


def line(stdin: str, configured: Mapping[str, Any], preset: str = "") -> str:
    """`configured` is config.json's StatusLine: its modules replace ours where it is enabled."""
    import msgspec

    try:
        data = msgspec.json.decode(stdin)
    except msgspec.DecodeError:
        data = {}
    values = variables(data if isinstance(data, dict) else {})
    modules: Iterable[Any] = MODULES
    if configured.get("enabled"):
        style = preset or configured.get("currentStyle") or "default"
        chosen = configured.get(style)
        if isinstance(chosen, dict) and isinstance(chosen.get("modules"), list):
            modules = chosen["modules"]
    drawn = (draw(module, values) for module in modules if isinstance(module, dict))
    return "  ".join(part for part in drawn if part)


def draw(module: Mapping[str, Any], values: Mapping[str, str]) -> str:
    """One module; "" where a value that it shows is not known."""
    template = str(module.get("text", ""))
    if any(not values.get(name) for name in _SLOT.findall(template)):
        return ""
    text = _SLOT.sub(lambda found: values[found[1]], template)
    icon = str(module.get("icon", ""))
    shown = clean(f"{icon}{' ' if len(icon) > 1 else ''}{text}", limit=80).strip()
    color = str(module.get("color") or "")
    known = color.removeprefix("bright_") in _COLORS
    return click.style(shown, fg=color) if known and shown else shown


def variables(data: Mapping[str, Any]) -> dict[str, str]:
    """The names that CCR's templates use, from Claude Code's JSON."""
    folder = str(_at(data, "workspace", "current_dir") or data.get("cwd") or "")
    window = _at(data, "context_window")
    window = window if isinstance(window, dict) else {}
    cost = _at(data, "cost", "total_cost_usd")
    used = window.get("used_percentage")
    return {
        "workDirName": Path(folder).name if folder else "",
        "gitBranch": branch(Path(folder)) if folder else "",
        "model": str(_at(data, "model", "display_name") or _at(data, "model", "id") or ""),
        "inputTokens": _count(window.get("total_input_tokens")),
        "outputTokens": _count(window.get("total_output_tokens")),
        "contextPercent": f"{used:.0f}" if isinstance(used, int | float) else "",
        "contextWindowSize": _count(window.get("context_window_size")),
        # Claude Code's own sum, at list prices; `ccr usage` has what was really spent
        "cost": f"${cost:.2f}" if isinstance(cost, int | float) else "",
        "duration": _seconds(_at(data, "cost", "total_duration_ms")),
        "linesAdded": _count(_at(data, "cost", "total_lines_added")),
        "linesRemoved": _count(_at(data, "cost", "total_lines_removed")),
        "sessionId": str(data.get("session_id") or ""),
    }


def branch(folder: Path) -> str:
    """The branch checked out in `folder` or above it, read without starting git."""
    for place in (folder, *folder.parents):
        git = place / ".git"
        try:
            if git.is_file():  # a worktree: "gitdir: PATH"
                git = place / git.read_text("utf-8").partition("gitdir:")[2].strip()
            head = (git / "HEAD").read_text("utf-8").strip()
        except (OSError, UnicodeDecodeError):
            continue
        name = head.removeprefix("ref: refs/heads/")
        return name if name != head else head[:8]
    return ""


def _at(data: Any, *path: str) -> Any:
    for key in path:
        data = data.get(key) if isinstance(data, dict) else None
    return data


def _count(value: Any) -> str:
    return tokens(value, 5) if isinstance(value, int) else ""


def _seconds(value: Any) -> str:
    from console.text import age

    return age(value / 1000) if isinstance(value, int | float) else ""
