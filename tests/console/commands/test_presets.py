"""`ccr preset`: exported without secrets, installed with answers, applied, removed; completion."""

from __future__ import annotations

import json
import subprocess
from pathlib import Path

from storage.home import Home
from tests.console.commands.conftest import Invoke

CONFIG = {
    "APIKEY": "sk-own-secret",
    "Providers": [
        {"name": "deepseek", "api_base_url": "https://x/v1", "api_key": "sk-1", "models": ["a"]},
        {"name": "other", "api_base_url": "https://y/v1", "api_key": "$OTHER_KEY", "models": []},
    ],
    "Router": {"default": "deepseek,a"},
}
SHARED = {
    "version": "2.0.0",
    "description": "fast\x1b]52;c;x\x07 ones",
    "schema": [
        {"id": "kind", "type": "select", "options": {"options": [{"value": "x"}, {"value": "y"}]}},
        {"id": "key", "type": "password", "label": "Key", "when": {"field": "kind", "value": "y"}},
        {"id": "never", "type": "input", "when": {"field": "kind", "value": "x"}},
    ],
    "Providers": [{"name": "fast", "api_base_url": "https://f/v1", "api_key": "#{key}"}],
    "Router": {"think": "fast,#{kind}-1"},
    "configMappings": [{"target": "Router.think", "value": "fast,big", "when": []}],
}


async def test_export_list_info_delete(ccr: Invoke, here: Home) -> None:
    here.make()
    assert (await ccr("preset", "export", "mine")).exit_code == 1
    here.ccr_json.write_text(json.dumps(CONFIG))
    done = await ccr("preset", "export", "mine", "--author", "me", "--tags", "a, b")
    assert "Sensitive fields sanitized: 2" in done.stdout
    manifest = here.ccr / "presets" / "mine" / "manifest.json"
    assert manifest.stat().st_mode & 0o777 == 0o600
    text = manifest.read_text()
    assert "sk-" not in text
    kept = json.loads(text)
    keys = [each["api_key"] for each in kept["Providers"]]
    assert keys == ["${DEEPSEEK_API_KEY}", "$OTHER_KEY"]
    assert (kept["APIKEY"], kept["keywords"]) == ("${CONFIG_APIKEY}", ["a", "b"])
    assert "• mine (v1.0.0)\n  by me" in (await ccr("preset", "list")).stdout
    info = (await ccr("preset", "info", "mine")).stdout
    assert "Route: default → deepseek,a" in info
    assert "sk-" not in (await ccr("preset", "info", "mine", "--json")).stdout
    assert (await ccr("preset", "rm", "mine")).stdout == '✓ Preset "mine" deleted.\n'
    assert (await ccr("preset", "delete", "mine")).exit_code == 1
    for name in ("..", "../x", "a/b", ""):
        assert (await ccr("preset", "info", name)).exit_code == 1


async def test_install_asks_and_apply_merges(ccr: Invoke, here: Home, tmp_path: Path) -> None:
    source = tmp_path / "fast"
    source.mkdir()
    (source / "manifest.json").write_text(json.dumps(SHARED))
    done = await ccr("preset", "install", str(source), input="y\nsk-f\n")
    assert "Inputs configured: 2" in done.stdout, done.output
    again = await ccr("install", str(source))
    assert again.exit_code == 1
    assert "installed already" in again.stderr
    other = await ccr("install", "fast", input="x\nsomething\n")
    assert "Inputs configured: 2" in other.stdout, other.output
    assert "\x1b]" not in (await ccr("preset", "list")).stdout
    await ccr("install", "fast", input="y\nsk-f\n")
    here.ccr_json.write_text("// mine\n" + json.dumps(CONFIG))
    refused = await ccr("preset", "apply", "fast")
    assert refused.exit_code == 1
    assert "--force" in refused.stderr
    assert (await ccr("preset", "apply", "fast", "--force")).exit_code == 0
    config = json.loads(here.ccr_json.read_text())
    assert [each["name"] for each in config["Providers"]] == ["deepseek", "other", "fast"]
    assert config["Providers"][2]["api_key"] == "sk-f"
    assert config["Router"] == {"default": "deepseek,a", "think": "fast,big"}
    (backup,) = here.ccr.glob("config.json.*.bak")
    assert backup.read_text().startswith("// mine")


def test_completion_completes_both_programs(tmp_path: Path) -> None:
    from click.testing import CliRunner

    from console.main import ccr_group, pointsman_group

    for group in (pointsman_group, ccr_group):
        for shell in ("bash", "zsh", "fish"):
            script = CliRunner().invoke(group, ["completion", shell]).stdout
            assert "_POINTSMAN_COMPLETE" in script
            assert "_CCR_COMPLETE" in script
            if shell == "bash":
                check = subprocess.run(["bash", "-n"], input=script.encode(), check=False)
                assert check.returncode == 0
    asked = {"COMP_WORDS": "ccr preset in", "COMP_CWORD": "2", "_CCR_COMPLETE": "bash_complete"}
    offered = CliRunner().invoke(ccr_group, [], prog_name="ccr", env=asked).stdout
    assert offered.split() == ["plain,info", "plain,install"]
