"""Fireworks AI."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="fireworks",
    title="Fireworks AI",
    base="https://api.fireworks.ai/inference/v1",
    also={"openai_completions": "/completions"},
    keys=(
        "FIREWORKS_API_KEY",
        "FIREWORKS_AI_API_KEY",
    ),
    families=("accounts/fireworks/",),
    flagship="accounts/fireworks/models/deepseek-v4-pro",
    small="accounts/fireworks/models/gpt-oss-20b",
    litellm=("fireworks_ai",),
    quirks=Quirks(
        reasoning_field="reasoning_effort",  # models that do not reason ignore it
    ),
)
