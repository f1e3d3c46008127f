"""What stands in for planes that nobody configured: simulated with nothing, real with a key."""

from __future__ import annotations

import pytest

from router.config import Flags, Neighbour, Probes
from router.config.environment import kinds_with_keys
from router.settings import SCENARIOS, Target
from tests.router.config.conftest import House, said

SIMULATOR = "http://127.0.0.1:4999"
FLAGS = Flags(simulator_url=SIMULATOR)


def ollama(*models: str) -> Probes:
    return Probes(ollama=Neighbour("http://127.0.0.1:11434", "found", "0.40.0", models))


def test_with_nothing_the_guides_world_stands_and_is_all_simulated(house: House) -> None:
    made = house.load(flags=FLAGS)
    assert set(made.providers) == {
        "litellm-internal",
        "ollama-local",
        "deepseek",
        "openrouter",
        "simulator",
    }
    assert all(p.simulated for p in made.providers.values())
    assert made.providers["litellm-internal"].plane == "litellm"
    for provider in made.providers.values():
        if provider.plane is None:
            assert provider.url == f"{SIMULATOR}/v1/chat/completions"
            assert provider.base == f"{SIMULATOR}/v1"
    # every model of the guide's table can be named
    for text in (
        "ollama-local,qwen2.5-coder",
        "deepseek,deepseek-coder",
        "deepseek,deepseek-reasoner",
        "openrouter,claude-3-5-sonnet",
        "litellm-internal,claude-haiku",
    ):
        target = Target.parse(text)
        assert target is not None
        assert target.model in made.providers[target.provider].models
    for name in ("claude-3-5-sonnet-20241022", "text-embedding-3-small", "claude-haiku", "gpt-4o"):
        assert name in made.groups.deployments
    assert made.groups.ccr_prefix == "ccr-"
    # every scenario of the guide leads somewhere; a guess at complexity stays off
    assert set(made.routes.targets) == set(SCENARIOS) - {"simple", "complex"}
    assert all(t.provider in made.providers for t in made.routes.targets.values())
    assert any(f.state == "made" and "stands in for" in f.detail for f in made.findings)
    assert (made.litellm.keys, made.ccr.keys) == ((), ())


def test_the_guides_prices_hold_and_others_are_looked_up(house: House) -> None:
    providers = house.load(flags=FLAGS).providers
    prices = providers["deepseek"].prices
    assert (prices["deepseek-coder"].input, prices["deepseek-coder"].output) == (140, 280)
    assert (prices["deepseek-reasoner"].input, prices["deepseek-reasoner"].output) == (550, 2190)
    assert "deepseek-chat" not in prices
    assert providers["ollama-local"].prices["qwen2.5-coder"].output == 0
    assert providers["openrouter"].prices == {}


@pytest.mark.parametrize("kind", kinds_with_keys(), ids=lambda kind: kind.name)
def test_a_key_in_the_environment_makes_its_provider_real(house: House, kind: object) -> None:
    from router.providers import Kind

    assert isinstance(kind, Kind)
    for variable in kind.keys:
        made = house.load({variable: " key "}, FLAGS)
        provider = made.providers[kind.name]
        assert not provider.simulated
        assert provider.key.reveal() == "key"
        assert provider.url.startswith("https://")
        assert provider.url == kind.base + kind.path
        assert made.routes.targets["default"] == Target(kind.name, kind.flagship)
        # no simulated provider is chosen by itself while a real one is there
        chosen = {t.provider for t in made.routes.targets.values()}
        chosen |= {d.target.provider for ds in made.groups.deployments.values() for d in ds}
        assert not any(made.providers[name].simulated for name in chosen)
        assert any(f.where == variable and f.state == "found" for f in made.findings)
        for family in kind.families:
            assert made.routes.named[family] == kind.name


def test_several_keys_each_serve_their_family_and_the_best_the_rest(house: House) -> None:
    env = {"OPENAI_API_KEY": "o", "ANTHROPIC_API_KEY": "a", "OPENROUTER_API_KEY": "r"}
    made = house.load(env, FLAGS)
    assert made.routes.targets == {"default": Target("anthropic", "claude-opus-5-5")}
    assert (made.routes.named["claude-"], made.routes.named["gpt-"]) == ("anthropic", "openai")
    targets = {name: str(d[0].target) for name, d in made.groups.deployments.items()}
    assert targets["anthropic/*"] == "anthropic,*"
    assert targets["openrouter/*"] == "openrouter,*"
    assert targets["gpt-*"] == "openai,gpt-*"
    assert targets["text-embedding-3-small"] == "openai,text-embedding-3-small"
    assert targets["claude-haiku"] == "anthropic,claude-haiku-5-5"


