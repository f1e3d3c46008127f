"""A file that cannot be read names itself, the key where one is at fault, and the line."""

from __future__ import annotations

from pathlib import Path

import pytest

from router.config import Flags
from router.errors import ConfigError
from tests.router.config.conftest import House

CCR = """{
  // providers
  "APIKEY": "sk-client-secret",
  "Providers": [
    {
      "name": "deepseek",
      "api_base_url": "https://api.deepseek.com/chat/completions",
      "api_key": "sk-upstream-secret",
      "models": ["deepseek-chat", "deepseek-reasoner"],
      "transformer": { "use": ["deepseek", ["maxtoken", { "max_tokens": 4096 }]] },
    },
  ],
  "Router": { "default": "deepseek,deepseek-chat", "longContextThreshold": 60000 },
}
"""

LITELLM = """model_list:
  - model_name: gpt
    litellm_params: {model: openai/gpt-5.5, api_key: "sk-upstream-secret"}
  - model_name: claude
    litellm_params:
      model: anthropic/claude-x
      api_key: 'sk-upstream-secret'
router_settings: {num_retries: 1,
  allowed_fails: 2}
general_settings:
  master_key: "sk-client-secret"
"""

TOML = """[listen]
port = 5001

[litellm]
keys = ["sk-client-secret"]

[providers.mine]
url = "http://127.0.0.1:8000/v1/chat/completions"
key = "sk-upstream-secret"
models = ["a",
  "b"]

[providers.mine.prices.a]
input = 1.5
"""


