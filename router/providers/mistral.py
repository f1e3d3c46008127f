"""Mistral. It checks every field: an unknown one is a 422 "Extra inputs are not permitted"."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="mistral",
    title="Mistral",
    telemetry="mistral_ai",
    base="https://api.mistral.ai/v1",
    keys=("MISTRAL_API_KEY",),
    families=("mistral-", "codestral", "devstral", "magistral", "ministral", "pixtral"),
    flagship="mistral-large-4",
    small="mistral-small-latest",
    models=("mistral-medium-latest", "codestral-latest"),
    litellm=("mistral", "codestral"),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        # Adjustable on Mistral Small 4 and Medium 3.5; Magistral always reasons and refuses it.
        reasoning_models=("mistral-small", "mistral-medium-3-5"),
        efforts=("none", "high"),  # the two it knows; others are a 400
        stream_usage=False,  # stream_options is refused; its streams carry usage unasked
        drops=(
            "stream_options",
            "max_completion_tokens",
            "user",
            "store",
            "metadata",
            "logit_bias",
            "logprobs",
            "top_logprobs",
            "service_tier",
            "top_k",
            "repetition_penalty",
        ),
        checks_fields=True,
        renames={"seed": "random_seed"},
        # It takes "any" for "required", and "required" as its synonym since 2025.
        tool_choice_required=True,
    ),
)
