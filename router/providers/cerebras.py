"""Cerebras."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="cerebras",
    title="Cerebras",
    base="https://api.cerebras.ai/v1",
    keys=("CEREBRAS_API_KEY",),
    families=(),
    flagship="gpt-oss-120b",
    small="qwen-3.8-27b",
    litellm=("cerebras",),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        reasoning_models=("gpt-oss",),  # documented for GPT-OSS alone
        max_tokens_field="max_completion_tokens",  # the only name in its reference
        # Its OpenAI page lists these as answered with 400.
        drops=("frequency_penalty", "presence_penalty", "logit_bias", "service_tier", "top_k"),
    ),
)
