"""Ollama, as a rule on this machine, by its own API.

Its OpenAI-compatible endpoint ignores `num_ctx` and `think`, and what does not fit its default
context is cut in silence: it is used only where its address is written out.
"""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="ollama",
    title="Ollama",
    base="http://127.0.0.1:11434",
    path="/api/chat",
    format="ollama_chat",
    auth="none",  # a key is ignored
    litellm=("ollama", "ollama_chat"),
    local=True,
    quirks=Quirks(
        reasoning_field="reasoning_effort",  # models that cannot think ignore it
    ),
)
