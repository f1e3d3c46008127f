"""GitHub Models, with a personal access token that may read models."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="github-models",
    title="GitHub Models",
    base="https://models.github.ai/inference",
    # Not GITHUB_TOKEN: many shells have one that was given for other things.
    keys=("GITHUB_MODELS_TOKEN",),
    flagship="openai/gpt-5",
    small="openai/gpt-5-mini",
    models=("openai/gpt-4.1", "meta/llama-4-maverick-17b-128e-instruct-fp8"),
    litellm=("github",),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        reasoning_models=("gpt-5", "o1", "o3", "o4"),
        fixed_sampling=("gpt-5", "o1", "o3", "o4"),
        max_tokens_field="max_completion_tokens",
    ),
)
