"""Claude on Google's Vertex AI: Anthropic's wire, the model in the address."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="vertex-claude",
    title="Vertex AI (Claude)",
    telemetry="gcp.vertex_ai",
    base="https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}"
    "/publishers/anthropic",
    path="/models/{model}:rawPredict",
    stream_path="/models/{model}:streamRawPredict",
    format="anthropic_messages",
    sign_in="google",
    adjust=("vertex-claude",),
    quirks=Quirks(
        reasoning_field="thinking",
        keeps_cache_control=True,
        replays_reasoning=True,
        cached_inside_prompt=False,
    ),
)
