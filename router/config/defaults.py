"""Routes and model names for planes that nobody configured, made from what is really there.

One rule: where a real provider can serve, no simulated one is chosen by itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from router.config import embedded
from router.providers import KINDS
from router.settings import Deployment, Groups, Provider, Routes, Scenario, Target

#: parts of names of models that answer no chat
_NOT_CHAT = ("embed", "bge-", "minilm", "rerank", "whisper", "tts")
_CODE = ("qwen2.5-coder", "qwen3-coder", "coder", "code")


@dataclass(frozen=True, slots=True)
class Real:
    """What was really found. `keyed` are own and environment providers, best first; `groups` are
    those of a LiteLLM config; `ollama` is the running one."""

    keyed: Mapping[str, Provider]
    groups: Groups | None = None
    ollama: Provider | None = None


def routes(real: Real) -> Routes:
    """The CCR plane without a CCR config."""
    targets: dict[Scenario, Target] = {}
    named: dict[str, str] = {}
    local = local_target(real.ollama)
    first = next((p for p in real.keyed.values() if flagship(p)), None)
    group = _first_chat(real.groups)
    if first is not None:
        targets["default"] = Target(first.name, flagship(first))
    elif group:
        targets["default"] = Target(embedded.LITELLM, group)
    elif local is not None:
        targets["default"] = local
    else:
        return embedded.routes()
    for provider in real.keyed.values():
        for family in KINDS[provider.kind].families:
            named.setdefault(family, provider.name)
    if real.ollama is not None:
        named |= dict.fromkeys(real.ollama.models, real.ollama.name)
    if real.groups is not None:
        named |= {name: embedded.LITELLM for name in real.groups.deployments if "*" not in name}
    if local is not None:
        targets["background"] = local
    elif first is not None and (small := KINDS[first.kind].small) and first.kind != "anthropic":
        # clients ask Anthropic for its small model by name, so `named` serves them what they ask
        targets["background"] = Target(first.name, small)
    openrouter = real.keyed.get("openrouter")
    if openrouter is not None and "claude-" not in named:
        # other APIs serve no web search to a chat; OpenRouter does for any model, by this suffix
        targets["webSearch"] = Target("openrouter", f"{flagship(openrouter)}:online")
    return Routes(targets=targets, named=named, source="keys found")


def groups(real: Real, ccr: Mapping[str, Provider]) -> Groups:
    """The LiteLLM plane without a LiteLLM config: every model by its own name, and LiteLLM's
    `provider/*`. `ccr` are the providers of a CCR config."""
    made: dict[str, tuple[Deployment, ...]] = {}

    def offer(name: str, target: Target) -> None:
        made.setdefault(name, (Deployment(name, target),))

    if not real.keyed:
        made.update(embedded.groups().deployments)
        # a real model takes its name back from the simulator
        for provider in ccr.values():
            made.update({m: (Deployment(m, Target(provider.name, m)),) for m in provider.models})
    for provider in real.keyed.values():
        offer(f"{provider.name}/*", Target(provider.name, "*"))
        for model in provider.models:
            offer(model, Target(provider.name, model))
        for family in KINDS[provider.kind].families:
            offer(f"{family}*", Target(provider.name, f"{family}*"))
        for model in provider.models:
            # the short names of the guide, "claude-haiku" and its sisters
            for short in ("claude-opus", "claude-sonnet", "claude-haiku"):
                if short in model:
                    offer(short, Target(provider.name, model))
    if real.ollama is not None:
        offer("ollama/*", Target(real.ollama.name, "*"))
        for model in real.ollama.models:
            offer(model, Target(real.ollama.name, model))
    return Groups(made, source="keys found" if real.keyed else embedded.SOURCE)


def flagship(provider: Provider) -> str:
    """The model for what no rule takes: the kind's best if it is offered, else the first listed."""
    best = KINDS[provider.kind].flagship
    return best if best in provider.models else next(iter(provider.models), "")


def local_target(ollama: Provider | None) -> Target | None:
    """The installed model that suits code best; None without one that can chat."""
    if ollama is None:
        return None
    chat = [m for m in ollama.models if not any(part in m.lower() for part in _NOT_CHAT)]
    for part in _CODE:
        for model in chat:
            if part in model.lower():
                return Target(ollama.name, model)
    return Target(ollama.name, chat[0]) if chat else None


def _first_chat(configured: Groups | None) -> str:
    names = configured.deployments if configured is not None else ()
    return next(
        (n for n in names if "*" not in n and not any(p in n.lower() for p in _NOT_CHAT)), ""
    )
