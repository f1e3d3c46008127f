"""OpenRouter: many vendors' models behind one OpenAI-like endpoint."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="openrouter",
    title="OpenRouter",
    base="https://openrouter.ai/api/v1",
    also={"openai_completions": "/completions"},
    keys=("OPENROUTER_API_KEY",),
    flagship="anthropic/claude-sonnet-5.5",
    small="anthropic/claude-haiku-5.5",
    models=("anthropic/claude-opus-5.5", "google/gemini-3.8-flash", "deepseek/deepseek-v4-pro"),
    litellm=("openrouter",),
    quirks=Quirks(
        # One `reasoning` object for every vendor: {effort} or {max_tokens}, and {enabled: false}.
        reasoning_field="reasoning",
        keeps_cache_control=True,  # passed on to Claude and Gemini, ignored for others
        replays_reasoning=True,  # reasoning_details must come back unchanged in tool loops
    ),
)
