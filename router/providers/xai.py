"""xAI."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="xai",
    title="xAI",
    catalogue="x-ai",
    telemetry="x_ai",
    base="https://api.x.ai/v1",
    also={"openai_responses": "/responses"},
    keys=("XAI_API_KEY",),
    families=("grok-",),
    flagship="grok-4.7",
    small="grok-4-1-fast-non-reasoning",
    models=("grok-code-fast-1",),
    litellm=("xai",),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        # Grok 3, 4 and 4 fast reason by themselves and answer this field with 400; the Mini and
        # the 4.3 line take it.
        reasoning_models=("grok-3-mini", "grok-4.20-multi-agent", "grok-4.3"),
        efforts=("low", "high"),
        # "presencePenalty, frequencyPenalty and stop are not supported by reasoning models".
        drops=("presence_penalty", "frequency_penalty", "stop", "top_k", "repetition_penalty"),
    ),
)
