"""Ollama's OpenAI-compatible endpoint, as a rule on this machine."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="ollama",
    title="Ollama",
    base="http://127.0.0.1:11434/v1",
    auth="none",  # a key is ignored
    litellm=("ollama", "ollama_chat"),
    local=True,
    quirks=Quirks(
        reasoning_field="reasoning_effort",  # models that cannot think ignore it
    ),
)
