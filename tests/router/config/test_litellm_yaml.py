"""LiteLLM's own file: deployments, groups and settings arrive; what cannot be called is told."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from router.caller import Caller
from router.config import Flags
from router.config.endpoints import ANTHROPIC, OPENAI
from router.contract import Facts
from router.messages import Request
from router.rules.deployments import expand
from router.rules.plan import Case
from router.settings import Deployment, Target
from tests.router.config.conftest import House, said

WHOLE = """
model_list:
  - model_name: sonnet
    litellm_params:
      model: anthropic/claude-sonnet-5-5
      api_key: os.environ/ANTH
      temperature: 0.2
      weight: 3
    model_info:
      {max_input_tokens: 200000, input_cost_per_token: 3e-06, output_cost_per_token: 1.5e-05}
  - model_name: sonnet
    litellm_params: {model: openrouter/anthropic/claude-sonnet-5.5, api_key: or, rpm: 60}
  - model_name: local
    litellm_params: {model: ollama/qwen2.5-coder, api_base: "http://localhost:11434"}
  - model_name: "wild/*"
    litellm_params: {model: "openai/*", api_base: "http://10.0.0.5:8000/v1", api_key: k}
  - model_name: canned
    litellm_params: {model: openai/x, mock_response: "hello"}
  - model_name: plain
    litellm_params: {model: gpt-5.5, api_key: o, input_cost_per_token: 0, output_cost_per_token: 0}
router_settings:
  num_retries: 1
  allowed_fails: 7
  cooldown_time: 30
  model_group_alias: {best: sonnet, hidden: {model: local, hidden: true}}
  fallbacks: [{sonnet: [local]}]
litellm_settings:
  drop_params: true
  default_fallbacks: [plain]
general_settings:
  master_key: os.environ/MASTER
