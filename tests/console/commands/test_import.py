"""`pointsman import`: every line of somebody's file is accounted for before it is used."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

CCR = """{
  // as people write it
  "APIKEY": "a-long-key", "HOST": "0.0.0.0", "unheard": 1, "LOG": true,
  "CUSTOM_ROUTER_PATH": "gone.py", "Providers": [
    {"name": "deepseek", "api_base_url": "https://api.deepseek.com/chat/completions",
     "api_key": "k", "models": ["deepseek-chat"], "transformer": {"use": ["deepseek", "odd"]}}
  ],
  "Router": {"default": "deepseek,deepseek-chat", "think": "gone,model"}
}"""
LITELLM = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: k}
  - model_name: odd
    litellm_params: {model: petals/odd}
litellm_settings: {num_retries: 3, callbacks: [prometheus]}
"""
WHOLE = """
model_list:
  - model_name: gpt-4o
    litellm_params: {model: openai/gpt-4o, api_key: k}
"""


def run(kind: str, path: Path, *more: str) -> tuple[int, str, str]:
    words = [sys.executable, "-m", "console", "import", kind, str(path), *more]
    done = subprocess.run(words, capture_output=True, text=True, timeout=60)
    return done.returncode, done.stdout, done.stderr


def written(path: Path, text: str) -> Path:
    path.write_text(text)
    path.chmod(0o600)
    return path


@pytest.mark.parametrize(
    ("kind", "text", "maps", "differs", "ignored"),
    [
        (
            "ccr",
            CCR,
            {"provider deepseek", "Router.default", "client key", "LOG"},
            {
                ("HOST", 3),
                ("CUSTOM_ROUTER_PATH", 4),
                ("Providers[0].transformer.use[1]", 6),
                ("Router.think", 8),
            },
            {"unheard"},
        ),
        (
            "litellm",
            LITELLM,
            {"provider openai", "model gpt-4o", "litellm_settings.num_retries"},
            {("model_list[1].litellm_params.model", 6)},
            {"litellm_settings.callbacks"},
        ),
    ],
)
def test_nothing_is_lost_without_a_line(
    tmp_path: Path,
    kind: str,
    text: str,
    maps: set[str],
    differs: set[tuple[str, int]],
    ignored: set[str],
) -> None:
    path = written(tmp_path / "theirs", text)
    code, said, _ = run(kind, path, "--json")
    found: dict[str, list[dict[str, Any]]] = json.loads(said)
    assert code == 4
    mapped = {line["key"] for line in found["maps"]}
    assert maps <= mapped
    assert not mapped & {"Router.think", "CUSTOM_ROUTER_PATH"}  # they lead to nobody
    assert differs == {(line["key"], line["line"]) for line in found["differs"]}
    assert ignored == {line["key"] for line in found["ignored"]}
    _, shown, _ = run(kind, path)
    assert "(line " in shown
    assert path.read_text() == text


def test_the_exit_code_tells_how_much_of_it_is_the_same(tmp_path: Path) -> None:
    assert run("litellm", written(tmp_path / "a", WHOLE))[0] == 0
    code, out, words = run("ccr", written(tmp_path / "b", "{'Providers': 3"))
    assert (code, out) == (1, "")
    assert str(tmp_path / "b") in words
    assert "Traceback" not in words


@pytest.mark.parametrize(
    ("kind", "named"),
    [("ccr", "Router.coder: deepseek,deepseek-coder"), ("litellm", "text-embedding-3-small")],
)
def test_a_template_maps_whole(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str, named: str
) -> None:
    for name in ("DEEPSEEK_API_KEY", "OPENROUTER_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.setenv(name, "a-key-of-the-test")
    words = [sys.executable, "-m", "console", "template", kind]
    text = subprocess.run(words, capture_output=True, text=True, timeout=60, check=True).stdout
    code, out, _ = run(kind, written(tmp_path / "file", text))
    assert code == 0, out
    assert named in out
