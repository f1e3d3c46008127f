"""Gemini on Google's Vertex AI, with the credentials of Google Cloud."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="vertex",
    title="Vertex AI (Gemini)",
    telemetry="gcp.vertex_ai",
    base="https://{location}-aiplatform.googleapis.com/v1/projects/{project}/locations/{location}"
    "/publishers/google",
    path="/models/{model}:generateContent",
    stream_path="/models/{model}:streamGenerateContent?alt=sse",
    format="gemini",
    sign_in="google",
    litellm=("vertex_ai", "vertex_ai_beta"),
    quirks=Quirks(),  # of its OpenAI-compatible face, which is not used
)
