"""OpenAI's own API."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="openai",
    title="OpenAI",
    telemetry="openai",
    base="https://api.openai.com/v1",
    # /completions is only for the instruct models that are left.
    also={"openai_responses": "/responses"},
    keys=("OPENAI_API_KEY",),
    base_env="OPENAI_BASE_URL",  # read by OpenAI's own SDKs
    families=("gpt-", "chatgpt-", "o1", "o3", "o4", "text-embedding-", "codex-"),
    flagship="gpt-6.1-sol",
    small="gpt-6-luna",
    models=("gpt-5.5", "gpt-5.4-mini", "gpt-4o", "gpt-4o-mini", "text-embedding-3-small"),
    litellm=("openai", "text-completion-openai"),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        # gpt-4o answers 400 "Unrecognized request argument supplied: reasoning_effort".
        reasoning_models=("o1", "o3", "o4", "gpt-5", "gpt-6", "codex-"),
        efforts=("minimal", "low", "medium", "high"),
        # max_tokens is deprecated and refused by reasoning models; the new name works for all.
        max_tokens_field="max_completion_tokens",
        # Reasoning models refuse any temperature and top_p but 1, and the penalties.
        fixed_sampling=("o1", "o3", "o4", "gpt-5", "gpt-6", "codex-"),
        drops=("top_k", "repetition_penalty"),  # 400 "Unrecognized request argument"
    ),
)
