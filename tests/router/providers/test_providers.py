"""Providers are data: complete, without contradictions, and found by address or prefix."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import urlsplit

import pytest

from router.providers import KINDS, Kind, Quirks, kind_of, litellm_kind, quirks

REMOTE = [k for k in KINDS.values() if k.keys and not k.needs]


def test_the_kinds_of_the_design_are_there() -> None:
    assert {
        "openai",
        "anthropic",
        "openrouter",
        "deepseek",
        "gemini",
        "groq",
        "mistral",
        "xai",
        "ollama",
        "litellm",
        "simulator",
        "compatible",
    } <= KINDS.keys()
    assert all(name == kind.name for name, kind in KINDS.items())


@pytest.mark.parametrize("kind", REMOTE, ids=lambda k: k.name)
def test_a_kind_with_a_key_is_complete(kind: Kind) -> None:
    parts = urlsplit(kind.url)
    assert parts.scheme == "https"
    assert kind.url == kind.base + kind.path
    assert not kind.base.endswith("/")
    assert kind.flagship
    assert kind.offered[0] == kind.flagship
    assert len(set(kind.offered)) == len(kind.offered)
    assert kind_of(kind.url) is kind
    assert kind.auth != "none"
    assert kind.quirks.efforts


def test_no_two_kinds_claim_one_thing() -> None:
    for values in (
        [k for kind in KINDS.values() for k in kind.keys],
        [f for kind in KINDS.values() for f in kind.families],
        [p for kind in KINDS.values() for p in kind.litellm],
        [urlsplit(kind.base).netloc for kind in REMOTE],
    ):
        assert len(set(values)) == len(values)


@pytest.mark.parametrize(
    ("url", "name"),
    [
        ("http://localhost:11434/v1/chat/completions", "ollama"),
        ("http://10.0.0.2:11434/v1/chat/completions", "ollama"),
        ("http://gpu.lan:8080/api/chat", "ollama"),
        ("http://webui.lan:8080/api/chat/completions", "compatible"),
        ("http://127.0.0.1:8000/v1/chat/completions", "compatible"),
        ("https://api.openai.com.evil.test/v1", "compatible"),
        ("https://openrouter.ai/api/v1/chat/completions", "openrouter"),
        ("https://dashscope-intl.aliyuncs.com/compatible-mode/v1", "dashscope"),
        ("https://mine.openai.azure.com/openai/v1/chat/completions", "azure"),
        ("https://openai.azure.com.evil.test/v1", "compatible"),
        ("https://api.siliconflow.com/v1", "siliconflow"),
    ],
)
def test_an_address_tells_the_kind(url: str, name: str) -> None:
    assert kind_of(url).name == name


def test_a_prefix_of_litellm_tells_the_kind() -> None:
    kind = litellm_kind("ollama_chat")
    assert kind is KINDS["ollama"]
    assert litellm_kind("sagemaker") is None


def test_an_unknown_kind_is_a_modest_compatible_server() -> None:
    """But OpenAI's own models are behind some of them."""
    known = quirks("no such kind")
    assert known == quirks("compatible")
    assert replace(known, newer_limit=(), fixed_sampling=()) == Quirks()
    assert [known.limit_name(model) for model in ("glm-5", "openai/o3", "gpt-5.4")] == [
        "max_tokens",
        "max_completion_tokens",
        "max_completion_tokens",
    ]


@pytest.mark.parametrize(
    ("kind", "model", "reasons", "fixed"),
    [
        ("openai", "gpt-5.5", True, True),
        ("openai", "gpt-4o", False, False),
        ("openai", "o3-mini", True, True),
        ("anthropic", "claude-opus-5-5", True, False),
        ("openrouter", "any/model", True, False),
        ("groq", "openai/gpt-oss-120b", True, False),
        ("groq", "llama-3.3-70b-versatile", False, False),
        ("xai", "grok-4.7", False, False),
        ("xai", "Grok-3-Mini-fast", True, False),
        ("mistral", "magistral-small", False, False),
        ("compatible", "anything", False, False),
    ],
)
def test_which_models_take_thinking_and_sampling(
    kind: str, model: str, reasons: bool, fixed: bool
) -> None:
    asked = quirks(kind)
    assert (asked.takes_reasoning(model), asked.fixes_sampling(model)) == (reasons, fixed)


def test_only_anthropic_counts_cached_tokens_beside_the_prompt() -> None:
    apart = [name for name, kind in KINDS.items() if not kind.quirks.cached_inside_prompt]
    assert sorted(apart) == ["anthropic", "bedrock", "vertex-claude"]


def test_claude_keeps_its_cache_marks_behind_any_address() -> None:
    plain, knowing = Quirks(), Quirks(keeps_cache_control=True)
    assert [plain.keeps_marks(model) for model in ("anthropic/Claude-x", "m1")] == [True, False]
    assert knowing.keeps_marks("m1")
