"""Google's Gemini, by its own API; the quirks are those of its OpenAI-compatible endpoint, which is
used where its address is written out."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="gemini",
    title="Google Gemini",
    catalogue="google",
    telemetry="gcp.gemini",
    base="https://generativelanguage.googleapis.com/v1beta",
    path="/models/{model}:generateContent",
    format="gemini",
    auth="x-goog-api-key",
    keys=("GEMINI_API_KEY", "GOOGLE_API_KEY"),
    families=("gemini-", "gemma-"),
    flagship="gemini-4-argon",
    small="gemini-3.8-flash",
    models=("gemini-2.5-pro", "gemini-2.5-flash"),
    litellm=("gemini", "google_ai_studio"),
    quirks=Quirks(
        reasoning_field="reasoning_effort",
        reasoning_models=("gemini-2.5", "gemini-3", "gemini-4"),
        # It checks its fields: an unknown name is a 400 "Invalid JSON payload received".
        drops=(
            "top_k",
            "repetition_penalty",
            "user",
            "store",
            "metadata",
            "logit_bias",
            "parallel_tool_calls",
            "service_tier",
        ),
        # Its schema is a subset of OpenAPI: these names are refused inside function parameters.
        schema_drops=(
            "$schema",
            "$id",
            "additionalProperties",
            "exclusiveMinimum",
            "exclusiveMaximum",
            "propertyNames",
            "const",
        ),
        most_stops=5,
    ),
)
