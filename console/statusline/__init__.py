"""Claude Code's status line, from what it tells about itself: Claude Code Router's modules, drawn.

One rule: it is drawn again after every answer, so it costs milliseconds (nothing heavy is imported
for it) and never fails: a module whose values are not known is left out.
"""

from __future__ import annotations

import json
import os

from console.statusline import draw, scripts, values

TYPE_CHECKING = False  # typing's own, without the milliseconds of importing it
if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence
    from typing import Any

    Module = Mapping[str, Any]

#: what Claude Code Router shows by default, and the cost; without the icons of patched fonts
MODULES: Sequence[Module] = (
    {"type": "workDir", "icon": "", "text": "{{workDirName}}", "color": "bright_blue"},
    {"type": "gitBranch", "icon": "", "text": "{{gitBranch}}", "color": "bright_magenta"},
    {"type": "model", "icon": "", "text": "{{model}}", "color": "bright_cyan"},
    {"type": "context", "icon": "", "text": "{{contextPercent}}% context", "color": "bright_green"},
    {"type": "usage", "icon": "↑", "text": "{{inputTokens}} ↓{{outputTokens}}", "color": ""},
    {"type": "cost", "icon": "", "text": "{{cost}}", "color": ""},
)
#: and in its powerline
BANDS: Sequence[Module] = tuple(
    {**module, "color": "white", "background": f"bg_{color}"}
    for module, color in zip(
        MODULES,
        ("bright_blue", "bright_magenta", "bright_cyan", "bright_green", "blue", "bright_black"),
        strict=True,
    )
)
#: as the original: more is not a line any more
MOST = 10


def line(stdin: str, configured: Module, preset: str = "") -> str:
    """`configured` is config.json's (or a preset's) StatusLine: its modules replace ours. `preset`
    is the style, "default" or "powerline", instead of its `currentStyle`."""
    try:
        data = json.loads(stdin)
    except ValueError:
        data = {}
    known = values.of(data if isinstance(data, dict) else {})
    style, modules = _modules(configured, preset)
    written = scripts.run(modules, known)
    shown = []
    for number, module in enumerate(modules):
        text = draw.text(module, known, written.get(number))
        if text:
            shown.append((module, text))
    return draw.powerline(shown) if style == "powerline" else draw.plain(shown)


def _modules(configured: Module, preset: str) -> tuple[str, list[Module]]:
    """The style and what to show in it. `enabled: false` leaves ours."""
    style = preset or str(configured.get("currentStyle") or "default")
    modules: Sequence[Any] = BANDS if style == "powerline" else MODULES
    chosen = configured.get(style)
    if configured.get("enabled", True) and isinstance(chosen, dict):
        given = chosen.get("modules")
        modules = given if isinstance(given, list) else modules
    shown: list[Module] = [module for module in modules if isinstance(module, dict)]
    return style, shown[:MOST]


def configuration(preset: str = "") -> tuple[Module, str]:
    """StatusLine of config.json, or of the installed preset named, and the style where `preset`
    names that instead."""
    from console.quick_json5 import read
    from storage.ccr_folder import ccr_folder

    folder = ccr_folder(os.environ.get("POINTSMAN_HOME"))
    style = preset if preset in ("default", "powerline") else ""
    path = os.path.join(folder, "config.json")
    if preset and not style:
        path = os.path.join(folder, "presets", os.path.basename(preset), "manifest.json")
    found = read(path).get("StatusLine")
    return (found if isinstance(found, dict) else {}), style