def test_openrouter_alone_also_serves_web_search_and_small_work(house: House) -> None:
    targets = house.load({"OPENROUTER_API_KEY": "r"}, FLAGS).routes.targets
    assert str(targets["webSearch"]) == "openrouter,anthropic/claude-sonnet-5.5:online"
    assert str(targets["background"]) == "openrouter,anthropic/claude-haiku-5.5"


@pytest.mark.parametrize(
    ("value", "base", "told"),
    [
        ("https://eu.api.openai.com/v1/", "https://eu.api.openai.com/v1", ""),
        ("http://localhost:4000/v1", "https://api.openai.com/v1", "points at this router"),
        ("http://127.0.0.1:5000/litellm/v1", "https://api.openai.com/v1", "points at this router"),
        ("nonsense", "https://api.openai.com/v1", "is not an address"),
    ],
)
def test_the_vendors_own_base_variable_is_followed_but_not_in_a_circle(
    house: House, value: str, base: str, told: str
) -> None:
    made = house.load({"OPENAI_API_KEY": "o", "OPENAI_BASE_URL": value})
    assert made.providers["openai"].base == base
    assert [told in text for text in said(made, "problem")] == ([True] if told else [])


def test_claude_codes_own_base_variable_is_never_followed(house: House) -> None:
    env = {"ANTHROPIC_API_KEY": "a", "ANTHROPIC_BASE_URL": "http://localhost:5000/claude-code"}
    assert house.load(env).providers["anthropic"].base == "https://api.anthropic.com"


def test_a_running_ollama_serves_its_own_models(house: House) -> None:
    models = ("nomic-embed-text:latest", "llama3.2:3b", "qwen2.5-coder:7b")
    made = house.load(flags=FLAGS, probes=ollama(*models))
    provider = made.providers["ollama-local"]
    assert (provider.simulated, provider.local, provider.models) == (False, True, models)
    assert provider.url == "http://127.0.0.1:11434/api/chat"
    best = Target("ollama-local", "qwen2.5-coder:7b")
    assert made.routes.targets == {"default": best, "background": best}
    assert made.routes.named["llama3.2:3b"] == "ollama-local"
    assert str(made.groups.deployments["llama3.2:3b"][0].target) == "ollama-local,llama3.2:3b"
    # what the guide asks of LiteLLM still answers, simulated
    assert "claude-3-5-sonnet-20241022" in made.groups.deployments


def test_ollama_beside_a_key_takes_the_background(house: House) -> None:
    made = house.load({"ANTHROPIC_API_KEY": "a"}, FLAGS, ollama("llama3.2:3b"))
    assert str(made.routes.targets["background"]) == "ollama-local,llama3.2:3b"
    assert str(made.routes.targets["default"]) == "anthropic,claude-opus-5-5"


@pytest.mark.parametrize("models", [(), ("nomic-embed-text",)])
def test_an_ollama_that_cannot_chat_serves_no_route(house: House, models: tuple[str, ...]) -> None:
    made = house.load(flags=FLAGS, probes=ollama(*models))
    assert made.routes.source == "the usage guide"
    assert made.providers["ollama-local"].simulated is (not models)


def test_the_real_small_model_plays_ollama_local_and_nothing_more(house: House) -> None:
    flags = Flags(simulator_url=SIMULATOR, local_model_url="http://127.0.0.1:4998")
    made = house.load(flags=flags, probes=ollama("llama3.2:3b"))
    provider = made.providers["ollama-local"]
    assert (provider.simulated, provider.local) == (False, True)
    assert provider.url == "http://127.0.0.1:4998/v1/chat/completions"
    assert provider.max_output is not None
    assert str(made.routes.targets["background"]) == "ollama-local,qwen2.5-coder"
    assert str(made.routes.targets["default"]) == "litellm-internal,claude-haiku"


def test_ccrs_models_are_offered_on_the_litellm_plane_too(house: House) -> None:
    house.write(
        ccr="""{"Providers": [{"name": "p", "api_base_url": "http://h.test/v1/chat/completions",
        "api_key": "k", "models": ["gpt-4o", "own"]}], "Router": {"default": "p,own"}}"""
    )
    groups = house.load(flags=FLAGS).groups.deployments
    assert str(groups["own"][0].target) == "p,own"
    assert str(groups["gpt-4o"][0].target) == "p,gpt-4o"  # the real one, not the simulator's
    assert str(groups["claude-haiku"][0].target) == "simulator,claude-haiku-4-5"


def test_every_source_that_was_looked_for_leaves_a_finding(house: House) -> None:
    found = {f.what for f in house.load().findings}
    assert {
        "pointsman.toml",
        "CCR config",
        "LiteLLM config",
        "provider key",
        "running Ollama",
        "running LiteLLM",
        "running CCR",
    } <= found
