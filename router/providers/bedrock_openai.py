"""Amazon Bedrock's OpenAI-compatible endpoint: the open models, signed with AWS credentials."""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="bedrock-openai",
    title="Amazon Bedrock (open models)",
    telemetry="aws.bedrock",
    base="https://bedrock-mantle.{region}.api.aws/v1",
    sign_in="aws",
    quirks=Quirks(reasoning_field="reasoning_effort", reasoning_models=("openai.gpt-oss",)),
)
