"""The status line: Claude Code Router's modules, scripts and styles, in milliseconds."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

from console import statusline
from console.statusline import configuration
from storage.home import Home
from tests.console.commands.conftest import Run
from tests.console.commands.fake import EVIL


def test_statusline(here: Home, tmp_path: Path) -> None:
    """Through the program's own entry point, which takes a shorter way than other commands."""
    project = tmp_path / "proj"
    (project / ".git").mkdir(parents=True)
    (project / ".git" / "HEAD").write_text("ref: refs/heads/feature/x\n")
    (project / "sub").mkdir()
    transcript = tmp_path / "t.jsonl"
    answer = {"model": "deepseek-chat", "usage": {"input_tokens": 1200, "output_tokens": 34}}
    transcript.write_text(json.dumps({"type": "assistant", "message": answer}) + "\n{broken\n")
    told = {
        "workspace": {"current_dir": str(project / "sub")},
        "model": {"display_name": EVIL},
        "cost": {"total_cost_usd": 0.5, "total_lines_added": 12, "total_duration_ms": 61_000},
        "context_window": {"used_percentage": 41.6, "total_input_tokens": 12_345},
    }

    def plain(told: object, preset: str = "") -> str:
        stdin = told if isinstance(told, str) else json.dumps(told)
        return re.sub(r"\x1b\[[0-9;]*m", "", statusline.line(stdin, *configuration(preset)))

    assert plain(told).startswith("sub  feature/x  evil␛")
    assert plain(told).endswith("  42% context  $0.50")  # no output count: usage is left out
    assert "deepseek-chat" in plain(told | {"transcript_path": str(transcript)})
    assert "↑ 1,200 ↓34" in plain(told | {"transcript_path": str(transcript)})
    for broken in ("", "nonsense", "[]", '{"model": 3, "cost": []}'):
        assert plain(broken) == ""
    here.make()
    (here.ccr / "own").write_text("#!/bin/sh\ngrep -o 'linesAdded.: .[0-9]*' | tr -d '\"'\n")
    (here.ccr / "own").chmod(0o700)
    modules = [
        {"type": "x", "icon": "+", "text": "{{linesAdded}}", "color": "red", "background": "#036"},
        {"type": "script", "scriptPath": str(here.ccr / "own")},
        {"type": "script", "scriptPath": "/nowhere/x"},
        7,
    ]
    config = {"currentStyle": "powerline", "powerline": {"modules": modules}}
    here.ccr_json.write_text("// JSON5\n" + json.dumps({"StatusLine": config}))
    drawn = statusline.line(json.dumps(told), *configuration())
    assert drawn == (
        "\x1b[48;2;0;51;102m\x1b[38;2;128;0;0m + 12 \x1b[0m\x1b[38;2;0;51;102m"
        "\x1b[48;2;33;150;243m\ue0b0\x1b[0m"
        "\x1b[48;2;33;150;243m\x1b[38;2;255;255;255m linesAdded: 12 \x1b[0m"
        "\x1b[38;2;33;150;243m\ue0b0\x1b[0m"
    )
    folder = here.ccr / "presets" / "mine"
    folder.mkdir(parents=True)
    default = {"StatusLine": {"default": {"modules": [{"text": "of {{workDirName}}"}]}}}
    (folder / "manifest.json").write_text(json.dumps(default))
    assert plain(told, "mine") == "of sub"
    assert plain(told, "../mine") == "of sub"


@pytest.mark.skipif(shutil.which("node") is None, reason="needs node")
def test_statusline_runs_ccr_scripts(tmp_path: Path) -> None:
    path = tmp_path / "s.js"
    path.write_text("module.exports = (v, o) => `${v.workDirName} ${o.sign}\u001b[2J`")
    modules = [{"type": "script", "scriptPath": str(path), "options": {"sign": "!"}}]
    told = json.dumps({"cwd": "/a/b"})
    assert statusline.line(told, {"default": {"modules": modules}}) == "b !␛[2J"


async def test_the_quick_way_in(run: Run) -> None:
    code, out, err = await run("ccr", "statusline", stdin=b'{"cwd": "/a/b"}')
    assert (code, out) == (0, "\x1b[94mb\x1b[0m\n"), err
    code, out, _ = await run("ccr", "statusline", "--help")
    assert (code, "Usage: ccr statusline" in out) == (0, True)
