"""Together AI."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="together",
    title="Together AI",
    base="https://api.together.xyz/v1",
    also={"openai_completions": "/completions"},
    keys=(
        "TOGETHER_API_KEY",
        "TOGETHERAI_API_KEY",
    ),
    families=(),
    flagship="deepseek-ai/DeepSeek-V4-Pro-0813",
    small="openai/gpt-oss-120b",
    litellm=("together_ai",),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        reasoning_models=("gpt-oss",),  # documented for GPT-OSS alone
    ),
)
