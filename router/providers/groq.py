"""Groq."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="groq",
    title="Groq",
    telemetry="groq",
    base="https://api.groq.com/openai/v1",
    keys=("GROQ_API_KEY",),
    flagship="openai/gpt-oss-120b",
    small="llama-3.1-8b-instant",
    models=("openai/gpt-oss-20b", "llama-3.3-70b-versatile", "qwen/qwen3-32b"),
    litellm=("groq",),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        # Only GPT-OSS takes low/medium/high; Qwen 3 takes "none" and "default", others refuse it.
        reasoning_models=("gpt-oss",),
        max_tokens_field="max_completion_tokens",  # its reference calls max_tokens deprecated
        # Its OpenAI page lists these as answered with 400.
        drops=("logprobs", "logit_bias", "top_logprobs", "top_k", "repetition_penalty"),
        schema_drops=("$schema",),
    ),
)