@pytest.mark.parametrize(("kind", "text"), [("ccr", CCR), ("litellm", LITELLM), ("toml", TOML)])
def test_a_file_cut_anywhere_is_taken_or_refused_by_name_and_line(
    house: House, kind: str, text: str
) -> None:
    refused: list[tuple[int, ConfigError]] = []
    for cut in [len(text) * tenth // 10 for tenth in range(1, 10)] + list(range(0, len(text), 17)):
        house.write(**{kind: text[:cut] or " "})
        try:
            house.load()
        except ConfigError as error:
            refused.append((text[:cut].count("\n") + 1, error))
    for lines, complaint in refused:
        assert complaint.line is not None, str(complaint)
        assert 1 <= complaint.line <= lines, str(complaint)
        assert Path(complaint.file).name in str(complaint)
        assert "secret" not in str(complaint)
    assert len(refused) > 5
    house.write(**{kind: text})
    assert house.load().findings


@pytest.mark.parametrize("kind", ["ccr", "litellm"])
def test_a_byte_order_mark_is_no_fault(house: House, kind: str) -> None:
    house.write(**{kind: "\ufeff" + (CCR if kind == "ccr" else LITELLM)})
    assert any(f.state == "found" for f in house.load().findings)


BAD = [
    # (file, text, key, line, a part of the complaint)
    ("ccr", "", None, 1, "empty"),
    ("ccr", "[]", None, 1, "object"),
    ("ccr", '{\n"PORT": 1\n"HOST": 2}', None, 3, "is not JSON: expected ',' or '}' before this"),
    ("ccr", '{\n"Router": {"think" "x"\n', None, 2, "is not JSON: expected ':' at column 20"),
    ("ccr", '{\n"PORT": tru\n}', None, 2, "is not JSON: expected value at column 9"),
    ("ccr", '{\n"HOST": "x\n}', None, 2, "a quote is not closed"),
    ("ccr", '{"PORT": 1}\n}', None, 2, "something that may not be there, at column 1"),
    ("ccr", '{"PORT": 1,\n "PORT": 2}', "PORT", 2, "first in line 1"),
    ("ccr", '{\n "Providers": {}}', "Providers", 2, "list"),
    ("ccr", '{\n "Providers": [{"name": 3}]}', "Providers[0].name", 2, "string"),
    ("ccr", '{"Providers": [\n{"name":"a","models":[\n1]}]}', "Providers[0].models[0]", 3, "str"),
    ("ccr", '{"Router":\n{"think": 5}}', "Router.think", 2, "string"),
    ("ccr", '{"Router":\n{"longContextThreshold": "x"}}', "Router.longContextThreshold", 2, "int"),
    ("ccr", '{"PORT": 70000}', "PORT", 1, "65535"),
    ("ccr", '{"fallback": {"think": "a,b"}}', "fallback.think", 1, "list"),
    (
        "ccr",
        '{"Providers":[{"name":"a","api_base_url":"http://h/v1",\n"transformer":{"use":[7]}}]}',
        "Providers[0].transformer.use[0]",
        2,
        "options",
    ),
    ("litellm", "\tmodel_list: []", None, 1, "YAML"),
    ("litellm", "model_list:\n  - a\n bad: 1", None, 3, "YAML"),
    ("litellm", "- a", None, 1, "mapping"),
    ("litellm", "model_list:\n - model_name: x", "model_list[0].litellm_params", 2, "missing"),
    (
        "litellm",
        "model_list:\n - model_name: x\n   litellm_params:\n     model: 7",
        "model_list[0].litellm_params.model",
        4,
        "string",
    ),
    (
        "litellm",
        "router_settings:\n  num_retries: many",
        "router_settings.num_retries",
        2,
        "integer",
    ),
    ("litellm", "a: &a [*a]", None, 1, "deep"),
    ("litellm", "a: 2026-02-30", None, None, "a date or a number that cannot be"),
    ("litellm", "true: sk-one\nTrue: sk-two", None, 2, "a key is written twice"),
    (
        "litellm",
        "router_settings: {}\nlitellm_settings:\n  fallbacks: [{a: [{model: b, api_base: c}]}]",
        "litellm_settings.fallbacks[0].a",
        3,
        "api_base is not allowed",
    ),
    (
        "litellm",
        "credential_list:\n - credential_name: x\n   credential_values: {api_key: 7}",
        "credential_list[0].credential_values.api_key",
        3,
        "string",
    ),
    ("toml", '[ssh]\npassword = "maybe"', "ssh.password", 2, '"auto", "own", true or false'),
    ("toml", "[listen]\nport = ", None, 2, "TOML"),
    ("toml", "[listen]\nport = 1\nport = 2", None, 3, "TOML"),
    ("toml", "[listen]\nprot = 1", "listen.prot", 2, "no such key: is port meant?"),
    ("toml", "[providers.x]\nurll = ''", "providers.x.urll", 2, "no such key: is url meant?"),
    (
        "toml",
        "[[budgets]]\n[[budgets]]\nlimt = 1",
        "budgets[1].limt",
        3,
        "no such key: is limit meant?",
    ),
    ("toml", "[lissen]\nport = 1", "lissen", 1, "no such key"),
    ("toml", "\n\n[listen]\nport = 70000", "listen.port", 4, "65535"),
    ("toml", "[listen]\nhosts = [1]", "listen.hosts[0]", 2, "string"),
    ("toml", 'litellm = {mode = "maybe"}', "litellm.mode", 1, "external"),
    ("toml", '[ccr]\nmode = "external"', "ccr.mode", 2, "address"),
    ("toml", '[litellm]\nurl = "ftp://x"', "litellm.url", 2, "http"),
    ("toml", '[litellm]\nurl = "http://127.0.0.1:5000"', "litellm.url", 2, "own front door"),
    ("toml", '[providers."a,b"]\nurl = "http://h/v1"', "providers.a,b", 1, "comma"),
    ("toml", "[providers.a]\nlocal = true", "providers.a", 1, "needs a url"),
    ("toml", '[providers.a]\nkind = "opnai"', "providers.a.kind", 2, "no such kind"),
    ("toml", '[providers.a]\nurl = "http://u:p@h/"', "providers.a.url", 2, "password"),
    ("toml", '[providers.a]\nkind="openai"\nadjust = [3]', "providers.a.adjust[0]", 3, "options"),
    ("toml", '[routes.targets]\nthinkk = "a,b"', "routes.targets.thinkk", 2, "should be"),
    ("toml", '[routes.targets]\nthink = "a"', "routes.targets.think", 2, "provider,model"),
    ("toml", "[prices.m]\ninput = -1", "prices.m.input", 2, "greater"),
]


@pytest.mark.parametrize(("kind", "text", "key", "line", "words"), BAD)
def test_the_complaint_names_file_key_and_line(
    house: House, kind: str, text: str, key: str | None, line: int | None, words: str
) -> None:
    if text:
        house.write(**{kind: text})
    else:
        house.home.ccr_json.touch(0o600)
    error = house.refused()
    names = {"ccr": house.home.ccr_json, "litellm": house.home.litellm_yaml}
    assert error.file == str(names.get(kind, house.home.toml))
    assert (error.key, error.line) == (key, line), str(error)
    assert words.lower() in error.problem.lower()


def test_bytes_that_are_not_text_are_refused_with_their_line(house: House) -> None:
    house.home.ccr_json.write_bytes(b'{\n "a": "\xff"}')
    assert (house.refused().line, house.refused().problem) == (2, "is not UTF-8 text")


def test_a_named_file_that_is_not_there_is_refused(house: House, tmp_path: Path) -> None:
    missing = tmp_path / "other.yaml"
    error = house.refused(flags=Flags(litellm_config=missing))
    assert error.file == str(missing)
    assert "no such file" in error.problem


def test_a_log_named_by_mistake_is_not_read(house: House) -> None:
    house.home.ccr_json.write_bytes(b" " * (4 * 1024 * 1024 + 1))
    assert "larger" in house.refused().problem


def test_the_first_of_several_broken_files_is_named(house: House) -> None:
    house.write(toml="[listen", ccr="{")
    assert str(house.refused()).startswith(f"{house.home.toml}:1: ")