environment_variables: {ANTH: from-the-file}
"""


def test_a_whole_file(house: House) -> None:
    house.write(litellm=WHOLE)
    made = house.load({"MASTER": "sk-master"})
    groups, providers = made.groups, made.providers
    first, second = groups.deployments["sonnet"]
    assert first == Deployment(
        "sonnet",
        Target("anthropic", "claude-sonnet-5-5"),
        3.0,
        {"temperature": 0.2},
        id=first.id,
        info=first.info,
        called="anthropic/claude-sonnet-5-5",
        lax=True,
    )
    assert first.info["max_input_tokens"] == 200_000
    # one measure for the whole group, as LiteLLM's shuffle: the second has no weight
    assert (str(second.target), second.weight) == ("openrouter,anthropic/claude-sonnet-5.5", 0.0)
    assert len({first.id, second.id, ""}) == 3
    assert groups.deployments["canned"][0].mock == "hello"
    targets = {name: str(entries[0].target) for name, entries in groups.deployments.items()}
    assert targets["local"] == "localhost:11434,qwen2.5-coder"
    assert targets["wild/*"] == "10.0.0.5:8000,*"
    assert targets["canned"] == "simulator,x"
    assert targets["plain"] == "openai,gpt-5.5"
    assert groups.aliases == {"best": "sonnet", "hidden": "local"}
    assert groups.fallbacks == {"sonnet": ("local",)}
    assert groups.default_fallbacks == ("plain",)

    anthropic = providers["anthropic"]
    assert (anthropic.format, anthropic.auth) == (ANTHROPIC, "x-api-key")
    assert anthropic.url == "https://api.anthropic.com/v1/messages"
    assert anthropic.key.reveal() == "from-the-file"
    assert anthropic.context == {"claude-sonnet-5-5": 200_000}
    price = anthropic.prices["claude-sonnet-5-5"]
    assert (price.input, price.output, price.cache_read) == (3000, 15_000, None)
    free = providers["openai"].prices["gpt-5.5"]
    assert (free.input, free.output, free.cache_read) == (0, 0, 0)
    ollama = providers["localhost:11434"]
    assert (ollama.url, ollama.local) == ("http://localhost:11434/api/chat", True)
    wild = providers["10.0.0.5:8000"]
    assert (wild.format, wild.kind, wild.base) == (OPENAI, "compatible", "http://10.0.0.5:8000/v1")

    assert [key.reveal() for key in made.litellm.keys] == ["sk-master"]
    assert (made.retry.retries, made.retry.allowed_fails, made.retry.cooldown) == (1, 7, 30)
    assert said(made, "problem") == []
    assert groups.hidden == {"hidden"}
    # the CCR plane, which nobody configured, is served by these models
    assert str(made.routes.targets["default"]) == "litellm-internal,sonnet"
    assert made.routes.named["local"] == "litellm-internal"
    assert not made.providers["litellm-internal"].simulated


ONE = "model_list:\n - model_name: m\n   litellm_params:\n     model: {model}\n     {more}\n"


@pytest.mark.parametrize("model", ["hosted_vllm/q", "lm_studio/q", "ollama_chat/q", "openai/q"])
def test_a_server_that_was_given_a_key_is_shown_it(house: House, model: str) -> None:
    """Also one that usually wants none: `vllm serve --api-key`."""
    lines = ("api_base: http://h:1/v1", "api_key: k", "organization: org-1")
    house.write(litellm=ONE.format(model=model, more="\n     ".join(lines)))
    made = house.load()
    (deployment,) = made.groups.deployments["m"]
    provider = made.providers[deployment.target.provider]
    assert provider.auth == "bearer"
    named = ("OpenAI-Organization", "org-1") in provider.headers
    assert named == (provider.format == "openai_chat")


@pytest.mark.parametrize(
    ("model", "more", "url", "kind", "name", "target"),
    [
        ("openai/x", "api_key: k", "https://api.openai.com/v1/chat/completions", "openai", 0, "x"),
        ("deepseek/deepseek-chat", "api_key: k", 0, "deepseek", 0, "deepseek-chat"),
        ("groq/openai/gpt-oss-120b", "api_key: k", 0, "groq", 0, "openai/gpt-oss-120b"),
        ("mistral/mistral-small-latest", "api_key: k", 0, "mistral", 0, "mistral-small-latest"),
        ("xai/grok-4.7", "api_key: k", 0, "xai", 0, "grok-4.7"),
        ("gemini/gemini-2.5-pro", "api_key: k", 0, "gemini", 0, "gemini-2.5-pro"),
        ("together_ai/a/b", "api_key: k", 0, "together", 0, "a/b"),
        ("hosted_vllm/q", "api_base: http://h:1/v1", "http://h:1/v1/chat/completions", 0, "h:1", 0),
        ("lm_studio/q", "api_base: http://h:1/v1", "http://h:1/v1/chat/completions", 0, "h:1", 0),
        ("ollama_chat/q", "api_base: http://h:1", "http://h:1/api/chat", "ollama", 0, 0),
        ("anthropic/c", "api_base: http://h:1", "http://h:1/v1/messages", "anthropic", "h:1", "c"),
        ("anthropic/c", "api_base: http://h:1/v1/messages", "http://h:1/v1/messages", 0, 0, "c"),
        ("openai/c", "api_base: http://h:1/v1/chat/completions", 0, "compatible", "h:1", "c"),
        ("c/d", "{custom_llm_provider: openai, api_base: http://h:1/v1}", 0, 0, "h:1", "c/d"),
        ("qwen", "api_base: http://h:1/v1", 0, "compatible", "h:1", "qwen"),
        ("claude-x", "api_key: k", "https://api.anthropic.com/v1/messages", "anthropic", 0, 0),
        ("bedrock/converse/claude-x", "{aws_region_name: r, api_key: k}", 0, 0, 0, "claude-x"),
    ],
)
def test_the_prefix_tells_the_provider(
    house: House,
    model: str,
    more: str,
    url: str | int,
    kind: str | int,
    name: str | int,
    target: str | int,
) -> None:
    text = ONE.replace("{model}", model)
    # a whole mapping stands for the more than one key
    pairs = more.strip("{}").split(", ")
    house.write(litellm=text.replace("     {more}\n", "".join(f"     {p}\n" for p in pairs)))
    made = house.load()
    (deployment,) = made.groups.deployments["m"]
    provider = made.providers[deployment.target.provider]
    assert provider.url == (url or provider.url)
    assert provider.kind == (kind or provider.kind)
    assert provider.name == (name or provider.name)
    assert deployment.target.model == (target or deployment.target.model)
    assert provider.url.startswith(provider.base.removesuffix("/v1").removesuffix("/openai"))
    assert said(made, "problem") == []


@pytest.mark.parametrize(
    ("model", "more", "words"),
    [
        ("sagemaker/x", "api_key: k", ":4: model_list[0].litellm_params.model: sagemaker: this"),
        (
            "watsonx/x",
            "api_base: http://h",
            ":4: model_list[0].litellm_params.model: watsonx: this",
        ),
        ("openai_like/x", "api_key: k", ":4: model_list[0].litellm_params.model: needs an api"),
        ("openai/x", "api_base: nowhere", ":5: model_list[0].litellm_params.api_base: is not"),
        ("azure/x", "api_base: nowhere", ":5: model_list[0].litellm_params.api_base: is not"),
        (
            "vertex_ai/x",
            "vertex_project: os.environ/NO",
            ":4: model_list[0].litellm_params.model: ",
        ),
    ],
)
def test_what_cannot_be_called_is_left_out_and_told(
    house: House, model: str, more: str, words: str
) -> None:
    house.write(litellm=ONE.replace("{model}", model).replace("{more}", more))
    made = house.load()
    assert "m" not in made.groups.deployments
    assert any(words in text for text in said(made, "problem"))


@pytest.mark.parametrize(
    ("text", "words"),
    [
        (ONE.replace("{model}", "openai/x").replace("{more}", "tags: []"), "has no api_key"),
        ("general_settings: {master_key: os.environ/GONE}", "GONE is not set"),
        ("router_settings: {fallbacks: [{a: [b]}]}", "not in model_list: b"),
        (
            "model_list: [{model_name: '*', litellm_params: {model: '*'}}]",
            "model: is every provider whose key is in the environment: none is there. Left out",
        ),
        (
            "model_list: [{model_name: '*', litellm_params: {model: '*', api_key: k}}]",
            "model: one key or address for all providers is not done",
        ),
        (
            "model_list: [{model_name: all, litellm_params: {model: '*'}}]",
            'model: model "*" under a name without * says no model',
        ),
        (
            "model_list: [{model_name: a, litellm_params: {model: os.environ/GONE}}]",
            "model: its variable is not set: left out",
        ),
        (
            "model_list: [{model_name: a, litellm_params: {model: openai/a, api_base: os.environ/N}"
            "}]",
            "api_base: its variable is not set: left out",
        ),
        ("router_settings:\n  routing_strategy: by-moon", "litellm-config.yaml:2: router_sett"),
    ],
)
def test_doubts_are_told(house: House, text: str, words: str) -> None:
    house.write(litellm=text)
    assert any(words in told for told in said(house.load(), "problem"))


def test_a_key_that_is_not_there_locks_no_one_in(house: House) -> None:
    """An unset variable must not become a key that is its own name."""
    house.write(litellm="general_settings: {master_key: os.environ/GONE}")
    assert house.load().litellm.keys == ()
    assert [k.reveal() for k in house.load({"GONE": "k"}).litellm.keys] == ["k"]


def test_the_same_upstream_is_one_provider_and_another_key_another(house: House) -> None:
    entry = " - {model_name: %s, litellm_params: {model: openai/%s, api_key: %s}}\n"
    rows = [("a", "x", "k1"), ("b", "y", "k1"), ("c", "z", "k2")]
    house.write(litellm="model_list:\n" + "".join(entry % row for row in rows))
    made = house.load()
    used = {n: d[0].target.provider for n, d in made.groups.deployments.items()}
    assert used == {"a": "openai", "b": "openai", "c": "openai-2"}
    assert made.providers["openai"].models == ("x", "y")


KEYS = {"OPENAI_API_KEY": "o", "ANTHROPIC_API_KEY": "a", "OLLAMA_API_BASE": "http://big:11434"}
KEYS |= {"FIREWORKS_API_KEY": "f"}


@pytest.mark.parametrize(
    ("entries", "asked", "target"),
    [
        (["*"], "openai/gpt-7", "openai-2,gpt-7"),
        (["*"], "gpt-7", "openai-2,gpt-7"),
        (["*"], "claude-9", "anthropic-2,claude-9"),
        (["*"], "anthropic/claude-9", "anthropic-2,claude-9"),
        (["*"], "ollama_chat/llama", "big:11434,llama"),
        (["*"], "accounts/fireworks/models/x", "fireworks-2,accounts/fireworks/models/x"),
        (["*"], "groq/llama", ""),  # no key
        (["*"], "llama", ""),
        (["in/*"], "in/gpt-7", "openai-2,gpt-7"),
        (["in/*"], "in/openai/gpt-7", "openai-2,gpt-7"),
        (["in/*"], "openai/gpt-7", ""),
        (["*", "g*"], "gpt-7", "here,gpt-7"),  # the pattern that says more
        (["*", "openai/*"], "openai/gpt-7", "here,gpt-7"),
        (["*", "openai/*"], "gpt-7", "openai-2,gpt-7"),
        (["*", "gpt-7"], "gpt-7", "here,gpt-7"),
    ],
)
def test_every_provider_at_once(house: House, entries: list[str], asked: str, target: str) -> None:
    rest = [
        {"model_name": name, "litellm_params": {"model": f"openai/{name.removeprefix('openai/')}"}
         | {"api_base": "http://here/v1", "api_key": "h"}}
        for name in entries[1:]
    ]  # fmt: skip
    every = {"model_name": entries[0], "litellm_params": {"model": "*"}}
    house.write(litellm=json.dumps({"model_list": [every, *rest]}))
    made = house.load(KEYS)
    case = Case(Request("", asked, []), Caller("", "", {}), Facts(), made)
    found = [f"{one.provider.name},{one.model}" for one in expand(case, asked, "").candidates]
    assert found == [target] * bool(target)


@pytest.mark.parametrize(
    ("model", "env", "url", "problem"),
    [
        ("ollama/x", {"OLLAMA_API_BASE": "http://big:1"}, "http://big:1/api/chat", ""),
        ("openai/x", {"OPENAI_BASE_URL": "http://b/v1", "OPENAI_API_BASE": "http://c"},
         "http://b/v1/chat/completions", ""),
        ("anthropic/x", {"ANTHROPIC_API_BASE": "http://b"}, "http://b/v1/messages", ""),
        # it points Claude Code at us, by whatever name
        ("anthropic/x", {"ANTHROPIC_BASE_URL": "http://box.lan:5000/claude-code"},
         "https://api.anthropic.com/v1/messages", ""),
        ("fireworks_ai/x", {"FIREWORKS_API_BASE": "http://b/v1"},
         "http://b/v1/chat/completions", ""),
        ("azure/x", {"AZURE_API_BASE": "http://b", "AZURE_API_KEY": "k"},
         "http://b/openai/deployments/{model}/chat/completions?api-version=2025-02-01-preview", ""),
        ("hosted_vllm/x", {"HOSTED_VLLM_API_BASE": "http://b/v1"},
         "http://b/v1/chat/completions", ""),
        # one's own clients are sent here by the same variables
        ("anthropic/x", {"ANTHROPIC_API_BASE": "http://localhost:5000/claude-code"},
         "https://api.anthropic.com/v1/messages", "ANTHROPIC_API_BASE points at this router"),
        ("groq/x", {"GROQ_API_BASE": "nowhere"},
         "https://api.groq.com/openai/v1/chat/completions", "GROQ_API_BASE is not an address"),
    ],
)  # fmt: skip
def test_an_address_of_the_environment(
    house: House, model: str, env: dict[str, str], url: str, problem: str
) -> None:
    entry = {"model_name": "m", "litellm_params": {"model": model}}
    house.write(litellm=json.dumps({"model_list": [entry, {**entry, "model_name": "n"}]}))
    made = house.load(env)
    (deployment,) = made.groups.deployments["m"]
    assert made.providers[deployment.target.provider].url == url
    assert len([one for one in said(made, "problem") if problem and problem in one]) == bool(
        problem
    )


def test_a_model_added_over_http_is_not_asked_of_ourselves(house: House) -> None:
    entry = {"model_name": "m", "litellm_params": {"model": "openai/x"}}
    house.home.litellm_models.write_text(json.dumps({"model_list": [entry]}))
    made = house.load({"OPENAI_BASE_URL": "http://localhost:5000/litellm/v1"})
    (deployment,) = made.groups.deployments["m"]
    asked = made.providers[deployment.target.provider].url
    assert asked == "https://api.openai.com/v1/chat/completions"


def test_a_name_taken_by_a_key_or_ccr_is_not_taken_again(house: House) -> None:
    house.write(litellm=ONE.replace("{model}", "openai/x").replace("{more}", "api_key: file"))
    made = house.load({"OPENAI_API_KEY": "env"})
    assert made.providers["openai"].key.reveal() == "env"
    assert made.providers["openai-2"].key.reveal() == "file"


def test_where_the_file_is_looked_for(house: House, tmp_path: Path) -> None:
    def named(name: str) -> str:
        return f"model_list:\n - {{model_name: {name}, litellm_params: {{model: ollama/x}}}}\n"

    folder, given = tmp_path / "work", tmp_path / "given.yaml"
    folder.mkdir()
    house.write(litellm=named("of-the-config-folder"))
    assert list(house.load().groups.deployments) == ["of-the-config-folder"]
    (folder / "litellm-config.yaml").write_text(named("of-the-directory"))
    flags = Flags(directory=folder)
    assert list(house.load(flags=flags).groups.deployments) == ["of-the-directory"]
    given.write_text(named("of-the-flag"))
    flags = Flags(directory=folder, litellm_config=given)
    assert list(house.load(flags=flags).groups.deployments) == ["of-the-flag"]


INCLUDING = """
include: [more.yaml]
model_list:
  - {model_name: a, litellm_params: {model: openai/m, litellm_credential_name: mine}}
  - {model_name: a, litellm_params: {model: openai/m, litellm_credential_name: mine, api_key: own}}
