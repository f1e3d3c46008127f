"""Amazon Bedrock: Anthropic's Messages API as Bedrock serves it, signed with AWS credentials.

A Bedrock API key, where one is set, goes as a bearer token and needs no signature.
"""

from __future__ import annotations

from router.providers.kind import Kind, Quirks

KIND = Kind(
    name="bedrock",
    title="Amazon Bedrock (Claude)",
    telemetry="aws.bedrock",
    base="https://bedrock-mantle.{region}.api.aws/anthropic",
    hosts="bedrock-mantle.*.api.aws",
    path="/v1/messages",
    format="anthropic_messages",
    sign_in="aws",
    keys=("AWS_BEARER_TOKEN_BEDROCK",),
    litellm=("bedrock", "bedrock_mantle"),
    quirks=Quirks(
        reasoning_field="thinking",
        keeps_cache_control=True,
        replays_reasoning=True,
        cached_inside_prompt=False,
    ),
)
