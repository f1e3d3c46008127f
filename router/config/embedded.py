"""What stands in when nothing is configured: the usage guide's providers, routes and models.

Data. Everything made here is simulated and labelled so; real keys and a running Ollama replace it.
Prices are the guide's own table where it has one; the rest are looked up in the catalogue.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from router.config.part import price
from router.settings import Deployment, Groups, Price, Provider, Routes, Scenario, Target

SOURCE = "the usage guide"

OLLAMA = "ollama-local"
LITELLM = "litellm-internal"
SIMULATOR = "simulator"

#: the guide's table, dollars per million tokens
_GUIDE: Mapping[str, Price] = {
    "deepseek-coder": price(0.14, 0.28, source="guide"),
    "deepseek-reasoner": price(0.55, 2.19, source="guide"),
}
FREE = price(0, 0, source="local")

#: provider → models that people may write, with the tokens each can hold
_PROVIDERS: Mapping[str, Mapping[str, int]] = {
    OLLAMA: {"qwen2.5-coder": 32_768, "llama3.2": 131_072},
    "deepseek": {
        "deepseek-chat": 128_000,
        "deepseek-coder": 128_000,
        "deepseek-reasoner": 128_000,
    },
    "openrouter": {
        "claude-3-5-sonnet": 200_000,
        "claude-3-5-sonnet:online": 200_000,
        "anthropic/claude-sonnet-4.5": 1_000_000,
        "google/gemini-2.5-pro": 1_048_576,
    },
}

#: LiteLLM model name → what the simulator is asked for; the catalogue prices the latter
_GROUPS: Mapping[str, str] = {
    "claude-3-5-sonnet-20241022": "claude-3-5-sonnet-20241022",
    "claude-haiku": "claude-haiku-4-5",
    "claude-sonnet": "claude-sonnet-4-5",
    "claude-opus": "claude-opus-4-5",
    "claude-haiku-4-5": "claude-haiku-4-5",
    "claude-sonnet-4-5": "claude-sonnet-4-5",
    "claude-opus-4-5": "claude-opus-4-5",
    "gpt-4o": "gpt-4o",
    "gpt-4o-mini": "gpt-4o-mini",
    "text-embedding-3-small": "text-embedding-3-small",
    "text-embedding-3-large": "text-embedding-3-large",
}

#: the guide's matrix. `simple` and `complex` stay off: they would take most requests by a guess
_ROUTES: Mapping[Scenario, Target] = {
    "default": Target(LITELLM, "claude-haiku"),
    "background": Target(OLLAMA, "qwen2.5-coder"),
    "think": Target("deepseek", "deepseek-reasoner"),
    "longContext": Target("openrouter", "google/gemini-2.5-pro"),
    "webSearch": Target("openrouter", "claude-3-5-sonnet:online"),
    "image": Target("openrouter", "claude-3-5-sonnet"),
    "tool": Target("deepseek", "deepseek-chat"),
    "coder": Target("deepseek", "deepseek-coder"),
}

#: what the small real model of the extra [local] may say at most: it does not stop by itself
LOCAL_MOST = 512


def providers(simulator_url: str) -> dict[str, Provider]:
    """The guide's providers and the simulator under its own name, all simulated."""
    found = {name: _simulated(name, simulator_url, models) for name, models in _PROVIDERS.items()}
    found[SIMULATOR] = _simulated(SIMULATOR, simulator_url, dict.fromkeys(_GROUPS.values(), 0))
    return found


def litellm_plane(models: tuple[str, ...], *, simulated: bool) -> Provider:
    """`litellm-internal`: the LiteLLM plane as a provider of the CCR plane."""
    return Provider(
        name=LITELLM,
        format="openai_chat",
        url="",
        base="",
        auth="none",
        models=models,
        kind="litellm",
        simulated=simulated,
        plane="litellm",
        source=SOURCE,
    )


def local_model(url: str) -> Provider:
    """`ollama-local`, played by the real small model on this machine."""
    return Provider(
        name=OLLAMA,
        format="openai_chat",
        url=f"{url}/v1/chat/completions",
        base=f"{url}/v1",
        auth="none",
        models=tuple(_PROVIDERS[OLLAMA]),
        kind="ollama",
        local=True,
        prices=_free(_PROVIDERS[OLLAMA]),
        max_output=LOCAL_MOST,
        source="pointsman[local]",
    )


def ollama(url: str, models: tuple[str, ...]) -> Provider:
    """`ollama-local`, played by a running Ollama."""
    return Provider(
        name=OLLAMA,
        format="ollama_chat",
        url=f"{url}/api/chat",
        base=f"{url}/v1",
        auth="none",
        models=models,
        kind="ollama",
        local=True,
        prices=_free(models),
        source="Ollama",
    )


def routes() -> Routes:
    return Routes(targets=_ROUTES, source=SOURCE)


def groups() -> Groups:
    return Groups(
        {name: (Deployment(name, Target(SIMULATOR, model)),) for name, model in _GROUPS.items()},
        source=SOURCE,
    )


def _simulated(name: str, url: str, models: Mapping[str, int]) -> Provider:
    local = name == OLLAMA
    return Provider(
        name=name,
        format="openai_chat",
        url=f"{url}/v1/chat/completions",
        base=f"{url}/v1",
        auth="none",
        models=tuple(models),
        kind="simulator",
        simulated=True,
        local=local,
        prices=_free(models) if local else {m: p for m, p in _GUIDE.items() if m in models},
        context={model: tokens for model, tokens in models.items() if tokens},
        source=SOURCE,
    )


def _free(models: Iterable[str]) -> dict[str, Price]:
    return dict.fromkeys(models, FREE)