credential_list:
  - credential_name: mine
    credential_values: {api_key: listed, api_base: "http://127.0.0.1:1/v1"}
router_settings: {num_retries: 7}
"""
MORE = """
include: [more.yaml, litellm-config.yaml]
model_list:
  - {model_name: b, litellm_params: {model: openai/n, litellm_credential_name: mine}}
  - {model_name: c, litellm_params: {model: nobody/n, litellm_credential_name: lost, rpd: 3}}
router_settings: {num_retries: 2}
router_settings: {num_retries: 3, routing_strategy: os.environ/STRATEGY}
"""


def test_files_that_are_included_and_keys_that_are_named(house: House) -> None:
    """As LiteLLM: lists are joined, other sections replaced; what a deployment says itself wins."""
    house.write(litellm=INCLUDING)
    gone = house.refused()
    assert str(gone).endswith("litellm-config.yaml:2: include[0]: more.yaml is not there")
    more = house.home.litellm_yaml.with_name("more.yaml")
    more.write_text(MORE)
    made = house.load()
    assert list(made.groups.deployments) == ["a", "b"]
    providers = [made.providers[one.target.provider] for one in made.groups.deployments["a"]]
    assert [one.key.reveal() for one in providers] == ["listed", "own"]
    assert {one.base for one in made.providers.values() if one.key} == {"http://127.0.0.1:1/v1"}
    assert made.retry.retries == 3
    assert made.follows[-1] == str(more)
    assert any(one.detail == "not used: litellm_params.rpd" for one in made.findings)
    told = [f"{one.where}: {one.detail}" for one in made.findings if one.state == "problem"]
    assert [line.partition("more.yaml:")[2] for line in told if "model_list" in line] == [
        "5: model_list[1].litellm_params.litellm_credential_name: no credential is called lost",
        "5: model_list[1].litellm_params.model: nobody: this provider is not spoken: left out",
    ]
    assert [line.rpartition("more.yaml:")[2] for line in told if "router_settings" in line][:2] == [
        "7: router_settings: is written twice (first in line 6): this one counts, as in LiteLLM",
        "7: router_settings.routing_strategy: STRATEGY is not set in the environment",
    ]
    more.write_text("router_settings:\n  num_retries: many\n")
    wrong = house.refused()
    assert (wrong.file, wrong.line) == (str(more), 2)


def test_a_model_that_was_added_over_http_has_the_keys_of_the_file(house: House) -> None:
    house.write(litellm=INCLUDING.replace("include: [more.yaml]", ""))
    entry = {"model": "openai/z", "litellm_credential_name": "mine"}
    listed = {"model_list": [{"model_name": "added", "litellm_params": entry}]}
    house.home.litellm_models.write_text(json.dumps(listed))
    made = house.load()
    (one,) = made.groups.deployments["added"]
    assert made.providers[one.target.provider].key.reveal() == "listed"
