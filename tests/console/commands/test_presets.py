"""`ccr preset`: exported without secrets, installed from anywhere, applied, removed; completion."""

from __future__ import annotations

import io
import json
import subprocess
import zipfile
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest

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


@contextmanager
def site(pages: Mapping[str, bytes]) -> Iterator[str]:
    """A real server on loopback; its address."""

    class Page(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = pages.get(self.path)
            self.send_response(404 if body is None else 200)
            self.end_headers()
            self.wfile.write(body or b"")

        def log_message(self, format: str, *args: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Page) as server:
        thread = Thread(target=server.serve_forever, args=(0.01,))
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_address[1]}"
        finally:
            server.shutdown()
            thread.join()


def zipped(files: Mapping[str, str]) -> bytes:
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w") as archive:
        for name, text in files.items():
            archive.writestr(name, text)
    return made.getvalue()


async def test_a_preset_from_a_file_an_address_and_the_marketplace(
    ccr: Invoke, here: Home, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lone = {**SHARED, "name": "Lone one", "schema": [], "claudeCodeSettings": {"hooks": {}}}
    files = {"fast-main/manifest.json": json.dumps(SHARED), "fast-main/line.js": "1"}
    evil = {"fast-main/../../../evil": "x", "/evil": "x", "fast-main/../evil": "x"}
    pages = {"/lone": json.dumps(lone).encode(), "/fast.zip": zipped(files | evil)}
    kept = here.ccr / "presets"
    with site(pages) as base:
        fast = {"id": "7", "name": "Fast", "repo": f"{base}/fast.zip", "url": "https://about"}
        gone = {"id": "8", "name": "gone", "repo": f"{base}/no"}
        pages["/index"] = json.dumps([fast, gone]).encode()
        here.make()
        here.toml.write_text(f'[ccr]\npresets = "{base}/index"\n')
        done = await ccr("install", "fast", input="y\nsk-f\n")
        assert done.exit_code == 0, done.output
        assert "Requests go to: f\n" in done.stdout
        manifest = json.loads((kept / "Fast" / "manifest.json").read_text())
        assert (manifest["repository"], manifest["source"]) == (f"{base}/fast.zip", "https://about")
        assert manifest["userValues"] == {"kind": "y", "key": "sk-f"}
        assert (kept / "Fast" / "manifest.json").stat().st_mode & 0o777 == 0o600
        assert {path.name for path in (kept / "Fast").iterdir()} == {"manifest.json", "line.js"}
        assert not [*here.ccr.rglob("evil")]
        told = await ccr("preset", "install", f"{base}/lone")
        assert "It sets for Claude Code: hooks" in told.stdout, told.output
        assert (kept / "Lone-one").is_dir()
        (tmp_path / "mine.zip").write_bytes(pages["/fast.zip"])
        await ccr("preset", "install", str(tmp_path / "mine.zip"), input="x\ni\n")
        assert (kept / "mine").is_dir()
        pages["/broken"] = b"PK broken"
        pages["/page"] = b"<html>"
        for source, why in (
            ("gone", "/no answered 404"),
            ("none", "which has: Fast, gone"),
            (f"{base}/broken", "damaged zip"),
            (f"{base}/page", "is no preset, nor a zip"),
            ("http://192.0.2.1/x", "is not protected"),
            ("a/b", "there is no folder or file a/b"),
        ):
            refused = await ccr("preset", "install", source)
            assert refused.exit_code == 1
            assert why in refused.stderr, refused.stderr
    monkeypatch.setenv("POINTSMAN_PRESET_MARKET", f"{base}/index")  # nobody there any more
    offline = await ccr("install", "fast2")
    assert offline.exit_code == 1
    assert f"the marketplace cannot be asked: {base}/index cannot be reached" in offline.stderr
    assert "Errno" not in offline.stderr
    assert sorted(each.name for each in kept.iterdir()) == ["Fast", "Lone-one", "mine"]


@pytest.mark.parametrize(
    ("named", "address"),
    [
        ("o/r", "https://github.com/o/r/archive/HEAD.zip"),
        ("https://github.com/o/r.git", "https://github.com/o/r/archive/HEAD.zip"),
        ("git@github.com:o/r", "https://github.com/o/r/archive/HEAD.zip"),
        ("https://github.com/o/r/releases/x.zip", ""),
        ("https://example.com/o", ""),
        ("../r/../../x", ""),
    ],
)
def test_where_a_repository_on_github_is(named: str, address: str) -> None:
    from console.presets.sources import archive

    assert archive(named) == address


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
    for group, name in ((pointsman_group, "pointsman"), (ccr_group, "ccr")):
        for typed in ("nosuch", "help", "preset nosuch", "session nosuch"):
            asked = {
                "COMP_WORDS": f"{name} {typed} ",
                "COMP_CWORD": str(1 + len(typed.split())),
                f"_{name.upper()}_COMPLETE": "bash_complete",
            }
            done = CliRunner().invoke(group, [], prog_name=name, env=asked)
            assert done.exit_code == 0, (name, typed)
            assert all(word.startswith("plain,") for word in done.output.split()), (name, typed)
